import { totalOf, type BinSums, type ErrorSums } from './tally.ts';

/**
 * The Brier score of claims, and what it is made of (Murphy 1973, with the rest that bins leave, after Stephenson et al.
 * 2008): `brier = reliability - resolution + uncertainty + withinBins`. All are of graded outcomes.
 */
export interface Skill {
  readonly n: number;
  /** Mean squared distance of claim and result: 0 is perfect, 0.25 is what a claim of 0.5 always gets. */
  readonly brier: number | null;
  /** How far the claims of a bin lie from its results, squared: 0 is calibrated. */
  readonly reliability: number | null;
  /** How far the results of the bins lie apart, squared; null when all results are the same: there was nothing to tell apart. */
  readonly resolution: number | null;
  /** The variance of the results: the Brier score of always claiming their mean. */
  readonly uncertainty: number | null;
  /** What claims and results that differ within a bin add. */
  readonly withinBins: number | null;
  /** 1 - brier / uncertainty: 1 knows every result, 0 knows no more than their mean, below 0 is worse than that. */
  readonly skill: number | null;
  /** Whether all results are the same; null without any. */
  readonly oneClass: boolean | null;
}

/** What the order of a sum makes of its last digits is no variance. */
const NOTHING = 1e-12;

/** Scores claims. `bins` are graded outcomes by claim, `errors` the sums of squares of the same outcomes. */
export const skillOf = (bins: readonly BinSums[], errors: ErrorSums): Skill => {
  const { n, sumResult } = totalOf(bins);
  if (n === 0) {
    const none = { brier: null, reliability: null, resolution: null, uncertainty: null, withinBins: null };
    return { n, ...none, skill: null, oneClass: null };
  }
  const base = sumResult / n;
  const over = (of: (bin: BinSums) => number): number =>
    bins.reduce((all, bin) => all + (bin.n === 0 ? 0 : bin.n * of(bin) ** 2), 0) / n;
  const brier = Math.max(0, errors.squaredError / n);
  const reliability = over((bin) => (bin.sumClaim - bin.sumResult) / bin.n);
  const spread = over((bin) => bin.sumResult / bin.n - base);
  const uncertainty = Math.max(0, errors.squaredResult / n - base * base);
  const oneClass = uncertainty < NOTHING;
  return {
    n,
    brier,
    reliability,
    resolution: oneClass ? null : spread,
    uncertainty: oneClass ? 0 : uncertainty,
    withinBins: brier - reliability + spread - uncertainty,
    skill: oneClass ? null : 1 - brier / uncertainty,
    oneClass,
  };
};
