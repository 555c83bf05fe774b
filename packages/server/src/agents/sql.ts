import type { Statement } from '../postgres/index.ts';
import { iso, type Ground } from '../runtime/index.ts';
import type { AgentHead, Lineage } from './agent.ts';
import type { AuditDraft, AuditRow } from './audit-chain.ts';
import { packVitals, unpackVitals, type StoredVitals } from './stored-vitals.ts';
import type { AgentChange, AgentCommit, DriftBaselineRow, OutcomeRow } from './change.ts';

const HEAD_COLUMNS = `
  i.agent_id, i.identity_id, a.label, a.purpose, i.status, i.parent_agent_id, i.created_at, i.last_activity_at,
  i.sequence, i.update_count, i.node_index, i.active_session_key, i.audit_head, i.audit_count, i.pause, i.vitals,
  i.metadata ->> 'public_agent_id' AS handle, a.tags, i.spawn_reason, a.thread_id, a.thread_position, i.archive,
  i.lineage_declared_at, i.provisional_lineage, i.provisional_score_id, i.provisional_recorded_at, i.confirmed_at,
  i.lineage_demoted_at, i.lineage_archived_at, i.lineage_last_eval_at, i.chain_obs_count, i.conditions,
  c.expected_launchd_label AS claim_unit, c.expected_executable_path AS claim_executable`;

const HEAD_TABLES = `core.identities i
         JOIN core.agents a ON a.id = i.agent_id
         LEFT JOIN core.substrate_claims c ON c.agent_id = i.agent_id`;

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
  readonly vitals: StoredVitals;
  readonly handle: string | null;
  readonly tags: readonly string[] | null;
  readonly spawn_reason: string | null;
  readonly thread_id: string | null;
  readonly thread_position: number | null;
  readonly archive: AgentHead['archive'];
  readonly lineage_declared_at: number | null;
  readonly provisional_lineage: boolean;
  readonly provisional_score_id: string | null;
  readonly provisional_recorded_at: number | null;
  readonly confirmed_at: number | null;
  readonly lineage_demoted_at: number | null;
  readonly lineage_archived_at: number | null;
  readonly lineage_last_eval_at: number | null;
  readonly chain_obs_count: number;
  readonly conditions: AgentHead['conditions'];
  readonly claim_unit: string | null;
  readonly claim_executable: string | null;
}

const time = (ms: number | null): string | null => (ms === null ? null : iso(ms));
const NO_TAGS: readonly string[] = Object.freeze([]);
const NO_CONDITIONS: AgentHead['conditions'] = Object.freeze([]);

/** What most agents have: no declared parent. Shared, since a fleet in memory would otherwise hold it once per agent. */
const NO_LINEAGE: Lineage = Object.freeze({
  declared_at: null,
  provisional: false,
  score_id: null,
  recorded_at: null,
  confirmed_at: null,
  demoted_at: null,
  archived_at: null,
  last_eval_at: null,
  chain_obs_count: 0,
});

const lineageFromRow = (row: HeadRow): Lineage =>
  row.lineage_declared_at === null &&
  row.lineage_archived_at === null &&
  row.lineage_demoted_at === null &&
  row.lineage_last_eval_at === null &&
  !row.provisional_lineage
    ? NO_LINEAGE
    : {
        declared_at: time(row.lineage_declared_at),
        provisional: row.provisional_lineage,
        score_id: row.provisional_score_id,
        recorded_at: time(row.provisional_recorded_at),
        confirmed_at: time(row.confirmed_at),
        demoted_at: time(row.lineage_demoted_at),
        archived_at: time(row.lineage_archived_at),
        last_eval_at: time(row.lineage_last_eval_at),
        chain_obs_count: row.chain_obs_count,
      };

/** The handle of an agent that was born before handles were stored. */
const oldHandle = (row: HeadRow): string =>
  `Agent_${iso(row.created_at).slice(0, 10).replaceAll('-', '')}_${row.agent_id.slice(0, 8)}`;

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
  vitals: unpackVitals(row.vitals),
  handle: row.handle ?? oldHandle(row),
  tags: row.tags === null || row.tags.length === 0 ? NO_TAGS : row.tags,
  spawnReason: row.spawn_reason,
  threadId: row.thread_id,
  threadPosition: row.thread_position,
  archive: row.archive,
  lineage: lineageFromRow(row),
  conditions: row.conditions.length === 0 ? NO_CONDITIONS : row.conditions,
  substrate: row.claim_executable === null ? null : { unit: row.claim_unit, executable: row.claim_executable },
});

