import {
  readCoverage,
  recordOf,
  shownRisk,
  standingWord,
  unpackVitals,
  type StoredVitals,
} from '../../agents/index.ts';
import type { ReportWindow } from '../../channel/index.ts';
import type { Statement } from '../../postgres/index.ts';
import type { Row } from './format.ts';

/** One kind of record that can be exported: its columns in their order, and where its rows come from. */
export interface Kind {
  readonly columns: readonly string[];
  /** Rows of the window, each as one JSON object, in a fixed order. */
  statement(window: ReportWindow): Statement;
  /** Makes the row of {@link columns} out of one of PostgreSQL's, where they differ. */
  readonly shape?: (row: Row) => Row;
}

/** A column under its own name, or another expression under a name. */
type Column = string | readonly [name: string, expression: string];

const kind = (from: string, columns: readonly Column[], condition: string, order: string): Kind => ({
  columns: columns.map((column) => (typeof column === 'string' ? column : column[0])),
  statement: ({ from: begin, to }) => ({
    text: `SELECT row_to_json(r) AS row FROM (
             SELECT ${columns.map((column) => (typeof column === 'string' ? column : `${column[1]} AS "${column[0]}"`)).join(', ')}
             FROM ${from} WHERE ${condition} ORDER BY ${order}
           ) r`,
    values: [new Date(begin).toISOString(), new Date(to).toISOString()],
  }),
});

/** Read by {@link agentOf}, and no column of the export. */
const READ_AT = 'read_at_ms';

/** What is read of an agent, under the names that every other face gives it: one rule decides what a paused agent reads. */
const READINGS = [
  'graded',
  'pass_rate',
  'mean_claim',
  'mean_gap',
  'coverage',
  'claims_made',
  'claims_settled',
  'claims_expired',
  'claims_open',
  'claims_unobserved',
  'check_ins_unclaimed',
  'results_ungraded',
  'silence',
] as const;

const agentOf = ({ [READ_AT]: readAt, ...row }: Row): Row => {
  const vitals = unpackVitals(row['vitals'] as StoredVitals);
  const { share, silence, ...counts } = readCoverage(vitals?.coverage, Number(readAt));
  const readings: Readonly<Record<(typeof READINGS)[number], number | null>> = {
    ...recordOf(vitals),
    coverage: share,
    claims_made: counts.made,
    claims_settled: counts.settled,
    claims_expired: counts.expired,
    claims_open: counts.open,
    claims_unobserved: counts.unobserved,
    check_ins_unclaimed: counts.unclaimed,
    results_ungraded: counts.ungraded,
    silence,
  };
  return {
    ...row,
    vitals: vitals && {
      ...vitals,
      risk: shownRisk(vitals),
      risk_word: standingWord(vitals, row['is_paused'] === true),
      coverage: undefined,
    },
    ...readings,
  };
};

/** A count of the claims that a state keeps: zeros are not stored, and states of older releases have none at all. */
const claimsCount = (name: string): string =>
  `CASE WHEN s.state_json ? 'claims' THEN coalesce((s.state_json->'claims'->>'${name}')::float8, 0) END`;

const STATE_READINGS: readonly Column[] = [
  ['graded', `CASE WHEN s.state_json ? 'claims' THEN coalesce((s.state_json->'record'->>'graded')::float8, 0) END`],
  ...(['pass_rate', 'mean_claim'] as const).map((name): Column => [
    name,
    `(s.state_json->'record'->>'${name}')::float8`,
  ]),
  [
    'mean_gap',
    `round((s.state_json->'record'->>'mean_claim')::numeric - (s.state_json->'record'->>'pass_rate')::numeric, 4)::float8`,
  ],
  ['coverage', `${claimsCount('settled')} / nullif(${claimsCount('settled')} + ${claimsCount('expired')}, 0)`],
  ...(['made', 'settled', 'expired'] as const).map((name): Column => [`claims_${name}`, claimsCount(name)]),
  ['claims_unobserved', `${claimsCount('made')} - ${claimsCount('settled')}`],
];

/** Whether a pause holds it, its own or that of an agent that it descends from, as `holdOf` decides it in memory. */
const IS_PAUSED = `(
  WITH RECURSIVE line(id) AS (
    SELECT a.id
    UNION SELECT child.parent_agent_id FROM line JOIN core.agents child ON child.id = line.id
      WHERE child.parent_agent_id IS NOT NULL
  )
  SELECT coalesce(bool_or(held.status NOT IN ('archived', 'disabled', 'deleted') AND CASE
    WHEN jsonb_typeof(held.pause) = 'object' THEN coalesce((held.pause->>'expires_at')::timestamptz >= now(), true)
    ELSE held.status = 'paused' END), false)
  FROM line JOIN core.identities held ON held.agent_id = line.id)`;

const shaped = (base: Kind, readings: readonly string[], shape: (row: Row) => Row): Kind => ({
  ...base,
  columns: [...base.columns.filter((column) => column !== READ_AT), ...readings],
  shape,
});

const within = (column: string): string => `${column} >= $1::timestamptz AND ${column} < $2::timestamptz`;

/**
 * What can be exported. Columns are named one by one, so that a secret that a table gets is never exported by being
 * forgotten: keys, their hashes and session ids are in none of them.
 */
