import type { Statement } from '../postgres/index.ts';
import type { AgentHead } from './agent.ts';
import type { AuditRow } from './audit-chain.ts';
import type { AgentCommit, DriftBaselineRow } from './change.ts';

const HEAD_COLUMNS = `
  i.agent_id, i.identity_id, a.label, a.purpose, i.status, i.parent_agent_id, i.created_at, i.last_activity_at,
  i.sequence, i.update_count, i.node_index, i.active_session_key, i.audit_head, i.audit_count, i.pause, i.vitals`;

/** A row of {@link HEAD_COLUMNS}; times in ms. */
export interface HeadRow {
  readonly agent_id: string;
  readonly identity_id: number;
  readonly label: string | null;
  readonly purpose: string | null;
  readonly status: AgentHead['status'];
  readonly parent_agent_id: string | null;
  readonly created_at: number;
  readonly last_activity_at: number | null;
  readonly sequence: number;
  readonly update_count: number;
  readonly node_index: number;
  readonly active_session_key: string | null;
  readonly audit_head: string;
  readonly audit_count: number;
  readonly pause: AgentHead['pause'];
  readonly vitals: AgentHead['vitals'];
}

export const headFromRow = (row: HeadRow): AgentHead => ({
  agentId: row.agent_id,
  identityId: row.identity_id,
  label: row.label,
  purpose: row.purpose,
  status: row.status,
  parentAgentId: row.parent_agent_id,
  createdAt: row.created_at,
  lastActivityAt: row.last_activity_at,
  sequence: row.sequence,
  updateCount: row.update_count,
  nodeIndex: row.node_index,
  activeSessionKey: row.active_session_key,
  auditHead: row.audit_head,
  auditCount: row.audit_count,
  pause: row.pause,
  vitals: row.vitals,
});

/** Every agent that can still act or be looked at. */
export const selectHeads = (): Statement => ({
  text: `SELECT ${HEAD_COLUMNS} FROM core.identities i JOIN core.agents a ON a.id = i.agent_id
         WHERE i.status <> 'deleted'`,
});

export const selectHeadsOf = (agentIds: readonly string[]): Statement => ({
  name: 'agents.heads_of',
  text: `SELECT ${HEAD_COLUMNS} FROM core.identities i JOIN core.agents a ON a.id = i.agent_id
         WHERE i.agent_id = ANY($1::text[])`,
  values: [agentIds],
});

/** What a restart restores an agent from: its head, its newest state, its drift baseline, what its outcomes taught. */
export interface StoredAgentRow extends HeadRow {
  readonly evidence: Readonly<Record<string, unknown>>;
  readonly state_json: Readonly<Record<string, unknown>> | null;
  readonly drift: DriftBaselineRow | null;
}

export const selectStored = (agentId: string): Statement => ({
  name: 'agents.stored',
  text: `SELECT ${HEAD_COLUMNS}, i.evidence, s.state_json, to_jsonb(b) AS drift
         FROM core.identities i
         JOIN core.agents a ON a.id = i.agent_id
         LEFT JOIN core.agent_baselines b ON b.agent_id = i.agent_id
         LEFT JOIN LATERAL (
           SELECT state_json FROM core.agent_state
           WHERE identity_id = i.identity_id AND NOT synthetic ORDER BY sequence DESC LIMIT 1
         ) s ON true
         WHERE i.agent_id = $1`,
  values: [agentId],
});

/** Column definitions of one commit in JSON form; see {@link commitJson}. */
const COMMIT_FIELDS = `
  agent_id text, identity_id bigint, expected bigint, at timestamptz, status text, agent_status text, label text,
  activity timestamptz, updates bigint, node_index int, session_key text, audit_head text, audit_count bigint,
  pause jsonb, vitals jsonb, evidence jsonb, state json, drift json, stats jsonb, prediction json, consume uuid[],
  outcomes json, events json, idempotency json`;

/**
 * Commits many agents' changes at once: one statement, so one transaction.
 *
 * Rows are locked in id order before anything is written, so that two nodes' batches cannot deadlock (design 3.4). A
 * change whose expected sequence is no longer the stored one writes nothing at all: every insert joins `head`, which
 * holds only the agents whose compare-and-set succeeded; those are returned.
 *
 * One JSON parameter instead of an array per column: measured equal in speed (spec experiments, section 2), and rows of
 * different kinds travel with the change they belong to.
 */