/** Every agent that can still act or be looked at. */
export const selectHeads = (): Statement => ({
  text: `SELECT ${HEAD_COLUMNS} FROM ${HEAD_TABLES}
         WHERE i.status <> 'deleted'`,
});

export const selectHeadsOf = (agentIds: readonly string[]): Statement => ({
  name: 'agents.heads_of',
  text: `SELECT ${HEAD_COLUMNS} FROM ${HEAD_TABLES}
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
         FROM ${HEAD_TABLES}
         LEFT JOIN core.agent_baselines b ON b.agent_id = i.agent_id
         LEFT JOIN LATERAL (
           SELECT state_json FROM core.agent_state
           WHERE identity_id = i.identity_id AND NOT synthetic ORDER BY sequence DESC LIMIT 1
         ) s ON true
         WHERE i.agent_id = $1`,
  values: [agentId],
});

const json = (value: unknown) => (value === undefined || value === null ? null : JSON.stringify(value));

/** core.agents knows three states only; everything that cannot act counts as archived there. */
const agentStatus = (status: AgentHead['status']): string => {
  if (status === 'paused' || status === 'archived') return status;
  return status === 'active' || status === 'waiting_input' ? 'active' : 'archived';
};

/** A column of a batch: its name and type in SQL, and its value for one row. */
type Column<Row> = readonly [name: string, type: string, value: (row: Row) => unknown];

/** Rows of which a change may have several, with the agent they belong to. */
interface Rows<Row = never> {
  readonly alias: string;
  readonly columns: readonly Column<Row & { readonly agentId: string }>[];
  of(commit: AgentCommit): readonly Row[];
}

/** One kind of write in a commit. A flush carries only the parts that some change in it needs. */
interface Part {
  readonly name: string;
  needed(commit: AgentCommit): boolean;
  /** Columns of which a change has one value. */
  readonly columns?: readonly Column<AgentCommit>[];
  readonly rows?: Rows;
  /** Reads from `input` the agents whose change must not be made, under this name and before anything is written. */
  readonly except?: { readonly name: string; readonly sql: string };
  /** What the part adds to the update of core.identities `d` from `input` `i`; a row is updated once in a statement. */
  readonly set?: string;
  /** The part only says which changes are not to be written: its expression stands before all others. */
  readonly guard?: true;
  /** The part's common table expressions; `rows` is the source of its own rows. They join or read `done`. */
  sql(rows: string): string;
}

const HEAD: readonly Column<AgentCommit>[] = [
  ['agent_id', 'text', ({ after }) => after.agentId],
  ['identity_id', 'bigint', ({ after }) => after.identityId],
  ['expected', 'bigint', ({ before }) => before.sequence],
  ['at', 'timestamptz', ({ change }) => iso(change.at)],
  ['status', 'text', ({ after }) => after.status],
  ['activity', 'timestamptz', ({ after }) => (after.lastActivityAt === null ? null : iso(after.lastActivityAt))],
  ['updates', 'bigint', ({ after }) => after.updateCount],
  ['node_index', 'int', ({ after }) => after.nodeIndex],
  ['session_key', 'text', ({ after }) => after.activeSessionKey],
  ['audit_head', 'text', ({ after }) => after.auditHead],
  ['audit_count', 'bigint', ({ after }) => after.auditCount],
  ['pause', 'jsonb', ({ after }) => json(after.pause)],
  ['vitals', 'jsonb', ({ after }) => json(packVitals(after.vitals))],
  ['evidence', 'jsonb', ({ change }) => json(change.evidence)],
];

/** Whether a change touches what core.agents alone holds. */
const changesProfile = (change: AgentChange): boolean =>
  change.archive !== undefined ||
  change.handle !== undefined ||
  change.purpose !== undefined ||
  change.tags !== undefined ||
  change.notes !== undefined ||
  change.metadata !== undefined ||
  change.conditions !== undefined ||
  change.parentAgentId !== undefined;

