import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { idsFrom, seededRandom, systemIds } from './clock.ts';

const FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f])[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const time = fc.integer({ min: 0, max: 2 ** 47 });

describe('ids', () => {
  it('sorts row ids by their time, and keeps the time readable in them', () => {
    fc.assert(
      fc.property(time, time, (a, b) => {
        const [first, second] = [systemIds.rowId(a), systemIds.rowId(b)];
        if (a !== b) expect(first < second).toBe(a < b);
        expect(Number.parseInt(first.replaceAll('-', '').slice(0, 12), 16)).toBe(a);
      }),
    );
  });

  it('has the form of RFC 9562, whatever the source', () => {
    for (const ids of [systemIds, idsFrom(seededRandom(1))]) {
      for (let i = 0; i < 1000; i += 1) {
        expect(FORM.exec(ids.rowId(1_800_000_000_000))?.[1]).toBe('7');
        expect(FORM.exec(ids.uuid())?.[1]).toBe('4');
        expect(ids.secret()).toMatch(/^[A-Za-z0-9_-]{43}$/);
      }
    }
  });

  it('does not repeat within one millisecond', () => {
    for (const ids of [systemIds, idsFrom(seededRandom(1))]) {
      expect(new Set(Array.from({ length: 20_000 }, () => ids.rowId(1))).size).toBe(20_000);
      expect(new Set(Array.from({ length: 20_000 }, () => ids.uuid())).size).toBe(20_000);
    }
  });

  it('replays a run from its seed, and another seed gives another run', () => {
    const run = (seed: number) => {
      const ids = idsFrom(seededRandom(seed));
      return [ids.uuid(), ids.rowId(5), ids.secret(), ids.uuid()];
    };
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (a, b) => {
        expect(run(a)).toEqual(run(a));
        if (a >>> 0 !== b >>> 0) expect(run(a)).not.toEqual(run(b));
      }),
    );
  });

  it('draws numbers in [0, 1) that fill it evenly', () => {
    const random = seededRandom(42);
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i += 1) {
      const x = random();
      expect(x >= 0 && x < 1).toBe(true);
      counts[Math.floor(x * 10)]! += 1;
    }
    // 10,000 expected; five standard deviations are 474.
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(474);
  });
});
