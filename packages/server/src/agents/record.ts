import type { Vitals } from './agent.ts';

/**
 * How an agent's claims compare with what came of them, over all of its graded results: the same four names in every
 * answer, list, page and export. All but the count are null before the first graded result.
 */
export interface ClaimsRecord {
  /** Results that were held against a claim made before them. */
  readonly graded: number;
  /** The share of them that succeeded, 0 to 1. */
  readonly pass_rate: number | null;
  /** The confidence that was claimed of them, on average, 0 to 1. */
  readonly mean_claim: number | null;
  /** Mean claim less pass rate: above 0 the claims run ahead of the results. */
  readonly mean_gap: number | null;
}

const round = (value: number): number => Math.round(value * 1e4) / 1e4;

/** The record that travels with the vitals. What older versions stored has no means: they are unknown until the next result. */
export const recordOf = (vitals: Pick<Vitals, 'calibration'> | null): ClaimsRecord => {
  const { graded = 0, pass_rate: passRate, mean_claim: meanClaim } = vitals?.calibration ?? {};
  return {
    graded,
    pass_rate: passRate == null ? null : round(passRate),
    mean_claim: meanClaim == null ? null : round(meanClaim),
    mean_gap: passRate == null || meanClaim == null ? null : round(meanClaim - passRate),
  };
};