const metadataOf = ({ metadata, handle }: AgentChange): Readonly<Record<string, unknown>> | undefined =>
  metadata === undefined && handle === undefined
    ? undefined
    : { ...metadata, ...(handle !== undefined && { public_agent_id: handle, agent_id: handle }) };

const rowsOf = <Row>(rows: Rows<Row>): Rows => rows as unknown as Rows;

/**
 * Which grounds of a source `g (agent_id, kind, key, is_so)` are no longer so. A credential is looked up by its primary key,
 * and so is the agent of a hold.
 */
const brokenOf = (rows: string): string => `
      SELECT g.agent_id, g.kind, g.key FROM ${rows}
      WHERE NOT CASE g.kind
        WHEN 'credential' THEN EXISTS (
          SELECT FROM core.bindings b
          WHERE b.credential_hash = g.key AND b.revoked_at IS NULL AND b.agent_id IS NOT DISTINCT FROM g.is_so)
        ELSE EXISTS (
          SELECT FROM core.identities h
          WHERE h.agent_id = g.key AND g.is_so IS NOT DISTINCT FROM
            CASE WHEN h.status IN ('archived', 'disabled', 'deleted') THEN NULL
                 ELSE coalesce(h.pause ->> 'actuation_id', CASE h.status WHEN 'paused' THEN 'paused' END) END)
      END`;

/** The grounds that are lost, for a write that no commit statement of ours carries; rows are {@link CommittedRow}s. */
export const selectBroken = (grounds: readonly Ground[]): Statement => ({
  name: 'agents.broken_grounds',
  text: `SELECT agent_id, kind AS lost, key FROM (${brokenOf(
    `(SELECT NULL AS agent_id, * FROM unnest($1::text[], $2::text[], $3::text[]) AS u (kind, key, is_so)) g`,
  )}) lost`,
  values: [grounds.map(({ kind }) => kind), grounds.map(({ key }) => key), grounds.map((ground) => ground.is)],
});

