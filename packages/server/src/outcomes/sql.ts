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
  readonly vitals: {
    readonly E: number;
    readonly I: number;
    readonly S: number;
    readonly V: number;
    readonly verdict: string;
    readonly regime: string;
  } | null;
}

export const selectPredictions = (predictionIds: readonly string[]): Statement => ({
  name: 'outcomes.predictions',
  text: `SELECT p.prediction_id, p.agent_id, p.update_index, p.confidence, p.source, p.expires_at, p.consumed_at,
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
  vitals: row.vitals,
});
