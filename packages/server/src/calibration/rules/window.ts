import type { Cell } from './tally.ts';
import { DAY_MS } from '../../runtime/index.ts';

/** First instant of the UTC day of a time; ms since the epoch. */
export const dayOf = (at: number): number => Math.floor(at / DAY_MS) * DAY_MS;

/** Calibration looks back so many whole UTC days, and the one that runs. */
const WINDOW_DAYS = 90;

/** Where the window of a look at `now` begins. */
export const windowStart = (now: number): number => dayOf(now) - WINDOW_DAYS * DAY_MS;

/**
 * The cells after days from `from` on were counted anew: `counted` has all of them, earlier ones are kept as they were, and
 * what has left the window is dropped. Whole days are replaced, so that nothing is ever added twice.
 */
export const withRecounted = (
  cells: readonly Cell[],
  counted: readonly Cell[],
  from: number,
  start: number,
): readonly Cell[] => [...cells.filter(({ day }) => day < from && day >= start), ...counted];

/** Graded outcomes and claims of one day, before and after all were counted anew. */
export interface DayDifference {
  readonly day: number;
  readonly before: { readonly claims: number; readonly graded: number };
  readonly after: { readonly claims: number; readonly graded: number };
}

/** Days whose counts differ between two sets of cells, oldest first. */
export const differingDays = (before: readonly Cell[], after: readonly Cell[]): readonly DayDifference[] => {
  const none = { claims: 0, graded: 0 };
  const counts = (cells: readonly Cell[]) => {
    const days = new Map<number, { claims: number; graded: number }>();
    for (const { day, claims, graded } of cells) {
      const sum = days.get(day) ?? none;
      days.set(day, { claims: sum.claims + claims, graded: sum.graded + graded });
    }
    return days;
  };
  const [was, is] = [counts(before), counts(after)];
  return [...new Set([...was.keys(), ...is.keys()])]
    .sort((a, b) => a - b)
    .map((day) => ({ day, before: was.get(day) ?? none, after: is.get(day) ?? none }))
    .filter((one) => one.before.claims !== one.after.claims || one.before.graded !== one.after.graded);
};