const PARTS: readonly Part[] = [
  {
    name: 'grounds',
    needed: ({ grounds }) => grounds.length > 0,
    guard: true,
    rows: rowsOf<Ground>({
      alias: 'g',
      of: ({ grounds }) => grounds,
      columns: [
        ['agent_id', 'text', (row) => row.agentId],
        ['kind', 'text', (row) => row.kind],
        ['key', 'text', (row) => row.key],
        ['is_so', 'text', (row) => row.is],
      ],
    }),
    sql: (rows) => `broken AS MATERIALIZED (${brokenOf(rows)}
    ), `,
  },
  {
    name: 'trail',
    needed: () => true,
    rows: rowsOf<AuditRow>({
      alias: 'e',
      of: ({ audit }) => audit,
      columns: [
        ['agent_id', 'text', (row) => row.agentId],
        ['ts', 'timestamptz', (row) => row.ts],
        ['event_id', 'uuid', (row) => row.eventId],
        ['event_type', 'text', (row) => row.type],
        ['payload', 'jsonb', (row) => json(row.payload)],
        ['hash', 'text', (row) => row.hash],
        ['chain_index', 'bigint', (row) => row.chainIndex],
        ['prev_hash', 'text', (row) => row.prevHash],
      ],
    }),
    sql: (rows) => `trail AS (
      INSERT INTO audit.events (ts, event_id, agent_id, session_id, event_type, payload, raw_hash, chain_index, prev_hash)
      SELECT e.ts, e.event_id, d.agent_id, d.session_key, e.event_type, e.payload, e.hash, e.chain_index, e.prev_hash
      FROM ${rows} JOIN done d ON d.agent_id = e.agent_id
    )`,
  },
  {
    name: 'agent',
    needed: ({ before, after, change }) =>
      before.status !== after.status || before.label !== after.label || changesProfile(change),
    columns: [
      ['agent_status', 'text', ({ after }) => agentStatus(after.status)],
      ['label', 'text', ({ after }) => after.label],
      ['purpose', 'text', ({ after }) => after.purpose],
      // As text, for the reason given at `decisions`; null leaves them.
      ['tags', 'text', ({ change }) => json(change.tags)],
      ['notes', 'text', ({ change }) => change.notes],
      ['parent', 'text', ({ after }) => after.parentAgentId],
      ['spawn_reason', 'text', ({ after }) => after.spawnReason],
      ['archive', 'jsonb', ({ after }) => json(after.archive)],
      ['metadata', 'jsonb', ({ change }) => json(metadataOf(change))],
      ['conditions', 'jsonb', ({ change }) => json(change.conditions)],
    ],
    set: `, archive = i.archive, parent_agent_id = i.parent, spawn_reason = i.spawn_reason,
          metadata = d.metadata || coalesce(i.metadata, '{}'), conditions = coalesce(i.conditions, d.conditions)`,
    sql: () => `agents AS (
      UPDATE core.agents a
      SET status = d.agent_status, label = d.label, purpose = d.purpose, notes = coalesce(d.notes, a.notes),
          tags = CASE WHEN d.tags IS NULL THEN a.tags ELSE ARRAY (SELECT jsonb_array_elements_text(d.tags::jsonb)) END,
          parent_agent_id = d.parent, spawn_reason = d.spawn_reason,
          archived_at = CASE WHEN d.archive IS NULL THEN NULL ELSE (d.archive ->> 'at')::timestamptz END,
          updated_at = d.at
      FROM done d
      WHERE a.id = d.agent_id AND (a.status, a.label, a.purpose, a.parent_agent_id, a.archived_at IS NULL)
              IS DISTINCT FROM (d.agent_status, d.label, d.purpose, d.parent, d.archive IS NULL)
         OR a.id = d.agent_id AND (d.tags IS NOT NULL OR d.notes IS NOT NULL)
    )`,
  },
  {
    name: 'lineage',
    needed: ({ change }) => change.lineage !== undefined,
    columns: [
      ['l_declared', 'timestamptz', ({ after }) => after.lineage.declared_at],
      ['l_provisional', 'boolean', ({ after }) => after.lineage.provisional],
      ['l_score', 'uuid', ({ after }) => after.lineage.score_id],
      ['l_recorded', 'timestamptz', ({ after }) => after.lineage.recorded_at],
      ['l_confirmed', 'timestamptz', ({ after }) => after.lineage.confirmed_at],
      ['l_demoted', 'timestamptz', ({ after }) => after.lineage.demoted_at],
      ['l_archived', 'timestamptz', ({ after }) => after.lineage.archived_at],
      ['l_evaluated', 'timestamptz', ({ after }) => after.lineage.last_eval_at],
      ['l_chain', 'int', ({ after }) => after.lineage.chain_obs_count],
      ['l_row', 'jsonb', ({ change }) => json(change.lineageScore)],
    ],
    set: `, lineage_declared_at = i.l_declared, provisional_lineage = i.l_provisional, provisional_score_id = i.l_score,
          provisional_recorded_at = i.l_recorded, confirmed_at = i.l_confirmed, lineage_demoted_at = i.l_demoted,
          lineage_archived_at = i.l_archived, lineage_last_eval_at = i.l_evaluated, chain_obs_count = i.l_chain`,
    sql: () => `score AS (
      INSERT INTO audit.r1_score_audit (score_id, parent_id, successor_id, recorded_at, plausibility, components,
        observations, parent_mature, reasons)
      SELECT (l_row ->> 'score_id')::uuid, l_row ->> 'parent_id', agent_id, at, l_row ->> 'plausibility',
             l_row -> 'components', (l_row ->> 'observations')::int, (l_row ->> 'parent_mature')::boolean,
             ARRAY (SELECT jsonb_array_elements_text(l_row -> 'reasons'))
      FROM done WHERE l_row IS NOT NULL
    )`,
  },
  {
    name: 'checkin',
    needed: ({ change }) => change.state !== undefined,
    columns: [
      ['state_json', 'jsonb', ({ change }) => json(change.state?.json)],
      ['integrity', 'float8', ({ change }) => change.state?.integrity],
      ['entropy', 'float8', ({ change }) => change.state?.entropy],
      ['volatility', 'float8', ({ change }) => change.state?.volatility],
      ['coherence', 'float8', ({ change }) => change.state?.coherence],
      ['risk', 'float8', ({ change }) => change.state?.risk],
      ['regime', 'text', ({ change }) => change.state?.regime],
      ['epistemic_class', 'text', ({ change }) => change.state?.epistemicClass],
      ['b_coherence', 'float8', ({ change }) => change.driftBaseline?.baseline_coherence],
      ['b_confidence', 'float8', ({ change }) => change.driftBaseline?.baseline_confidence],
      ['b_complexity', 'float8', ({ change }) => change.driftBaseline?.baseline_complexity],
      ['p_coherence', 'float8', ({ change }) => change.driftBaseline?.prev_coherence],
      ['p_confidence', 'float8', ({ change }) => change.driftBaseline?.prev_confidence],
      ['p_complexity', 'float8', ({ change }) => change.driftBaseline?.prev_complexity],
      // An array of arrays would have to be rectangular; the words are plain, so a joined text carries them.
      ['decisions', 'text', ({ change }) => change.driftBaseline?.recent_decisions.join(',')],
      ['consistency', 'float8', ({ change }) => change.driftBaseline?.decision_consistency],
      ['b_updates', 'int', ({ change }) => change.driftBaseline?.update_count],
      ['alpha', 'float8', ({ change }) => change.driftBaseline?.alpha],
      ['stats', 'jsonb', ({ change }) => json(change.behaviouralStats)],
      ['prediction_id', 'uuid', ({ change }) => change.prediction?.predictionId],
      ['claim', 'float8', ({ change }) => change.prediction?.confidence],
      ['claim_source', 'text', ({ change }) => change.prediction?.source],
      ['claim_expires', 'timestamptz', ({ change }) => change.prediction && iso(change.prediction.expiresAt)],
    ],
    sql: () => `state AS (
      INSERT INTO core.agent_state (identity_id, recorded_at, integrity, entropy, volatility, coherence, risk_score,
        regime, epistemic_class, state_json, sequence, update_index)
      SELECT identity_id, at, integrity, entropy, volatility, coherence, risk, regime, epistemic_class, state_json,
             sequence, updates
      FROM done WHERE state_json IS NOT NULL
    ), drift AS (
      INSERT INTO core.agent_baselines (agent_id, baseline_coherence, baseline_confidence, baseline_complexity,
        prev_coherence, prev_confidence, prev_complexity, recent_decisions, decision_consistency, update_count, alpha,
        updated_at)
      SELECT agent_id, b_coherence, b_confidence, b_complexity, p_coherence, p_confidence, p_complexity,
             string_to_array(decisions, ','), consistency, b_updates, alpha, at
      FROM done WHERE alpha IS NOT NULL
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
      SELECT prediction_id, agent_id, updates, sequence, claim, claim_source, at, claim_expires
      FROM done WHERE prediction_id IS NOT NULL
    )`,
  },
  {
    name: 'consumed',
    needed: ({ change }) => (change.consume?.length ?? 0) > 0,
    rows: rowsOf<{ readonly predictionId: string }>({
      alias: 'c',
      of: ({ change }) => (change.consume ?? []).map((predictionId) => ({ predictionId })),
      columns: [
        ['agent_id', 'text', (row) => row.agentId],
        ['prediction_id', 'uuid', (row) => row.predictionId],
      ],
    }),
    sql: (rows) => `consumed AS (
      UPDATE core.predictions p SET consumed_at = d.at
      FROM ${rows} JOIN done d ON d.agent_id = c.agent_id
      WHERE p.prediction_id = c.prediction_id AND p.agent_id = d.agent_id
    )`,
  },
  {
    name: 'outcome',
    needed: ({ change }) => (change.outcomes?.length ?? 0) > 0,
    rows: rowsOf<OutcomeRow>({
      alias: 'o',
      of: ({ change }) => change.outcomes ?? [],
      columns: [
        ['agent_id', 'text', (row) => row.agentId],
        ['outcome_id', 'uuid', (row) => row.outcomeId],
        ['session', 'text', (row) => row.sessionKey],
        ['type', 'text', (row) => row.type],
        ['score', 'float8', (row) => row.score],
        ['is_bad', 'boolean', (row) => row.isBad],
        ['detail', 'jsonb', (row) => json(row.detail)],
        ['source', 'text', (row) => row.verificationSource],
        ['prediction_id', 'uuid', (row) => row.predictionId],
        ['prediction_source', 'text', (row) => row.predictionSource],
        ['update_index', 'bigint', (row) => row.updateIndex],
        ['confidence', 'float8', (row) => row.confidence],
        ['grade', 'text', (row) => row.grade],
        ['weight', 'float8', (row) => row.weight],
        ['graded', 'boolean', (row) => row.graded],
        ['e', 'float8', (row) => row.vitals?.E],
        ['i', 'float8', (row) => row.vitals?.I],
        ['s', 'float8', (row) => row.vitals?.S],
        ['v', 'float8', (row) => row.vitals?.V],
        ['verdict', 'text', (row) => row.vitals?.verdict],
        ['regime', 'text', (row) => row.vitals?.regime],
      ],
    }),
    sql: (rows) => `outcome AS (
      INSERT INTO audit.outcome_events (ts, outcome_id, agent_id, session_id, outcome_type, outcome_score, is_bad,
        eisv_e, eisv_i, eisv_s, eisv_v, eisv_verdict, eisv_coherence, eisv_regime, detail, verification_source,
        prediction_id, prediction_source, update_index, confidence, corroboration_grade, evidence_weight, graded)
      SELECT d.at, o.outcome_id, d.agent_id, o.session, o.type, o.score, o.is_bad, o.e, o.i, o.s, o.v, o.verdict,
             CASE WHEN o.e IS NOT NULL THEN 0.5 END, o.regime, o.detail, o.source, o.prediction_id,
             o.prediction_source, o.update_index, o.confidence, o.grade, o.weight, o.graded
      FROM ${rows} JOIN done d ON d.agent_id = o.agent_id
    )`,
  },
  {
    name: 'kept',
    needed: ({ change }) => change.idempotency !== undefined,
    columns: [
      ['key', 'text', ({ change }) => change.idempotency?.key],
      ['request_hash', 'text', ({ change }) => change.idempotency?.requestHash],
      ['reply', 'jsonb', ({ change }) => json(change.idempotency?.reply)],
    ],
    // Asked here and not before: a look of its own would cost every call a round trip, for the few that are repeats.
    except: {
      name: 'repeated',
      sql: `SELECT i.agent_id, k.request_hash, k.reply FROM input i
            JOIN core.idempotency_keys k ON k.agent_id = i.agent_id AND k.key = i.key`,
    },
    sql: () => `kept AS (
      INSERT INTO core.idempotency_keys (agent_id, key, request_hash, reply, created_at)
      SELECT agent_id, key, request_hash, reply, at FROM done WHERE key IS NOT NULL
    )`,
  },
];