export const KINDS = {
  /** Those that were there in the window: made before its end, and made or active since its begin. */
  agents: shaped(
    kind(
      'core.agents a JOIN core.identities i ON i.agent_id = a.id',
      [
        ['agent_id', 'a.id'],
        ['name', 'a.label'],
        ['status', 'i.status'],
        // While a saga holds the agent, what is read of it may be about to change (W3-9.20).
        ['is_stable', 'NOT EXISTS (SELECT FROM coordination.saga_reservations held WHERE held.agent_id = a.id)'],
        ['is_paused', IS_PAUSED],
        'purpose',
        'notes',
        'tags',
        ['parent_agent_id', 'a.parent_agent_id'],
        ['spawn_reason', 'a.spawn_reason'],
        ['created_at', 'a.created_at'],
        ['last_activity_at', 'i.last_activity_at'],
        ['archived_at', 'a.archived_at'],
        ['check_ins', 'i.update_count'],
        ['pause', 'i.pause'],
        ['archive', 'i.archive'],
        ['vitals', 'i.vitals'],
        ['conditions', 'i.conditions'],
        ['audit_rows', 'i.audit_count'],
        ['audit_head', 'i.audit_head'],
        [READ_AT, '(extract(epoch FROM now()) * 1000)::float8'],
      ],
      'a.created_at < $2::timestamptz AND greatest(a.created_at, i.last_activity_at) >= $1::timestamptz',
      'a.created_at, a.id',
    ),
    READINGS,
    agentOf,
  ),
  states: kind(
    'core.agent_state s JOIN core.identities i ON i.identity_id = s.identity_id',
    [
      'recorded_at',
      ['agent_id', 'i.agent_id'],
      ['sequence', 's.sequence'],
      ['check_in', 's.update_index'],
      ['E', 's.entropy'],
      ['I', 's.integrity'],
      ['S', 's.stability_index'],
      ['V', 's.volatility'],
      'coherence',
      ['risk', 's.risk_score'],
      'regime',
      'epistemic_class',
      'synthetic',
      ['epoch', 's.epoch'],
      // What its claims had come to at that check-in; null in rows of older versions.
      ...STATE_READINGS,
      ['state', `s.state_json - 'record' - 'claims'`],
    ],
    within('s.recorded_at'),
    's.state_id',
  ),
  outcomes: kind(
    'audit.outcome_events',
    [
      'ts',
      'outcome_id',
      'agent_id',
      'outcome_type',
      'outcome_score',
      'is_bad',
      ['E', 'eisv_e'],
      ['I', 'eisv_i'],
      ['S', 'eisv_s'],
      ['V', 'eisv_v'],
      ['verdict', 'eisv_verdict'],
      ['coherence', 'eisv_coherence'],
      ['regime', 'eisv_regime'],
      'verification_source',
      'prediction_id',
      'prediction_source',
      ['check_in', 'update_index'],
      'confidence',
      'corroboration_grade',
      'evidence_weight',
      'graded',
      'epoch',
      'detail',
    ],
    within('ts'),
    'ts, outcome_id',
  ),
  audit: kind(
    'audit.events',
    [
      'ts',
      'event_id',
      'agent_id',
      'event_type',
      ['index', 'chain_index'],
      ['previous_hash', 'prev_hash'],
      ['hash', 'raw_hash'],
      'confidence',
      'payload',
    ],
    within('ts'),
    'ts, event_id',
  ),
  reviews: kind(
    'core.dialectic_sessions s',
    [
      ['review_id', 'session_id'],
      ['agent_id', 'paused_agent_id'],
      'reviewer_agent_id',
      'phase',
      'session_type',
      'topic',
      'reason',
      'trigger_source',
      ['round', 'synthesis_round'],
      ['max_rounds', 'max_synthesis_rounds'],
      'awaiting_facilitation',
      'created_at',
      'updated_at',
      'last_participant_at',
      ['resolution', 'resolution_json'],
      [
        'messages',
        `(SELECT coalesce(json_agg(json_build_object('at', m."timestamp", 'author', m.agent_id, 'kind', m.message_type,
           'root_cause', m.root_cause, 'conditions', m.proposed_conditions, 'reasoning', m.reasoning,
           'concerns', m.concerns, 'proposed_action', m.proposed_action, 'agrees', m.agrees, 'refused', m.refused)
           ORDER BY m.message_id), '[]') FROM core.dialectic_messages m WHERE m.session_id = s.session_id)`,
      ],
    ],
    within('s.created_at'),
    's.created_at, s.session_id',
  ),
  knowledge: kind(
    'knowledge.discoveries',
    [
      'id',
      'agent_id',
      'type',
      'severity',
      'status',
      'created_at',
      'updated_at',
      'resolved_at',
      'summary',
      'details',
      'tags',
      ['related_files', 'references_files'],
      'related_to',
      'response_to_id',
      'response_type',
      'confidence',
      'superseded_by',
      'resolution_notes',
      'resolved_by',
      'closure_class',
      'closure_evidence',
      'archived_at',
    ],
    within('created_at'),
    'created_at, id',
  ),
} as const satisfies Record<string, Kind>;

export type KindName = keyof typeof KINDS;
export const KIND_NAMES = Object.keys(KINDS) as KindName[];
