import type { ClaimAndResult } from './claims.ts';

/** Graded outcomes whose claims fall into one tenth of [0, 1]. */
interface CalibrationBin {
  readonly n: number;
  readonly sumClaim: number;
  readonly sumResult: number;
}

/** Ten, by rising confidence; the last holds 1 too. */
export type CalibrationBins = readonly CalibrationBin[];

const BINS = 10;
/** A bin speaks for itself from this many outcomes on. */
const FULL_BIN = 10;
/** With fewer in all, nothing is known. */
const LEAST_GRADED = 5;

const EMPTY: CalibrationBin = { n: 0, sumClaim: 0, sumResult: 0 };

export const freshBins: CalibrationBins = Array.from({ length: BINS }, () => EMPTY);

const including = (bin: CalibrationBin, { claim, result }: ClaimAndResult): CalibrationBin => ({
  n: bin.n + 1,
  sumClaim: bin.sumClaim + claim,
  sumResult: bin.sumResult + result,
});

export const observeCalibration = (bins: CalibrationBins, observed: ClaimAndResult): CalibrationBins => {
  const index = Math.min(BINS - 1, Math.floor(observed.claim * BINS));
  return bins.map((bin, i) => (i === index ? including(bin, observed) : bin));
};

const sumOf = (bins: CalibrationBins): CalibrationBin =>
  bins.reduce(
    (sum, bin) => ({
      n: sum.n + bin.n,
      sumClaim: sum.sumClaim + bin.sumClaim,
      sumResult: sum.sumResult + bin.sumResult,
    }),
    EMPTY,
  );

/** The mean claim and the share of successes over all graded outcomes; null before the first. */
export const calibrationMeans = (bins: CalibrationBins): { pass_rate: number | null; mean_claim: number | null } => {
  const { n, sumClaim, sumResult } = sumOf(bins);
  return n === 0 ? { pass_rate: null, mean_claim: null } : { pass_rate: sumResult / n, mean_claim: sumClaim / n };
};

const overConfidence = (bin: CalibrationBin): number => (bin.sumClaim - bin.sumResult) / bin.n;

/**
 * Over-confidence, 0 to 1, and the number of graded outcomes it stands on (spec checkin 2.9): that of the worst bin with
 * at least ten; the overall one while no bin has ten; null with fewer than five in all.
 */
export const calibrationError = (bins: CalibrationBins): { error: number | null; graded: number } => {
  const all = sumOf(bins);
  if (all.n < LEAST_GRADED) return { error: null, graded: all.n };
  const full = bins.filter((bin) => bin.n >= FULL_BIN);
  const worst = Math.max(...(full.length > 0 ? full : [all]).map(overConfidence));
  return { error: Math.min(1, Math.max(0, worst)), graded: all.n };
};