/** `unnest` over one array parameter per column, from parameter `first` on. */
const unnest = <Row>(columns: readonly Column<Row>[], alias: string, first: number): string =>
  `unnest(${columns.map(([, type], i) => `$${first + i}::${type}[]`).join(', ')})
      AS ${alias} (${columns.map(([column]) => column).join(', ')})`;

const valuesOf = <Row>(columns: readonly Column<Row>[], rows: readonly Row[]): unknown[] =>
  columns.map(([, , value]) => rows.map((row) => value(row) ?? null));

/**
 * A row of what a commit statement answers: a change that was written, or one that a lost ground kept from it. A change of
 * which no row tells lost its compare-and-set.
 */
export interface CommittedRow {
  readonly agent_id: string;
  /** null: it was written; `repeated`: the call's key was used before, and `key` is the hash of what it was used for. */
  readonly lost: Ground['kind'] | 'repeated' | null;
  readonly key: string | null;
  /** The answer that was kept under a repeated key. */
  readonly reply?: Readonly<Record<string, unknown>> | null;
}

/** The commit statement for one set of parts. */
interface CommitStatement {
  readonly name: string;
  readonly text: string;
  readonly columns: readonly Column<AgentCommit>[];
  readonly rows: readonly Rows[];
}

const buildCommit = (parts: readonly Part[]): CommitStatement => {
  const columns = [...HEAD, ...parts.flatMap((part) => part.columns ?? [])];
  const excepts = parts.flatMap(({ except }) => except ?? []);
  let next = columns.length + 1;
  let guard = '';
  const written = parts.flatMap((part) => {
    if (part.rows === undefined) return [part.sql('')];
    const source = unnest(part.rows.columns, part.rows.alias, next);
    next += part.rows.columns.length;
    if (part.guard !== true) return [part.sql(source)];
    guard = part.sql(source);
    return [];
  });
  const without = [...excepts.map(({ name }) => name), ...(guard === '' ? [] : ['broken'])];
  return {
    name: `agents.commit.${parts.map(({ name }) => name).join('+')}`,
    columns,
    rows: parts.flatMap(({ rows }) => rows ?? []),
    text: `
    WITH input AS MATERIALIZED (
      SELECT * FROM ${unnest(columns, 'i', 1)}
    )${excepts.map(({ name, sql }) => `, ${name} AS MATERIALIZED (${sql})`).join('')}, ${guard}locked AS MATERIALIZED (
      SELECT agent_id FROM core.identities
      WHERE agent_id = ANY ($1::text[]) ORDER BY agent_id FOR NO KEY UPDATE
    ), head AS (
      UPDATE core.identities d
      SET sequence = d.sequence + 1, updated_at = i.at, status = i.status, last_activity_at = i.activity,
          update_count = i.updates, node_index = i.node_index, active_session_key = i.session_key,
          audit_head = i.audit_head, audit_count = i.audit_count, pause = i.pause, vitals = i.vitals,
          evidence = coalesce(i.evidence, d.evidence)${parts.map(({ set }) => set ?? '').join('')}
      FROM locked l JOIN input i ON i.agent_id = l.agent_id
      WHERE d.agent_id = l.agent_id AND d.sequence = i.expected${without
        .map((name) => ` AND NOT EXISTS (SELECT FROM ${name} x WHERE x.agent_id = d.agent_id)`)
        .join('')}
      RETURNING d.agent_id, d.sequence
    ), done AS MATERIALIZED (
      SELECT i.*, h.sequence FROM head h JOIN input i ON i.agent_id = h.agent_id
    ), ${written.join(', ')}
    SELECT agent_id, NULL::text AS lost, NULL::text AS key, NULL::jsonb AS reply FROM head${
      guard === '' ? '' : ` UNION ALL SELECT agent_id, kind, key, NULL FROM broken`
    }${excepts.map(({ name }) => ` UNION ALL SELECT agent_id, '${name}', request_hash, reply FROM ${name}`).join('')}`,
  };
};

