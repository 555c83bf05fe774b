import { clamp, mean, populationVariance } from './numbers.ts';

const FIXED_THRESHOLD = 0.15;
/** Residents swing wider by nature; their threshold does not follow their history. */
const RESIDENT_THRESHOLD = 0.3;

/** How large |V| may be before the void counts as entered; from the last 100 values of V (spec checkin 2.11). */
export const voidThreshold = (history: readonly number[], resident: boolean): number => {
  if (resident) return RESIDENT_THRESHOLD;
  if (history.length < 10) return FIXED_THRESHOLD;
  const sizes = history.slice(-100).map(Math.abs);
  return clamp(mean(sizes) + 2 * Math.sqrt(populationVariance(sizes)), 0.1, RESIDENT_THRESHOLD);
};
