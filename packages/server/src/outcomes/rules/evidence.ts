import { z } from 'zod';
import type { Binding } from './binding.ts';
import { calibrationError, freshBins, observeCalibration, type CalibrationBins } from './calibration.ts';
import {
  claimsDemandPause,
  claimsMeans,
  claimsPause,
  claimsValue,
  FRACTIONS,
  freshClaims,
  observeClaim,
  type ClaimsPause,
  type ClaimsState,
} from './claims.ts';
import { GRADE_WEIGHT } from './grading.ts';

export type { ClaimsPause } from './claims.ts';

/** A recorded outcome in short; `at` in ms. */
interface RecentOutcome {
  readonly at: number;
  readonly isBad: boolean;
  readonly score: number | null;
}

/** All that outcomes taught about one agent. Immutable; stored with the agent's row. */
export interface OutcomeEvidence {
  readonly claims: ClaimsState;
  readonly bins: CalibrationBins;
  /** The newest twenty, oldest first. */
  readonly recent: readonly RecentOutcome[];
}

export const freshEvidence: OutcomeEvidence = { claims: freshClaims, bins: freshBins, recent: [] };

/** An outcome after grading and binding. */
export interface SettledOutcome {
  readonly isBad: boolean;
  readonly score: number | null;
  readonly weight: number;
  readonly fixture: boolean;
  readonly binding: Pick<Binding, 'claimed' | 'confidence'>;
}

const RECENT = 20;
const RECENT_MS = 86_400_000;

/**
 * Learns from one outcome. It is graded when tools saw it, it settles a confidence that the agent itself reported before
 * the result, it says success or failure, and it is no test data; only then do claims and calibration move, and only
 * then can the detector ask for a pause.
 */
export const recordOutcome = (
  evidence: OutcomeEvidence,
  outcome: SettledOutcome,
  now: number,
): { evidence: OutcomeEvidence; graded: boolean; pause?: ClaimsPause } => {
  const { isBad, score, weight, fixture, binding } = outcome;
  if (fixture) return { evidence, graded: false };
  const recent = [...evidence.recent, { at: now, isBad, score }].slice(-RECENT);
  const trusted = weight >= GRADE_WEIGHT.tool_observed;
  if (!trusted || !binding.claimed || binding.confidence === null || score === null) {
    return { evidence: { ...evidence, recent }, graded: false };
  }
  const observed = { claim: binding.confidence, result: score };
  const claims = observeClaim(evidence.claims, observed);
  return {
    evidence: { claims, bins: observeCalibration(evidence.bins, observed), recent },
    graded: true,
    ...(claimsDemandPause(claims) && { pause: claimsPause(claims) }),
  };
};

/** Opens a new account of claims, as a resumed agent gets one; calibration and recent outcomes stay. */
export const withResetClaims = (evidence: OutcomeEvidence): OutcomeEvidence => ({ ...evidence, claims: freshClaims });

/** The evidence as a check-in reads it at `now`. */
export const viewEvidence = (
  { claims, bins, recent }: OutcomeEvidence,
  now: number,
): {
  claims: { value: number; graded: number; meanClaim: number | null; accuracy: number | null };
  calibration: { error: number | null; graded: number };
  outcomes: { isBad: boolean; score: number | null }[];
} => ({
  claims: { value: claimsValue(claims), graded: claims.graded, ...claimsMeans(claims) },
  calibration: calibrationError(bins),
  outcomes: recent.filter(({ at }) => now - at <= RECENT_MS).map(({ isBad, score }) => ({ isBad, score })),
});

const VERSION = 1;
const count = z.int().nonnegative();
const STORED = z.object({
  version: z.literal(VERSION),
  claims: z.object({
    bets: z.array(z.number()).length(FRACTIONS.length),
    graded: count,
    sumClaim: z.number(),
    sumResult: z.number(),
    recent: z.array(z.object({ claim: z.number(), result: z.number() })),
  }),
  bins: z.array(z.object({ n: count, sumClaim: z.number(), sumResult: z.number() })).length(freshBins.length),
  recent: z.array(z.object({ at: z.number(), isBad: z.boolean(), score: z.number().nullable() })),
});

/** As a JSON object; {@link decodeEvidence} of it is the same evidence, to the last bit. */
export const encodeEvidence = (evidence: OutcomeEvidence): Readonly<Record<string, unknown>> => ({
  version: VERSION,
  ...evidence,
});

/** Throws on anything that {@link encodeEvidence} does not write: evidence that cannot be read must not become innocence. */
export const decodeEvidence = (stored: Readonly<Record<string, unknown>>): OutcomeEvidence => {
  const { claims, bins, recent } = STORED.parse(stored);
  return { claims, bins, recent };
};