export const commitChanges = (commits: readonly AgentCommit[]): Statement => ({
  name: 'agents.commit',
  text: `
    WITH input AS MATERIALIZED (
      SELECT * FROM json_to_recordset($1::json) AS i (${COMMIT_FIELDS})
    ), locked AS MATERIALIZED (
      SELECT agent_id FROM core.identities
      WHERE agent_id = ANY (ARRAY(SELECT agent_id FROM input)) ORDER BY agent_id FOR NO KEY UPDATE
    ), head AS (
      UPDATE core.identities d
      SET sequence = d.sequence + 1, updated_at = i.at, status = i.status, last_activity_at = i.activity,
          update_count = i.updates, node_index = i.node_index, active_session_key = i.session_key,
          audit_head = i.audit_head, audit_count = i.audit_count, pause = i.pause, vitals = i.vitals,
          evidence = coalesce(i.evidence, d.evidence)
      FROM locked l JOIN input i ON i.agent_id = l.agent_id
      WHERE d.agent_id = l.agent_id AND d.sequence = i.expected
      RETURNING d.agent_id, d.sequence
    ), done AS MATERIALIZED (
      SELECT i.*, h.sequence FROM head h JOIN input i ON i.agent_id = h.agent_id
    ), agents AS (
      UPDATE core.agents a SET status = d.agent_status, label = d.label, updated_at = d.at
      FROM done d
      WHERE a.id = d.agent_id AND (a.status <> d.agent_status OR a.label IS DISTINCT FROM d.label)
    ), state AS (
      INSERT INTO core.agent_state (identity_id, recorded_at, integrity, entropy, volatility, coherence, risk_score,
        regime, epistemic_class, state_json, sequence, update_index)
      SELECT d.identity_id, d.at, s.integrity, s.entropy, s.volatility, s.coherence, s.risk, s.regime,
             s."epistemicClass", s.json, d.sequence, d.updates
      FROM done d, json_to_record(d.state) AS s (integrity float8, entropy float8, volatility float8, coherence float8,
        risk float8, regime text, "epistemicClass" text, json jsonb)
      WHERE d.state IS NOT NULL
    ), drift AS (
      INSERT INTO core.agent_baselines (agent_id, baseline_coherence, baseline_confidence, baseline_complexity,
        prev_coherence, prev_confidence, prev_complexity, recent_decisions, decision_consistency, update_count, alpha,
        updated_at)
      SELECT d.agent_id, b.baseline_coherence, b.baseline_confidence, b.baseline_complexity, b.prev_coherence,
             b.prev_confidence, b.prev_complexity, b.recent_decisions, b.decision_consistency, b.update_count, b.alpha,
             d.at
      FROM done d, json_to_record(d.drift) AS b (baseline_coherence float8, baseline_confidence float8,
        baseline_complexity float8, prev_coherence float8, prev_confidence float8, prev_complexity float8,
        recent_decisions text[], decision_consistency float8, update_count int, alpha float8)
      WHERE d.drift IS NOT NULL
      ON CONFLICT (agent_id) DO UPDATE SET
        baseline_coherence = excluded.baseline_coherence, baseline_confidence = excluded.baseline_confidence,
        baseline_complexity = excluded.baseline_complexity, prev_coherence = excluded.prev_coherence,
        prev_confidence = excluded.prev_confidence, prev_complexity = excluded.prev_complexity,
        recent_decisions = excluded.recent_decisions, decision_consistency = excluded.decision_consistency,
        update_count = excluded.update_count, alpha = excluded.alpha, updated_at = excluded.updated_at
    ), behaviour AS (
      INSERT INTO core.agent_behavioral_baselines (agent_id, stats, updated_at)
      SELECT agent_id, stats, at FROM done WHERE stats IS NOT NULL
      ON CONFLICT (agent_id) DO UPDATE SET stats = excluded.stats, updated_at = excluded.updated_at
    ), prediction AS (
      INSERT INTO core.predictions (prediction_id, agent_id, update_index, state_sequence, confidence, source, created_at,
        expires_at)
      SELECT p.id, d.agent_id, d.updates, d.sequence, p.confidence, p.source, d.at, p.expires
      FROM done d, json_to_record(d.prediction) AS p (id uuid, confidence float8, source text, expires timestamptz)
      WHERE d.prediction IS NOT NULL
    ), consumed AS (
      UPDATE core.predictions p SET consumed_at = d.at
      FROM done d WHERE d.consume IS NOT NULL AND p.prediction_id = ANY (d.consume) AND p.agent_id = d.agent_id
    ), outcome AS (
      INSERT INTO audit.outcome_events (ts, outcome_id, agent_id, session_id, outcome_type, outcome_score, is_bad,
        eisv_e, eisv_i, eisv_s, eisv_v, eisv_verdict, eisv_coherence, eisv_regime, detail, verification_source,
        prediction_id, prediction_source, update_index, confidence, corroboration_grade, evidence_weight, graded)
      SELECT d.at, o."outcomeId", d.agent_id, o."sessionKey", o.type, o.score, o."isBad",
             (o.vitals->>'E')::float8, (o.vitals->>'I')::float8, (o.vitals->>'S')::float8, (o.vitals->>'V')::float8,
             o.vitals->>'verdict', CASE WHEN o.vitals IS NOT NULL THEN 0.5 END, o.vitals->>'regime', o.detail,
             o."verificationSource", o."predictionId", o."predictionSource", o."updateIndex", o.confidence, o.grade,
             o.weight, o.graded
      FROM done d, json_to_recordset(d.outcomes) AS o ("outcomeId" uuid, "sessionKey" text, type text, score float8,
        "isBad" boolean, detail jsonb, "verificationSource" text, "predictionId" uuid, "predictionSource" text,
        "updateIndex" bigint, confidence float8, grade text, weight float8, graded boolean, vitals jsonb)
      WHERE d.outcomes IS NOT NULL
    ), trail AS (
      INSERT INTO audit.events (ts, event_id, agent_id, session_id, event_type, payload, raw_hash, chain_index, prev_hash)
      SELECT e.ts, e."eventId", d.agent_id, d.session_key, e.type, e.payload, e.hash, e."chainIndex", e."prevHash"
      FROM done d, json_to_recordset(d.events) AS e (ts timestamptz, "eventId" uuid, type text, payload jsonb, hash text,
        "chainIndex" bigint, "prevHash" text)
    ), kept AS (
      INSERT INTO core.idempotency_keys (agent_id, key, request_hash, reply, created_at)
      SELECT d.agent_id, k.key, k."requestHash", k.reply, d.at
      FROM done d, json_to_record(d.idempotency) AS k (key text, "requestHash" text, reply jsonb)
      WHERE d.idempotency IS NOT NULL
    )
    SELECT agent_id FROM head`,
  values: [JSON.stringify(commits.map(commitJson))],
});

