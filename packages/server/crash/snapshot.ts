import type { Database, Queryable } from '../src/postgres/index.ts';

export interface AgentRow {
  readonly agent_id: string;
  readonly label: string;
  readonly sequence: number;
  readonly update_count: number;
  readonly audit_head: string;
  readonly audit_count: number;
  readonly bindings: number;
}
export interface StateRow {
  readonly agent_id: string;
  readonly update_index: number;
  readonly sequence: number;
  readonly mark: string | null;
}
export interface PredictionRow {
  readonly agent_id: string;
  readonly prediction_id: string;
  readonly update_index: number;
  readonly state_sequence: number;
  readonly consumed: boolean;
}
export interface EventRow {
  readonly agent_id: string;
  readonly event_id: string;
  /** ms since the epoch, UTC. */
  readonly ts: number;
  readonly event_type: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly session_id: string | null;
  readonly raw_hash: string;
  readonly chain_index: number;
  readonly prev_hash: string;
}
export interface OutcomeRow {
  readonly agent_id: string;
  readonly outcome_id: string;
  readonly prediction_id: string | null;
  readonly mark: string | null;
}
export interface KeyRow {
  readonly agent_id: string;
  readonly key: string;
}

/** What PostgreSQL holds of one round. */
export interface Snapshot {
  readonly agents: readonly AgentRow[];
  readonly states: readonly StateRow[];
  readonly predictions: readonly PredictionRow[];
  /** By agent, then by place in the chain. */
  readonly events: readonly EventRow[];
  readonly outcomes: readonly OutcomeRow[];
  readonly keys: readonly KeyRow[];
}

/** Reads everything of the agents whose name begins with `round`, as of one moment. */
export const readSnapshot = (database: Database, round: string): Promise<Snapshot> =>
  database.transaction(async (tx) => {
    await tx.query({ text: 'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY' });
    return await readRound(tx, `${round}-%`);
  });

const readRound = async (tx: Queryable, pattern: string): Promise<Snapshot> => {
  const rows = <R>(text: string) => tx.query<R>({ text, values: [pattern] });
  return {
    agents: await rows<AgentRow>(
      `SELECT a.id AS agent_id, a.label, coalesce(i.sequence, -1) AS sequence, i.update_count, i.audit_head,
         i.audit_count,
         (SELECT count(*) FROM core.bindings b WHERE b.agent_id = a.id AND b.kind = 'session' AND b.revoked_at IS NULL) AS bindings
       FROM core.agents a LEFT JOIN core.identities i ON i.agent_id = a.id WHERE a.label LIKE $1`,
    ),
    states: await rows<StateRow>(
      `SELECT i.agent_id, s.update_index, s.sequence, s.state_json->'context'->>'task_label' AS mark
       FROM core.agent_state s JOIN core.identities i USING (identity_id)
       JOIN core.agents a ON a.id = i.agent_id WHERE a.label LIKE $1`,
    ),
    predictions: await rows<PredictionRow>(
      `SELECT p.agent_id, p.prediction_id, p.update_index, p.state_sequence, p.consumed_at IS NOT NULL AS consumed
       FROM core.predictions p JOIN core.agents a ON a.id = p.agent_id WHERE a.label LIKE $1`,
    ),
    events: await rows<EventRow>(
      `SELECT e.agent_id, e.event_id, e.ts, e.event_type, e.payload, e.session_id, e.raw_hash, e.chain_index, e.prev_hash
       FROM audit.events e JOIN core.agents a ON a.id = e.agent_id
       WHERE a.label LIKE $1 AND e.chain_index IS NOT NULL
       ORDER BY e.agent_id, e.chain_index`,
    ),
    outcomes: await rows<OutcomeRow>(
      `SELECT o.agent_id, o.outcome_id, o.prediction_id, o.detail->>'mark' AS mark
       FROM audit.outcome_events o JOIN core.agents a ON a.id = o.agent_id WHERE a.label LIKE $1`,
    ),
    keys: await rows<KeyRow>(
      `SELECT k.agent_id, k.key FROM core.idempotency_keys k
       JOIN core.agents a ON a.id = k.agent_id WHERE a.label LIKE $1`,
    ),
  };
};
