import { BINS, type BinSums } from './tally.ts';

/** One bin of a reliability curve. Its numbers are null while it is empty: nothing was seen there. */
export interface CurveBin {
  readonly lower: number;
  readonly upper: number;
  readonly n: number;
  readonly meanConfidence: number | null;
  /** Mean result: of 0 and 1 the share that came true. */
  readonly accuracy: number | null;
  /** 95 % Wilson interval of the accuracy. */
  readonly interval: readonly [number, number] | null;
}

/** Normal quantile of 97.5 %. */
const Z = 1.959964;
/** Normal quantiles of 1 - 0.05 / k for k = 1 to 10. */
const UPPER_Z = [
  1.644854, 1.959964, 2.128045, 2.241403, 2.326348, 2.39398, 2.449769, 2.497705, 2.539402, 2.575829,
] as const;

/**
 * The one-sided upper bounds of `tests` shares hold all together with 95 %, when each is taken with this normal quantile
 * (Bonferroni). `tests` is 1 to 10: how many bins there are.
 */
export const upperZ = (tests: number): number => UPPER_Z[Math.min(UPPER_Z.length, Math.max(1, tests)) - 1] ?? Z;

/**
 * Wilson score interval of a share `accuracy` among `n`, at 95 % unless another normal quantile `z` is asked for. Results
 * between 0 and 1 vary less than those of 0 and 1 only, so for them it is wider than need be. Undefined shares have no
 * interval: `n` is at least 1.
 */
export const wilson = (accuracy: number, n: number, z = Z): readonly [number, number] => {
  const z2 = z * z;
  const centre = (accuracy + z2 / (2 * n)) / (1 + z2 / n);
  const half = (z / (1 + z2 / n)) * Math.sqrt((accuracy * (1 - accuracy)) / n + z2 / (4 * n * n));
  // At 0 and 1 the bounds are these exactly; rounding must not move them past the share itself.
  return [Math.min(accuracy, Math.max(0, centre - half)), Math.max(accuracy, Math.min(1, centre + half))];
};

/** A mean of values between 0 and 1, which the rounding of sums must not carry out of that range. */
const mean = (sum: number, n: number): number => Math.min(1, Math.max(0, sum / n));

/** The bins as a diagram shows them, by rising confidence. */
export const curveOf = (bins: readonly BinSums[]): readonly CurveBin[] =>
  bins.map(({ n, sumClaim, sumResult }, i) => {
    const accuracy = n === 0 ? null : mean(sumResult, n);
    return {
      lower: i / BINS,
      upper: (i + 1) / BINS,
      n,
      meanConfidence: n === 0 ? null : mean(sumClaim, n),
      accuracy,
      interval: accuracy === null ? null : wilson(accuracy, n),
    };
  });
