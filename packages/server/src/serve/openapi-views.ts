import type * as views from '@breakwater/contract/overview';

type Schema = Readonly<Record<string, unknown>>;

/** A schema of the document, by its name there. */
export const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });

/* eslint-disable @typescript-eslint/no-unnecessary-type-parameters -- They tie what is written here to the contract's types. */

/** The schema of a view: a field that is missing, or that the view has not, does not compile. */
const view = <T>(properties: { readonly [K in keyof T]-?: Schema }): Schema => ({
  type: 'object',
  required: Object.keys(properties),
  properties,
});

const STRING: Schema = { type: 'string' };
const NUMBER: Schema = { type: 'number' };
const WHOLE: Schema = { type: 'integer' };
const BOOLEAN: Schema = { type: 'boolean' };
const OBJECT: Schema = { type: 'object' };
const ANY: Schema = {};
const TIME: Schema = { type: 'string', format: 'date-time' };
const NULL: Schema = { type: 'null' };

const orNull = (schema: Schema): Schema =>
  typeof schema['type'] === 'string' && !('enum' in schema)
    ? { ...schema, type: [schema['type'], 'null'] }
    : { anyOf: [schema, NULL] };
const list = (items: Schema): Schema => ({ type: 'array', items });
const each = (additionalProperties: Schema): Schema => ({ type: 'object', additionalProperties });
const word = <T extends string>(...words: readonly T[]): Schema => ({ type: 'string', enum: words });

/* eslint-enable @typescript-eslint/no-unnecessary-type-parameters */

type Of<T> = T extends readonly (infer Item)[] ? Item : never;

const AGENT_REF = { agent_id: STRING, name: STRING };
const PAGE = { offset: WHOLE, limit: WHOLE };

const AGENT_ROW: { readonly [K in keyof views.AgentRow]-?: Schema } = {
  ...AGENT_REF,
  status: word<views.AgentStatusWord>('active', 'paused', 'archived', 'waiting_input', 'disabled', 'deleted'),
  tags: list(STRING),
  purpose: orNull(STRING),
  parent: orNull(ref('AgentRef')),
  created_at: TIME,
  last_activity_at: orNull(TIME),
  is_stuck: BOOLEAN,
  is_stable: BOOLEAN,
  check_ins: WHOLE,
  vitals: orNull(ref('Vitals')),
  pause: orNull(ref('Pause')),
  conditions: WHOLE,
};

const REVIEW_ROW: { readonly [K in keyof views.ReviewRow]-?: Schema } = {
  review_id: STRING,
  agent: ref('AgentRef'),
  reviewer: orNull(ref('AgentRef')),
  phase: word<views.ReviewRow['phase']>('thesis', 'antithesis', 'synthesis', 'resolved', 'failed'),
  round: WHOLE,
  max_rounds: WHOLE,
  awaiting_facilitation: BOOLEAN,
  facilitation_since: orNull(TIME),
  reason: orNull(STRING),
  outcome: orNull(STRING),
  created_at: TIME,
  last_participant_at: TIME,
  messages: WHOLE,
  awaiting_confirmation_since: orNull(TIME),
};

const CHANNEL_LINES = view<views.ChannelView['failures']>({ no_data: BOOLEAN, lines: list(ref('ChannelLine')) });
const EMISSIONS = view<views.SystemView['channel']['failures']>({ waiting: WHOLE, dropped: WHOLE, stored: WHOLE });

