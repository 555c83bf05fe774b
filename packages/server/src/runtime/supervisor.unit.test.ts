import { describe, expect, it } from 'vitest';
import { Supervisor, type Part } from './supervisor.ts';
import { createGate } from './testing/gate.ts';

const part = (name: string, log: string[], failing: { start?: boolean; stop?: boolean } = {}): Part => ({
  name,
  start: () => {
    log.push(`+${name}`);
    if (failing.start === true) throw new Error(`${name} does not start`);
  },
  stop: async () => {
    log.push(`-${name}`);
    if (failing.stop === true) throw new Error(`${name} does not stop`);
  },
});

describe('Supervisor', () => {
  it('stops in reverse order, once, and a part that fails to stop does not keep the others', async () => {
    const log: string[] = [];
    const errors: string[] = [];
    const supervisor = new Supervisor((name, error) => errors.push(`${name}: ${(error as Error).message}`));
    await supervisor.start(part('a', log));
    await supervisor.start(part('b', log, { stop: true }));
    await supervisor.start({ name: 'neither starts nor stops' });
    await supervisor.start(part('c', log));
    await Promise.all([supervisor.stop(), supervisor.stop()]);
    await supervisor.stop();
    expect(log).toEqual(['+a', '+b', '+c', '-c', '-b', '-a']);
    expect(errors).toEqual(['b: b does not stop']);
  });

  it('stops those before a part that fails to start, and its error reaches the caller', async () => {
    const log: string[] = [];
    const supervisor = new Supervisor(() => undefined);
    await supervisor.start(part('a', log));
    await expect(supervisor.start(part('b', log, { start: true }))).rejects.toThrow('b does not start');
    expect(log).toEqual(['+a', '+b', '-a']);
    await expect(supervisor.start(part('c', log))).rejects.toThrow('stopping');
    expect(log).toEqual(['+a', '+b', '-a']);
  });

  it('stops the part that was starting when the stop came, before the stop resolves', async () => {
    const log: string[] = [];
    const starting = createGate();
    const supervisor = new Supervisor(() => undefined);
    await supervisor.start(part('a', log));
    const start = supervisor.start({ ...part('b', log), start: () => starting.passed });
    const stop = supervisor.stop().then(() => log.push('stopped'));
    starting.open();
    await expect(start).rejects.toThrow('stopping');
    await stop;
    expect(log).toEqual(['+a', '-b', '-a', 'stopped']);
  });
});