const iso = (ms: number) => new Date(ms).toISOString();

/** core.agents knows three states only; everything that cannot act counts as archived there. */
const agentStatus = (status: AgentHead['status']): string => {
  if (status === 'paused' || status === 'archived') return status;
  return status === 'active' || status === 'waiting_input' ? 'active' : 'archived';
};

const commitJson = ({ before, after, change, audit }: AgentCommit) => ({
  agent_id: after.agentId,
  identity_id: after.identityId,
  expected: before.sequence,
  at: iso(change.at),
  status: after.status,
  agent_status: agentStatus(after.status),
  label: after.label,
  activity: after.lastActivityAt === null ? null : iso(after.lastActivityAt),
  updates: after.updateCount,
  node_index: after.nodeIndex,
  session_key: after.activeSessionKey,
  audit_head: after.auditHead,
  audit_count: after.auditCount,
  pause: after.pause,
  vitals: after.vitals,
  evidence: change.evidence,
  state: change.state,
  drift: change.driftBaseline,
  stats: change.behaviouralStats,
  prediction: change.prediction && {
    id: change.prediction.predictionId,
    confidence: change.prediction.confidence,
    source: change.prediction.source,
    expires: iso(change.prediction.expiresAt),
  },
  consume: change.consume?.length ? change.consume : undefined,
  outcomes: change.outcomes?.length ? change.outcomes : undefined,
  events: audit,
  idempotency: change.idempotency,
});