/** What the routes under `/api` answer, by the name of each schema; the contract's `overview.ts` says what each field means. */
export const VIEWS: Readonly<Record<string, Schema>> = {
  SessionView: view<views.SessionView>({
    operator: orNull(view<NonNullable<views.SessionView['operator']>>({ name: STRING, can_act: BOOLEAN })),
    server: view<views.SessionView['server']>({ version: STRING, node: STRING, started_at: TIME }),
  }),
  AgentRef: view<views.AgentRef>(AGENT_REF),
  Vitals: view<views.VitalsView>({
    E: NUMBER,
    I: NUMBER,
    S: NUMBER,
    V: NUMBER,
    risk: orNull(NUMBER),
    risk_word: STRING,
    verdict: STRING,
    source: STRING,
    at: TIME,
    calibration_error: orNull(NUMBER),
    graded: WHOLE,
    pass_rate: orNull(NUMBER),
    mean_claim: orNull(NUMBER),
    mean_gap: orNull(NUMBER),
    claims: NUMBER,
    coverage: view<views.CoverageView>({
      made: WHOLE,
      settled: WHOLE,
      expired: WHOLE,
      open: WHOLE,
      unclaimed: WHOLE,
      ungraded: WHOLE,
      unobserved: WHOLE,
      share: orNull(NUMBER),
      silence: NUMBER,
    }),
  }),
  Pause: view<views.PauseView>({
    paused_at: TIME,
    expires_at: orNull(TIME),
    kind: STRING,
    reason: STRING,
    evidence: OBJECT,
  }),
  AgentRow: view<views.AgentRow>(AGENT_ROW),
  AgentsPage: view<views.AgentsPage>({
    rows: list(ref('AgentRow')),
    matching: WHOLE,
    total: WHOLE,
    counts: each(WHOLE),
    ...PAGE,
  }),
  AgentView: view<views.AgentView>({
    ...AGENT_ROW,
    handle: STRING,
    notes: orNull(STRING),
    spawn_reason: orNull(STRING),
    children: list(ref('AgentRef')),
    held_by: orNull(ref('AgentRef')),
    successors: list(ref('Succession')),
    successor_of: list(ref('Succession')),
    lineage: view<views.AgentView['lineage']>({
      state: word<views.AgentView['lineage']['state']>('none', 'provisional', 'confirmed', 'demoted'),
      declared_at: orNull(TIME),
      evaluated_at: orNull(TIME),
    }),
    archive: orNull(
      view<NonNullable<views.AgentView['archive']>>({ at: TIME, by: STRING, actor: orNull(STRING), reason: STRING }),
    ),
    substrate: orNull(view<NonNullable<views.AgentView['substrate']>>({ unit: orNull(STRING), executable: STRING })),
    sessions: view<views.AgentView['sessions']>({ in_force: WHOLE, last_seen_at: orNull(TIME) }),
    conditions_in_force: list(ref('Condition')),
    reviews: list(ref('ReviewRow')),
  }),
  Succession: view<views.SuccessionView>({
    agent: ref('AgentRef'),
    evidence: list(word<Of<views.SuccessionView['evidence']>>('mcp_session', 'process', 'address_and_program')),
    at: TIME,
  }),
  Condition: view<views.ConditionView>({ text: STRING, from: STRING, until: orNull(TIME), enforced: BOOLEAN }),
  StatesView: view<views.StatesView>({
    points: list(
      view<views.StatePoint>({
        at: TIME,
        check_in: WHOLE,
        E: NUMBER,
        I: NUMBER,
        S: orNull(NUMBER),
        V: NUMBER,
        risk: orNull(NUMBER),
        coherence: NUMBER,
        verdict: orNull(STRING),
        reason: orNull(STRING),
      }),
    ),
    truncated: BOOLEAN,
  }),
  ClaimsView: view<views.ClaimsView>({
    rows: list(
      view<views.ClaimRow>({
        at: TIME,
        outcome: STRING,
        is_bad: BOOLEAN,
        score: orNull(NUMBER),
        claimed_confidence: orNull(NUMBER),
        check_in: orNull(WHOLE),
        grade: STRING,
        weight: NUMBER,
        graded: BOOLEAN,
        why_not_graded: orNull(STRING),
        bet_held: orNull(view<NonNullable<views.ClaimRow['bet_held']>>({ others: WHOLE, shortfall: NUMBER })),
        ran: orNull(STRING),
        source: orNull(STRING),
      }),
    ),
    truncated: BOOLEAN,
  }),
  TrailView: view<views.TrailView>({
    rows: list(view<views.TrailRow>({ index: WHOLE, at: TIME, event: STRING, payload: OBJECT, hash: STRING })),
    next: orNull(WHOLE),
  }),
  ReviewRow: view<views.ReviewRow>(REVIEW_ROW),
  ReviewsPage: view<views.ReviewsPage>({
    rows: list(ref('ReviewRow')),
    matching: WHOLE,
    counts: view<views.ReviewsPage['counts']>({ open: WHOLE, waiting: WHOLE, resolved: WHOLE, failed: WHOLE }),
    ...PAGE,
  }),
  ReviewView: view<views.ReviewView>({
    ...REVIEW_ROW,
    reviewer_assigned_by: orNull(STRING),
    confirmation: orNull(
      view<views.ConfirmationView>({
        since: TIME,
        action: STRING,
        why: STRING,
        decision: word<views.ConfirmationView['decision']>('open', 'accept', 'reject'),
        operator: orNull(STRING),
        at: orNull(TIME),
        reason: orNull(STRING),
      }),
    ),
    transcript: list(
      view<views.ReviewMessage>({
        at: TIME,
        kind: word<views.ReviewMessage['kind']>('thesis', 'antithesis', 'synthesis', 'system', 'failed'),
        author: orNull(ref('AgentRef')),
        role: word<views.ReviewMessage['role']>('paused agent', 'reviewer', 'server'),
        root_cause: orNull(STRING),
        reasoning: orNull(STRING),
        conditions: list(STRING),
        concerns: list(STRING),
        proposed_action: orNull(STRING),
        agrees: orNull(BOOLEAN),
        refused: BOOLEAN,
      }),
    ),
    merge: orNull(
      view<views.MergeView>({
        conditions: list(
          view<Of<views.MergeView['conditions']>>({
            text: STRING,
            from: word<Of<views.MergeView['conditions']>['from']>('both', 'paused agent', 'reviewer'),
          }),
        ),
        conflicts: list(view<Of<views.MergeView['conflicts']>>({ a: STRING, b: STRING, why: STRING })),
        root_cause_similarity: orNull(NUMBER),
      }),
    ),
    resolution: orNull(
      view<NonNullable<views.ReviewView['resolution']>>({
        action: STRING,
        conditions: list(STRING),
        root_cause: STRING,
        reasoning: STRING,
        at: TIME,
      }),
    ),
    sagas: list(ref('Saga')),
  }),
  Saga: view<views.SagaView>({
    saga_id: STRING,
    review_id: STRING,
    agent: ref('AgentRef'),
    reviewer: orNull(ref('AgentRef')),
    state: STRING,
    dead_letter: BOOLEAN,
    attempts: WHOLE,
    last_error: orNull(STRING),
    history: list(view<Of<views.SagaView['history']>>({ step: STRING, at: TIME })),
  }),
  Need: view<views.Need>({
    key: STRING,
    kind: word<views.Need['kind']>(
      'paused',
      'successors',
      'review_waiting',
      'confirm_review',
      'dead_letter',
      'silence',
      'stuck',
      'breach',
      'divergence',
      'not_ready',
      'retention',
    ),
    severity: word<views.Need['severity']>('critical', 'warning', 'info'),
    since: orNull(TIME),
    title: STRING,
    evidence: list(view<Of<views.Need['evidence']>>({ name: STRING, value: { type: ['string', 'number', 'null'] } })),
    agent: orNull(ref('AgentRef')),
    review_id: orNull(STRING),
    saga_id: orNull(STRING),
    acts: list(
      word<views.NeedAct>(
        'resume',
        'archive',
        'assign_reviewer',
        'confirm_review',
        'reject_review',
        'retry_saga',
        'revert_saga',
      ),
    ),
  }),
  NowView: view<views.NowView>({
    at: TIME,
    ready: BOOLEAN,
    needs: list(ref('Need')),
    more_needs: WHOLE,
    free_resumes: orNull(
      list(
        view<views.FreeResume>({
          at: TIME,
          agent: ref('AgentRef'),
          how: word<views.FreeResume['how']>('review', 'self_recovery', 'expiry'),
          by: orNull(ref('AgentRef')),
          why: orNull(STRING),
          review_id: orNull(STRING),
        }),
      ),
    ),
    more_free_resumes: WHOLE,
    agents: each(WHOLE),
    at_work: WHOLE,
    activity: list(view<views.ActivityBucket>({ from: TIME, proceed: WHOLE, guide: WHOLE, pause: WHOLE })),
    activity_since: TIME,
    risk: list(WHOLE),
    without_risk: WHOLE,
    reviews: orNull(view<NonNullable<views.NowView['reviews']>>({ open: WHOLE, waiting: WHOLE })),
    requests: orNull(view<NonNullable<views.NowView['requests']>>({ count: WHOLE, unavailable: WHOLE })),
  }),
  ChannelLine: view<views.ChannelLine>({
    type: STRING,
    endpoint: orNull(STRING),
    tool: orNull(STRING),
    count: WHOLE,
    agents: WHOLE,
    incidents: WHOLE,
    elapsed_ms: view<views.ChannelLine['elapsed_ms']>({ p50: orNull(NUMBER), p99: orNull(NUMBER) }),
    classes: each(WHOLE),
    first: TIME,
    last: TIME,
  }),
  ChannelView: view<views.ChannelView>({
    from: TIME,
    to: TIME,
    failures: CHANNEL_LINES,
    measurements: CHANNEL_LINES,
    samples_dropped: WHOLE,
  }),
  FlagsView: view<views.FlagsView>({
    flags: list(
      view<views.FlagRow>({
        key: STRING,
        description: STRING,
        value: STRING,
        default: STRING,
        values: list(STRING),
        origin: STRING,
        stored: orNull(view<NonNullable<views.FlagRow['stored']>>({ value: ANY, by: STRING, reason: orNull(STRING) })),
      }),
    ),
    history: list(
      view<Of<views.FlagsView['history']>>({ key: STRING, from: ANY, to: ANY, at: TIME, by: STRING, reason: STRING }),
    ),
  }),
  OperatorsView: view<views.OperatorsView>({
    operators: list(
      view<Of<views.OperatorsView['operators']>>({
        name: STRING,
        can_act: BOOLEAN,
        state: word<Of<views.OperatorsView['operators']>['state']>('in force', 'expired', 'revoked'),
        created_at: TIME,
        expires_at: TIME,
        last_seen_at: orNull(TIME),
      }),
    ),
  }),
  SystemView: view<views.SystemView>({
    at: TIME,
    version: STRING,
    node: STRING,
    host: STRING,
    node_version: STRING,
    started_at: TIME,
    ready: BOOLEAN,
    parts: each(BOOLEAN),
    database: view<views.SystemView['database']>({
      embedded: BOOLEAN,
      version: orNull(STRING),
      bytes: orNull(NUMBER),
      schema_version: orNull(WHOLE),
      schema_target: orNull(WHOLE),
    }),
    nodes: list(view<Of<views.SystemView['nodes']>>({ name: STRING, connections: WHOLE, since: TIME, self: BOOLEAN })),
    live_tables: list(view<Of<views.SystemView['live_tables']>>({ name: STRING, rows: WHOLE })),
    mailboxes: list(view<Of<views.SystemView['mailboxes']>>({ name: STRING, loaded: WHOLE, waiting: WHOLE })),
    event_loop_ms: view<views.SystemView['event_loop_ms']>({ max: NUMBER, p99: NUMBER }),
    channel: view<views.SystemView['channel']>({ failures: EMISSIONS, measurements: EMISSIONS }),
    partitions: orNull(
      list(
        view<Of<NonNullable<views.SystemView['partitions']>>>({
          table: STRING,
          kept_days: orNull(WHOLE),
          partitions: WHOLE,
          oldest: orNull(STRING),
          rows: orNull(WHOLE),
          bytes: NUMBER,
          months_ahead: WHOLE,
          overdue: list(STRING),
        }),
      ),
    ),
    sagas: list(ref('Saga')),
  }),
};