const commitStatements = new Map<string, CommitStatement>();

/**
 * Commits many agents' changes at once: one statement, so one transaction.
 *
 * Rows are locked in id order before anything is written, so that two nodes' batches cannot deadlock (design 3.4). A
 * change whose expected sequence is no longer the stored one writes nothing at all: every write reads `done`, which
 * holds only the agents whose compare-and-set succeeded. So does one that stands on a ground that is lost, and one whose
 * idempotency key was used before: its row has the answer that was kept. Keys are written under the lock of their agent alone, and
 * each moves its sequence: who does not see a key yet loses its compare-and-set to the one who wrote it. Answers
 * {@link CommittedRow}s.
 *
 * One array per column: a single JSON parameter reads better and cost PostgreSQL a third more, since every state was
 * parsed twice. Only the parts that a flush needs are in its statement: starting the executor for every table of the
 * schema was most of the price of a flush of one.
 */
export const commitChanges = (commits: readonly AgentCommit[]): Statement => {
  const parts = PARTS.filter((part) => commits.some((commit) => part.needed(commit)));
  const key = parts.map(({ name }) => name).join('+');
  let built = commitStatements.get(key);
  if (built === undefined) commitStatements.set(key, (built = buildCommit(parts)));
  const values = valuesOf(built.columns, commits);
  for (const rows of built.rows) {
    const owned = commits.flatMap((commit) =>
      rows.of(commit).map((row) => ({ ...(row as object), agentId: commit.after.agentId }) as never),
    );
    values.push(...valuesOf(rows.columns, owned));
  }
  return { name: built.name, text: built.text, values };
};

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

