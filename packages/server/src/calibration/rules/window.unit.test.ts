import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cellOf } from './testing/cells.ts';
import { dayOf, differingDays, windowStart, withRecounted } from './window.ts';
import { DAY_MS } from '../../runtime/index.ts';

const TODAY = Date.UTC(2026, 5, 20);

describe('the window', () => {
  it('begins ninety whole UTC days before the one that runs', () => {
    expect(windowStart(TODAY)).toBe(TODAY - 90 * DAY_MS);
    expect(windowStart(TODAY + DAY_MS - 1)).toBe(TODAY - 90 * DAY_MS);
    expect(new Date(dayOf(Date.UTC(2026, 2, 29, 1, 30))).toISOString()).toBe('2026-03-29T00:00:00.000Z');
  });

  it('counts every row once, however often and from whichever day on it is counted again', () => {
    const steps = fc.array(
      fc.record({ daysAgo: fc.integer({ min: 0, max: 3 }), back: fc.integer({ min: 0, max: 3 }) }),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(steps, (all) => {
        const rows: ReturnType<typeof cellOf>[] = [];
        let cells: readonly ReturnType<typeof cellOf>[] = [];
        for (const { daysAgo, back } of all) {
          rows.push(cellOf({ claim: 0.5, result: 1, at: TODAY - daysAgo * DAY_MS + 5 }));
          // Whoever counts goes back at least to the day of the newest row.
          const from = TODAY - Math.max(daysAgo, back) * DAY_MS;
          cells = withRecounted(
            cells,
            rows.filter(({ day }) => day >= from),
            from,
            TODAY - 90 * DAY_MS,
          );
          expect(cells.length).toBe(rows.length);
        }
      }),
    );
  });

  it('lets go of days that have left it', () => {
    const old = cellOf({ claim: 0.5, at: TODAY - 91 * DAY_MS });
    const edge = cellOf({ claim: 0.5, at: TODAY - 90 * DAY_MS });
    expect(withRecounted([old, edge], [], TODAY, windowStart(TODAY))).toEqual([edge]);
  });

  it('tells the days whose counts differ, oldest first, and no others', () => {
    const row = (daysAgo: number, graded: boolean) =>
      cellOf({ claim: 0.5, at: TODAY - daysAgo * DAY_MS, ...(graded && { result: 1 }) });
    const before = [row(3, true), row(2, true), row(1, false)];
    const after = [row(3, true), row(1, true), row(0, true)];
    expect(differingDays(before, after)).toEqual([
      { day: TODAY - 2 * DAY_MS, before: { claims: 1, graded: 1 }, after: { claims: 0, graded: 0 } },
      { day: TODAY - DAY_MS, before: { claims: 1, graded: 0 }, after: { claims: 1, graded: 1 } },
      { day: TODAY, before: { claims: 0, graded: 0 }, after: { claims: 1, graded: 1 } },
    ]);
    expect(differingDays(before, [...before].reverse())).toEqual([]);
  });
});