/** Locks agents in id order; waits for a commit that an abandoned connection may still be doing. */
export const lockAgents = (agentIds: readonly string[]): Statement => ({
  text: `SELECT agent_id FROM core.identities WHERE agent_id = ANY($1::text[]) ORDER BY agent_id FOR NO KEY UPDATE`,
  values: [agentIds],
});

/** Which of these audit rows exist. */
export const selectWitnesses = (rows: readonly AuditRow[]): Statement => ({
  text: `SELECT e.event_id FROM unnest($1::timestamptz[], $2::uuid[]) AS w (ts, event_id)
         JOIN audit.events e ON e.ts = w.ts AND e.event_id = w.event_id`,
  values: [rows.map((row) => row.ts), rows.map((row) => row.eventId)],
});

/**
 * Uses up the sequence that an unfinished commit expects, so that it matches zero rows if it is still on its way
 * (design 3.3).
 */
export const fenceAgents = (agentIds: readonly string[]): Statement => ({
  text: `UPDATE core.identities SET sequence = sequence + 1 WHERE agent_id = ANY($1::text[])`,
  values: [agentIds],
});

/** A new agent: both rows, its first audit row and its empty behavioural baseline. Returns its head. */
export const insertAgent = (agent: {
  agentId: string;
  label: string | null;
  purpose: string | null;
  parentAgentId: string | null;
  spawnReason: string | null;
  metadata: Readonly<Record<string, unknown>>;
  at: number;
  trail: AuditRow;
}): Statement => ({
  name: 'agents.insert',
  text: `
    WITH agent AS (
      INSERT INTO core.agents (id, label, purpose, parent_agent_id, spawn_reason, created_at, updated_at)
      VALUES ($1, $2, $3, $4, $5, $6::timestamptz, $6::timestamptz) RETURNING id, label, purpose
    ), trail AS (
      INSERT INTO audit.events (ts, event_id, agent_id, event_type, payload, raw_hash, chain_index, prev_hash)
      VALUES ($8::timestamptz, $9::uuid, $1, $10, $11::jsonb, $12, $13, $14)
    ), behaviour AS (
      INSERT INTO core.agent_behavioral_baselines (agent_id, updated_at) SELECT id, $6::timestamptz FROM agent
    ), identity AS (
      INSERT INTO core.identities (agent_id, created_at, updated_at, parent_agent_id, spawn_reason, metadata,
        provisional_lineage, lineage_declared_at, audit_head, audit_count)
      SELECT id, $6::timestamptz, $6::timestamptz, $4, $5, $7::jsonb, $4::text IS NOT NULL,
             CASE WHEN $4::text IS NOT NULL THEN $6::timestamptz END, $12, $13 FROM agent
      RETURNING *
    )
    SELECT ${HEAD_COLUMNS} FROM identity i JOIN agent a ON a.id = i.agent_id`,
  values: [
    agent.agentId,
    agent.label,
    agent.purpose,
    agent.parentAgentId,
    agent.spawnReason,
    iso(agent.at),
    JSON.stringify(agent.metadata),
    agent.trail.ts,
    agent.trail.eventId,
    agent.trail.type,
    JSON.stringify(agent.trail.payload),
    agent.trail.hash,
    agent.trail.chainIndex,
    agent.trail.prevHash,
  ],
});

/** The answer kept under an idempotency key. */
export const selectIdempotent = (agentId: string, key: string): Statement => ({
  name: 'agents.idempotent',
  text: `SELECT request_hash, reply FROM core.idempotency_keys WHERE agent_id = $1 AND key = $2`,
  values: [agentId, key],
});

/** Claims long expired and answers nobody repeats any more; both are working data, the record stands in audit. */
export const pruneWorkingData = (now: number): readonly Statement[] => [
  { text: `DELETE FROM core.predictions WHERE expires_at < $1::timestamptz`, values: [iso(now - 7 * 86_400_000)] },
  { text: `DELETE FROM core.idempotency_keys WHERE created_at < $1::timestamptz`, values: [iso(now - 86_400_000)] },
];
