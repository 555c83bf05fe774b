/** Holds a number within bounds; without bounds, within [0, 1]. */
export const clamp = (x: number, low = 0, high = 1): number => (x < low ? low : x > high ? high : x);

/** Plain left-to-right sum: the order of additions is part of the scoring's definition. */
const sum = (xs: readonly number[]): number => {
  let total = 0;
  for (const x of xs) total += x;
  return total;
};

/** Mean of a list that is not empty. */
export const mean = (xs: readonly number[]): number => sum(xs) / xs.length;

/** Variance over the whole list, not a sample of it. */
export const populationVariance = (xs: readonly number[]): number => {
  const centre = mean(xs);
  let total = 0;
  for (const x of xs) total += (x - centre) * (x - centre);
  return total / xs.length;
};

export const euclidean = (xs: readonly number[]): number => {
  let total = 0;
  for (const x of xs) total += x * x;
  return Math.sqrt(total);
};

/** The list with one more at its end, and its oldest entries dropped beyond `limit`. */
export const appended = <T>(list: readonly T[], item: T, limit: number): T[] => {
  const kept = list.slice(Math.max(0, list.length - limit + 1));
  kept.push(item);
  return kept;
};

/** How many neighbours in a list differ. */
export const changes = (list: readonly unknown[]): number => {
  let count = 0;
  for (let i = 1; i < list.length; i += 1) if (list[i] !== list[i - 1]) count += 1;
  return count;
};

/** A number that may be absent or spoilt as a number or null. */
export const finiteOrNull = (x: number | null | undefined): number | null =>
  typeof x === 'number' && Number.isFinite(x) ? x : null;
