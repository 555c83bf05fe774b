import { createLiveTable } from '../src/runtime/index.ts';

/** Nanoseconds of one read of a live table through its public face, with `rows` rows and every key in turn. */
export const liveReadNs = (rows: number): number => {
  const { table, writer } = createLiveTable<{ value: number }>('bench');
  const keys = Array.from({ length: rows }, (_, i) => `agent-${i}-${'0'.repeat(24)}`);
  keys.forEach((key, value) => writer.publish(key, { value }));
  let sum = 0;
  const pass = (times: number): number => {
    const started = performance.now();
    for (let i = 0; i < times; i += 1) {
      const reading = table.read(keys[i % rows] ?? '');
      if (reading.ok) sum += reading.value.value;
    }
    return ((performance.now() - started) * 1e6) / times;
  };
  pass(1_000_000);
  const best = Math.min(...Array.from({ length: 5 }, () => pass(2_000_000)));
  if (sum === 0) throw new Error('nothing was read');
  return best;
};
