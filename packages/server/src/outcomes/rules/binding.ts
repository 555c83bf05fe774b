import type { PredictionSource, Regime, Verdict } from '@breakwater/contract';

/** A check-in's claim as it is stored, with the state of that check-in. Times in ms. */
export interface StoredPrediction {
  readonly predictionId: string;
  readonly agentId: string;
  readonly updateIndex: number;
  readonly confidence: number;
  /** `derived`: the agent reported no confidence, so there was no claim of its own. */
  readonly source: 'reported' | 'derived';
  readonly expiresAt: number;
  readonly consumedAt: number | null;
  /** What kind of statement that check-in was; null when its state is gone. */
  readonly claimClass: string | null;
  /** Reported complexity against the derived one, 0 to 1; null when none was reported, or its state is gone. */
  readonly complexityGap: number | null;
  readonly vitals: {
    readonly E: number;
    readonly I: number;
    readonly S: number;
    readonly V: number;
    readonly verdict: Verdict;
    readonly regime: Regime;
  } | null;
}

/** Which claim an outcome settles. */
export interface Binding {
  readonly source: PredictionSource;
  /** The claimed confidence, or the caller's argument; null when neither is known. Never made up. */
  readonly confidence: number | null;
  /** The check-in that made the claim. */
  readonly updateIndex: number | null;
  /** Whether the prediction is used up by this outcome. */
  readonly consume: boolean;
  /** Whether the agent itself reported this confidence before the result: only such a claim is held against it. */
  readonly claimed: boolean;
}

/**
 * Binds an outcome to the claim made before it (BW-outcomes.02). A prediction is good for one outcome of its own agent,
 * before its expiry; an unknown, foreign or used one is `missing_prediction`, so that nobody learns which ids exist.
 */
export const bindPrediction = (asked: {
  readonly predictionId: string | undefined;
  readonly stored: StoredPrediction | undefined;
  readonly agentId: string;
  /** The confidence sent with the outcome. */
  readonly argument: number | undefined;
  readonly now: number;
}): Binding => {
  const { predictionId, stored, agentId, argument, now } = asked;
  const unbound = (source: PredictionSource): Binding => ({
    source,
    confidence: argument ?? null,
    updateIndex: null,
    consume: false,
    claimed: false,
  });
  if (predictionId === undefined) return unbound(argument === undefined ? 'no_binding' : 'argument_fallback');
  if (stored === undefined || stored.agentId !== agentId || stored.consumedAt !== null) {
    return unbound('missing_prediction');
  }
  if (now >= stored.expiresAt) return unbound('ttl_expired_fallback');
  return {
    source: 'registry',
    confidence: stored.confidence,
    updateIndex: stored.updateIndex,
    consume: true,
    claimed: stored.source === 'reported',
  };
};