/** What an agent is born with. */
export interface Birth {
  /** A name that another agent bears gets the first characters of the new agent's id. */
  readonly label: string | null;
  readonly purpose: string | null;
  readonly handle: string;
  readonly tags: readonly string[];
  readonly parentAgentId: string | null;
  readonly spawnReason: string | null;
  readonly threadId: string;
  readonly lineage: Lineage;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Audit rows beside the one of the birth itself. */
  readonly events: readonly AuditDraft[];
}

/** Statements as parts of one larger statement, whose first `taken` values are its own. */
const asParts = (
  statements: readonly Statement[],
  taken: number,
): { readonly parts: string; readonly values: unknown[] } => {
  const values: unknown[] = [];
  const parts = statements.map(({ text, values: own = [] }, i) => {
    const from = taken + values.length;
    values.push(...own);
    return `part_${i} AS (${text.replace(/\$(\d+)/g, (_, n: string) => `$${from + Number(n)}`)}), `;
  });
  return { parts: parts.join(''), values };
};

/** How many values {@link insertAgent} has of its own. */
const BIRTH_VALUES = 15;

/**
 * A new agent: both rows, its name, which is its own (core.free_label), its place in its thread (BW-identity.11: the row lock
 * of the thread makes it unique), its first audit rows, and what `alongside` writes, all at once. Returns its head.
 */
