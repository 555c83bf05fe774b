import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FindingIds } from './finding-ids.ts';

it('ids of findings rise whatever the clock does, and are instants', () => {
  const ids = new FindingIds();
  expect(ids.next(Date.UTC(2026, 0, 1))).toBe('2026-01-01T00:00:00.000000Z');
  expect(ids.next(Date.UTC(2026, 0, 1))).toBe('2026-01-01T00:00:00.000001Z');
  expect(ids.next(Date.UTC(2025, 0, 1))).toBe('2026-01-01T00:00:00.000002Z');
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1_700_000_000_000, max: 1_700_000_000_005 }), { maxLength: 3000 }),
      (times) => {
        const fresh = new FindingIds();
        const made = times.map((now) => fresh.next(now));
        expect(made).toEqual([...new Set(made)].sort());
      },
    ),
  );
});
