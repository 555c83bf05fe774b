import type { CoverageReading } from '../../agents/coverage.ts';
import type { ObservedOutcome } from './observations.ts';

/** The claims detector's reading of an agent: how far its claims run ahead of its results (spec checkin 2.12). */
export interface ClaimsReading {
  /** The detector's value M; 1 says nothing, the larger the stronger the evidence. */
  readonly value: number;
  /** Graded outcomes behind it. */
  readonly graded: number;
  readonly meanClaim: number | null;
  readonly accuracy: number | null;
}

/** How many claims met a result in time, and how strong the evidence is that most do not. */
export interface SilenceReading {
  readonly made: number;
  readonly settled: number;
  readonly expired: number;
  readonly unclaimed: number;
  /** Settled of all that were settled or expired, 0 to 1; null before the first. */
  readonly share: number | null;
  /** The silence detector's value; 1 says nothing. */
  readonly silence: number;
}

/** What recorded outcomes say about an agent at the moment of a check-in. */
export interface CheckInEvidence {
  readonly claims: ClaimsReading;
  /** What became of the agent's claims; absent: not counted. */
  readonly coverage?: CoverageReading;
  /** Agents beside this one that had results in the last hour, and how many of them failures. */
  readonly others?: () => { readonly agents: number; readonly failing: number };
  /**
   * Over-confidence, 0 to 1, and how many graded outcomes it stands on; null while they are too few. The means over all of
   * them go on with the vitals; scoring does not use them.
   */
  readonly calibration: {
    readonly error: number | null;
    readonly graded: number;
    readonly pass_rate?: number | null;
    readonly mean_claim?: number | null;
  };
  /** At most 20, of the last 24 hours, oldest first. */
  readonly outcomes: readonly ObservedOutcome[];
}
