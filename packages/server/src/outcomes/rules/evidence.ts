import { z } from 'zod';
import type { Binding } from './binding.ts';
import {
  calibrationError,
  calibrationMeans,
  freshBins,
  observeCalibration,
  type CalibrationBins,
} from './calibration.ts';
import {
  claimsDemandPause,
  claimsMeans,
  claimsPause,
  claimsValue,
  BETS,
  FRACTIONS,
  freshClaims,
  observeClaim,
  type ClaimsPause,
  type ClaimsState,
} from './claims.ts';
import type { OtherAgents } from './fleet-guard.ts';
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
  /** Its statements contradict each other: nothing is learned from it. */
  readonly contradicts?: boolean;
  /** No bet is placed on it, because the other agents fail as well; see the fleet guard. */
  readonly held?: boolean;
  readonly binding: Pick<Binding, 'claimed' | 'confidence'>;
}

const RECENT = 20;
const RECENT_MS = 86_400_000;

/**
 * Learns from one outcome. It is graded when tools saw it, it settles a confidence that the agent itself reported before
 * the result, it says success or failure, and it is no test data; only then do claims and calibration move, and only
 * then can the detector ask for a pause. `others` is asked who failed beside it when it does.
 */
export const recordOutcome = (
  evidence: OutcomeEvidence,
  outcome: SettledOutcome,
  now: number,
  others?: () => OtherAgents,
): { evidence: OutcomeEvidence; graded: boolean; pause?: ClaimsPause } => {
  const { isBad, score, weight, fixture, binding, contradicts = false, held = false } = outcome;
  if (fixture) return { evidence, graded: false };
  const open = score === null && !isBad;
  // What says neither success nor failure must not look like a success to the risk.
  if (open && !contradicts) return { evidence, graded: false };
  const seen = contradicts ? { at: now, isBad: true, score: null } : { at: now, isBad, score };
  const recent = [...evidence.recent, seen].slice(-RECENT);
  const trusted = weight >= GRADE_WEIGHT.tool_observed;
  if (!trusted || !binding.claimed || binding.confidence === null || score === null || contradicts) {
    return { evidence: { ...evidence, recent }, graded: false };
  }
  // Never the score, which the agent chooses: a failure with a score of 0.9 is a failure.
  const observed = { claim: binding.confidence, result: isBad ? 0 : 1 };
  const bins = observeCalibration(evidence.bins, observed);
  if (held) return { evidence: { ...evidence, bins, recent }, graded: true };
  const claims = observeClaim(evidence.claims, observed);
  return {
    evidence: { claims, bins, recent },
    graded: true,
    ...(claimsDemandPause(claims) && { pause: claimsPause(claims, others?.()) }),
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
  calibration: { error: number | null; graded: number; pass_rate: number | null; mean_claim: number | null };
  outcomes: { isBad: boolean; score: number | null }[];
} => ({
  claims: { value: claimsValue(claims), graded: claims.graded, ...claimsMeans(claims) },
  calibration: { ...calibrationError(bins), ...calibrationMeans(bins) },
  outcomes: recent.filter(({ at }) => now - at <= RECENT_MS).map(({ isBad, score }) => ({ isBad, score })),
});

const VERSION = 2;
const count = z.int().nonnegative();
const bets = (length: number) => z.array(z.number()).length(length);
const storedWith = <V extends number>(version: V, betCount: number) =>
  z.object({
    version: z.literal(version),
    claims: z.object({
      bets: bets(betCount),
      graded: count,
      sumClaim: z.number(),
      sumResult: z.number(),
      recent: z.array(z.object({ claim: z.number(), result: z.number() })),
    }),
    bins: z.array(z.object({ n: count, sumClaim: z.number(), sumResult: z.number() })).length(freshBins.length),
    recent: z.array(z.object({ at: z.number(), isBad: z.boolean(), score: z.number().nullable() })),
  });
const STORED = z.discriminatedUnion('version', [storedWith(VERSION, BETS.length), storedWith(1, FRACTIONS.length)]);

/** As a JSON object; {@link decodeEvidence} of it is the same evidence, to the last bit. */
export const encodeEvidence = (evidence: OutcomeEvidence): Readonly<Record<string, unknown>> => ({
  version: VERSION,
  ...evidence,
});

/**
 * Throws on anything that {@link encodeEvidence} does not write or did not write in version 1: evidence that cannot be
 * read must not become innocence. The three bets of version 1 go on in each band, so that their mean, which is the
 * detector's value, stays what it was, and so does its guarantee.
 */
export const decodeEvidence = (stored: Readonly<Record<string, unknown>>): OutcomeEvidence => {
  const { version, claims, bins, recent } = STORED.parse(stored);
  return {
    claims: version === 1 ? { ...claims, bets: BETS.map((_, i) => claims.bets[i % FRACTIONS.length] ?? 1) } : claims,
    bins,
    recent,
  };
};