export const insertAgent = (
  agent: Birth & { agentId: string; at: number; trail: readonly AuditRow[] },
  alongside: readonly Statement[],
): Statement => {
  const { parts, values } = asParts(alongside, BIRTH_VALUES);
  return {
    name: `agents.insert_${alongside.length}`,
    text: `
    WITH ${parts}thread AS (
      INSERT INTO core.threads (thread_id, created_at, next_node_seq) VALUES ($11, $6::timestamptz, 2)
      ON CONFLICT (thread_id) DO UPDATE SET next_node_seq = core.threads.next_node_seq + 1
      RETURNING thread_id, next_node_seq - 1 AS position
    ), a AS (
      INSERT INTO core.agents (id, label, purpose, parent_agent_id, spawn_reason, created_at, updated_at, tags,
        thread_id, thread_position)
      SELECT $1, core.free_label($2, $1), $3, $4, $5, $6::timestamptz, $6::timestamptz, $12::text[], thread_id, position
      FROM thread
      RETURNING id, label, purpose, tags, thread_id, thread_position
    ), trail AS (
      INSERT INTO audit.events (ts, event_id, agent_id, event_type, payload, raw_hash, chain_index, prev_hash)
      SELECT e.ts, e.event_id, $1, e.type, e.payload, e.hash, e.chain_index, e.prev_hash
      FROM jsonb_to_recordset($8::jsonb) AS e (ts timestamptz, event_id uuid, type text, payload jsonb, hash text,
        chain_index bigint, prev_hash text)
    ), i AS (
      INSERT INTO core.identities (agent_id, created_at, updated_at, parent_agent_id, spawn_reason, metadata,
        provisional_lineage, lineage_declared_at, provisional_recorded_at, audit_head, audit_count)
      SELECT id, $6::timestamptz, $6::timestamptz, $4, $5, $7::jsonb, $13, $14::timestamptz, $15::timestamptz, $9, $10
      FROM a
      RETURNING *
    ), c AS (
      SELECT NULL::text AS expected_launchd_label, NULL::text AS expected_executable_path
    )
    SELECT ${HEAD_COLUMNS} FROM i JOIN a ON a.id = i.agent_id CROSS JOIN c`,
    values: [
      agent.agentId,
      agent.label,
      agent.purpose,
      agent.parentAgentId,
      agent.spawnReason,
      iso(agent.at),
      JSON.stringify({ ...agent.metadata, public_agent_id: agent.handle, agent_id: agent.handle }),
      JSON.stringify(
        agent.trail.map((row) => ({
          ts: row.ts,
          event_id: row.eventId,
          type: row.type,
          payload: row.payload,
          hash: row.hash,
          chain_index: row.chainIndex,
          prev_hash: row.prevHash,
        })),
      ),
      agent.trail.at(-1)?.hash ?? '',
      agent.trail.length,
      agent.threadId,
      agent.tags,
      agent.lineage.provisional,
      agent.lineage.declared_at,
      agent.lineage.recorded_at,
      ...values,
    ],
  };
};

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
