import type { Regime, Verdict } from '@breakwater/contract';
import type { Statement } from '../postgres/index.ts';
import type { StoredPrediction } from './rules/binding.ts';

/** A claim, with the state of the check-in that made it. Times in ms. */
export interface StoredPredictionRow {
  readonly prediction_id: string;
  readonly agent_id: string;
  readonly update_index: number;
  readonly confidence: number;
  readonly source: 'reported' | 'derived';
  readonly expires_at: number;
  readonly consumed_at: number | null;
  readonly claim_class: string | null;
  readonly complexity_gap: number | null;
  readonly vitals: {
    readonly E: number;
    readonly I: number;
    readonly S: number;
    readonly V: number;
    readonly verdict: Verdict;
    readonly regime: Regime;
  } | null;
}

export const selectPredictions = (predictionIds: readonly string[]): Statement => ({
  name: 'outcomes.predictions',
  text: `SELECT p.prediction_id, p.agent_id, p.update_index, p.confidence, p.source, p.expires_at, p.consumed_at,
           s.epistemic_class AS claim_class,
           CASE WHEN NOT s.state_json #> '{eisv_telemetry,derivation,missing_inputs}' ? 'complexity'
             THEN (s.state_json #>> '{eisv_telemetry,derivation,inputs,divergence}')::float8 END AS complexity_gap,
           CASE WHEN s.state_id IS NOT NULL THEN jsonb_build_object('E', s.state_json->'E', 'I', s.integrity,
             'S', s.entropy, 'V', s.volatility, 'verdict', s.state_json->'verdict', 'regime', s.regime) END AS vitals
         FROM core.predictions p
         JOIN core.identities i ON i.agent_id = p.agent_id
         LEFT JOIN core.agent_state s ON s.identity_id = i.identity_id AND s.sequence = p.state_sequence
         WHERE p.prediction_id = ANY($1::uuid[])`,
  values: [predictionIds],
});

export const predictionFromRow = (row: StoredPredictionRow): StoredPrediction => ({
  predictionId: row.prediction_id,
  agentId: row.agent_id,
  updateIndex: row.update_index,
  confidence: row.confidence,
  source: row.source,
  expiresAt: row.expires_at,
  consumedAt: row.consumed_at,
  claimClass: row.claim_class,
  complexityGap: row.complexity_gap,
  vitals: row.vitals,
});

export interface DetectorsRow {
  readonly agents: number;
  readonly guided: number;
  readonly paused: number;
  readonly highest: number | null;
}

/** Counts the claims detectors of agents that live and have graded outcomes, by how far they are. */
export const selectDetectors = (limits: { guide: number; pause: number; leastGraded: number }): Statement => ({
  name: 'outcomes.detectors',
  text: `SELECT count(*) AS agents, count(*) FILTER (WHERE value >= $1) AS guided,
           count(*) FILTER (WHERE value >= $2 AND graded >= $3) AS paused, max(value) AS highest
         FROM (
           SELECT (evidence #>> '{claims,graded}')::int AS graded,
             (SELECT avg(bet::float8) FROM jsonb_array_elements_text(evidence #> '{claims,bets}') bet) AS value
           FROM core.identities
           WHERE status NOT IN ('archived', 'disabled', 'deleted') AND evidence #> '{claims,graded}' > '0'::jsonb
         ) detectors`,
  values: [limits.guide, limits.pause, limits.leastGraded],
});

export const selectEvidence = (agentId: string): Statement => ({
  name: 'outcomes.evidence',
  text: 'SELECT evidence FROM core.identities WHERE agent_id = $1',
  values: [agentId],
});

/** Graded results of one agent in one minute since the epoch. */
export interface FleetCountRow {
  readonly agent_id: string;
  readonly minute: number;
  readonly results: number;
  readonly sum_claim: number;
  readonly failed: number;
}

/** Counts the graded results of all agents from minute `from` (since the epoch) on. */
export const selectFleetCounts = (from: number): Statement => ({
  name: 'outcomes.fleet',
  text: `SELECT agent_id, floor(extract(epoch FROM ts) / 60)::bigint AS minute, count(*) AS results,
           sum(confidence) AS sum_claim, count(*) FILTER (WHERE is_bad) AS failed
         FROM audit.outcome_events
         WHERE ts >= $1::timestamptz AND graded AND confidence IS NOT NULL GROUP BY 1, 2`,
  values: [new Date(from * 60_000).toISOString()],
});
