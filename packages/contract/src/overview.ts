/**
 * What the routes under `/api` tell an operator: the console and the command line read the same. JSON, times in ISO 8601
 * UTC, `null` for what is not known; nothing is ever made up. `routes/operators.ts` says which route answers what.
 *
 * A client imports the types alone (`import type`), so that no Zod gets into a page or a command.
 */
import { z } from 'zod';
import type { ReadOnly } from './tool-spec.ts';
import { claimCoverage } from './tools/check-in-answer.ts';
import { STATUSES } from './tools/check-in-words.ts';
import { isoTime } from './tools/common.ts';

export type { AgentSort } from './overview-words.ts';

const count = z.int().nonnegative();
const share = z.number().min(0).max(1);
const counts = z.record(z.string(), count);
const free = z.record(z.string(), z.unknown());

/** Who is signed in, and to what. */
export const sessionView = z
  .object({
    operator: z.object({ name: z.string(), can_act: z.boolean() }).nullable(),
    server: z.object({ version: z.string(), node: z.string(), started_at: isoTime }),
  })
  .meta({ id: 'SessionView' });
export type SessionView = ReadOnly<z.infer<typeof sessionView>>;

const agentStatusWord = z.enum(STATUSES);

const agentRefOf = { agent_id: z.string(), name: z.string() };
const agentRef = z
  .object(agentRefOf)
  .meta({ id: 'AgentRef', description: 'An agent by its id and the name that people know it by' });
export type AgentRef = ReadOnly<z.infer<typeof agentRef>>;

/** How many of an agent's claims were settled, expired or are open, counted by the hour of their expiry. */
export type CoverageView = ReadOnly<z.infer<typeof claimCoverage>>;

const vitalsView = z
  .object({
    E: z.number(),
    I: z.number(),
    S: z.number(),
    V: z.number(),
    risk: z.number().nullable().describe('null: no evidence stands behind it, so it is unknown'),
    risk_word: z.string().describe('paused, unmeasured, safe, caution or high-risk'),
    verdict: z.string(),
    source: z.string().describe('measured, derived or prior'),
    at: isoTime,
    calibration_error: z
      .number()
      .nullable()
      .describe('Over-confidence in the worst tenth of confidence, which is no mean; null: too few results'),
    graded: count.describe('Results that were held against a claim made before them, since the agent began'),
    pass_rate: share.nullable().describe('The share of them that succeeded; null before the first'),
    mean_claim: share.nullable().describe('The confidence that was claimed of them, on average'),
    mean_gap: z.number().nullable().describe('Mean claim less pass rate: above 0 the claims run ahead of the results'),
    claims: z.number().describe("The claims detector's value; 1 says nothing"),
    coverage: claimCoverage,
  })
  .meta({ id: 'Vitals', description: 'The numbers of the newest check-in' });
/** The numbers of the newest check-in; see docs/evidence.md for what each can be trusted for. */
export type VitalsView = ReadOnly<z.infer<typeof vitalsView>>;

const pauseView = z
  .object({
    paused_at: isoTime,
    expires_at: isoTime.nullable().describe('null: it has no end of its own'),
    kind: z.string(),
    reason: z.string(),
    evidence: free,
  })
  .meta({ id: 'Pause', description: 'A pause in force, with the evidence it stands on as it was recorded' });
export type PauseView = ReadOnly<z.infer<typeof pauseView>>;

const agentRowOf = {
  ...agentRefOf,
  status: agentStatusWord,
  tags: z.array(z.string()),
  purpose: z.string().nullable(),
  parent: agentRef.nullable(),
  created_at: isoTime,
  last_activity_at: isoTime.nullable(),
  is_stuck: z.boolean().describe('Silent for longer than it should be'),
  is_stable: z.boolean().describe('False while a resolution is being applied to it'),
  check_ins: count,
  vitals: vitalsView.nullable(),
  pause: pauseView.nullable(),
  conditions: count.describe('How many conditions are in force'),
};
const agentRow = z.object(agentRowOf).meta({ id: 'AgentRow' });
export type AgentRow = ReadOnly<z.infer<typeof agentRow>>;

const page = { offset: count, limit: count };

export const agentsPage = z
  .object({
    rows: z.array(agentRow),
    matching: count.describe('How many match, over all pages'),
    total: count.describe('All agents but deleted ones'),
    counts: counts.describe('Of all but deleted agents, by status; and stuck'),
    ...page,
  })
  .meta({ id: 'AgentsPage' });
export type AgentsPage = ReadOnly<z.infer<typeof agentsPage>>;

const successionView = z
  .object({
    agent: agentRef.describe('The other one'),
    evidence: z
      .array(z.enum(['mcp_session', 'process', 'address_and_program']))
      .describe('The strongest first; address_and_program alone is weak, since all agents of one machine share it'),
    at: isoTime,
  })
  .meta({ id: 'Succession', description: 'A link between a paused agent and a new one, by what both have in common' });
export type SuccessionView = ReadOnly<z.infer<typeof successionView>>;

const conditionView = z
  .object({
    text: z.string(),
    from: z.string(),
    until: isoTime.nullable(),
    enforced: z.boolean().describe('Whether check-ins are held to it, or a person must look'),
  })
  .meta({ id: 'Condition' });

const reviewRowOf = {
  review_id: z.string(),
  agent: agentRef,
  reviewer: agentRef.nullable(),
  phase: z.enum(['thesis', 'antithesis', 'synthesis', 'resolved', 'failed']),
  round: count,
  max_rounds: count,
  awaiting_facilitation: z.boolean(),
  facilitation_since: isoTime.nullable(),
  reason: z.string().nullable(),
  outcome: z.string().nullable(),
  created_at: isoTime,
  last_participant_at: isoTime,
  messages: count,
  awaiting_confirmation_since: isoTime
    .nullable()
    .describe('Since when both agree and an operator is asked to confirm it; null: nothing waits for that'),
};
const reviewRow = z.object(reviewRowOf).meta({ id: 'ReviewRow' });
export type ReviewRow = ReadOnly<z.infer<typeof reviewRow>>;

export const agentView = z
  .object({
    ...agentRowOf,
    handle: z.string(),
    notes: z.string().nullable(),
    spawn_reason: z.string().nullable(),
    children: z.array(agentRef),
    held_by: agentRef.nullable().describe('The ancestor whose pause holds it; null: none does'),
    successors: z
      .array(successionView)
      .describe(
        'New agents that may go on for it, since they were met where it was while it was paused; the newest first, at most 50',
      ),
    successor_of: z.array(successionView).describe('Paused agents that it may go on for'),
    lineage: z.object({
      state: z.enum(['none', 'provisional', 'confirmed', 'demoted']),
      declared_at: isoTime.nullable(),
      evaluated_at: isoTime.nullable(),
    }),
    archive: z.object({ at: isoTime, by: z.string(), actor: z.string().nullable(), reason: z.string() }).nullable(),
    substrate: z
      .object({ unit: z.string().nullable(), executable: z.string() })
      .nullable()
      .describe('The unit and executable that its process must be; null: it is not bound to a process'),
    sessions: z
      .object({ in_force: count, last_seen_at: isoTime.nullable() })
      .describe('What proves it, without any secret'),
    conditions_in_force: z.array(conditionView),
    reviews: z.array(reviewRow).describe('Reviews of it or by it, the newest first, at most 20'),
  })
  .meta({ id: 'AgentView' });
export type AgentView = ReadOnly<z.infer<typeof agentView>>;

const statePoint = z.object({
  at: isoTime,
  check_in: count,
  E: z.number(),
  I: z.number(),
  S: z.number().nullable(),
  V: z.number(),
  risk: z.number().nullable(),
  coherence: z.number(),
  verdict: z.string().nullable(),
  reason: z.string().nullable(),
});
export type StatePoint = ReadOnly<z.infer<typeof statePoint>>;

export const statesView = z
  .object({
    points: z.array(statePoint),
    truncated: z.boolean().describe('Whether older check-ins exist that are not among the points'),
  })
  .meta({ id: 'StatesView' });
export type StatesView = ReadOnly<z.infer<typeof statesView>>;

const claimRow = z.object({
  at: isoTime,
  outcome: z.string(),
  is_bad: z.boolean(),
  score: z.number().nullable(),
  claimed_confidence: z.number().nullable(),
  check_in: count.nullable(),
  grade: z.string().describe('How well it is known; docs/scoring.md names the grades'),
  weight: z.number(),
  graded: z.boolean().describe('Whether calibration learned from it, and the claims detector unless its bet was held'),
  why_not_graded: z.string().nullable().describe('For a person; null: it is graded'),
  bet_held: z
    .object({ others: count, shortfall: share })
    .nullable()
    .describe('Graded, but the detector placed no bet: so many results of other agents fell short as well, by so much'),
  ran: z
    .string()
    .nullable()
    .describe('What it was known by, in short: the command, test or tool that ran; null: none was named'),
  source: z.string().nullable(),
});
export type ClaimRow = ReadOnly<z.infer<typeof claimRow>>;

export const claimsView = z.object({ rows: z.array(claimRow), truncated: z.boolean() }).meta({ id: 'ClaimsView' });
export type ClaimsView = ReadOnly<z.infer<typeof claimsView>>;

const trailRow = z.object({ index: count, at: isoTime, event: z.string(), payload: free, hash: z.string() });

export const trailView = z
  .object({
    rows: z.array(trailRow),
    next: count.nullable().describe('To be asked with as before for what is older; null: that was all that is kept'),
  })
  .meta({ id: 'TrailView' });
export type TrailView = ReadOnly<z.infer<typeof trailView>>;

export const reviewsPage = z
  .object({
    rows: z.array(reviewRow),
    matching: count,
    counts: z.object({ open: count, waiting: count, resolved: count, failed: count }),
    ...page,
  })
  .meta({ id: 'ReviewsPage' });
export type ReviewsPage = ReadOnly<z.infer<typeof reviewsPage>>;

const reviewMessage = z.object({
  at: isoTime,
  kind: z.enum(['thesis', 'antithesis', 'synthesis', 'system', 'failed']),
  author: agentRef.nullable().describe('null: the server itself'),
  role: z.enum(['paused agent', 'reviewer', 'server']),
  root_cause: z.string().nullable(),
  reasoning: z.string().nullable(),
  conditions: z.array(z.string()),
  concerns: z.array(z.string()),
  proposed_action: z.string().nullable(),
  agrees: z.boolean().nullable(),
  refused: z.boolean(),
});
export type ReviewMessage = ReadOnly<z.infer<typeof reviewMessage>>;

const mergeView = z.object({
  conditions: z.array(z.object({ text: z.string(), from: z.enum(['both', 'paused agent', 'reviewer']) })),
  conflicts: z.array(z.object({ a: z.string(), b: z.string(), why: z.string() })),
  root_cause_similarity: z.number().nullable(),
});
/** How the proposals of both sides come together: where each merged condition comes from. */
export type MergeView = ReadOnly<z.infer<typeof mergeView>>;

const sagaView = z
  .object({
    saga_id: z.string(),
    review_id: z.string(),
    agent: agentRef,
    reviewer: agentRef.nullable(),
    state: z.string(),
    dead_letter: z.boolean(),
    attempts: count,
    last_error: z.string().nullable(),
    history: z
      .array(z.object({ step: z.string(), at: isoTime }))
      .describe('The steps that are known to have happened, in order'),
  })
  .meta({ id: 'Saga' });
export type SagaView = ReadOnly<z.infer<typeof sagaView>>;

const confirmationView = z.object({
  since: isoTime,
  action: z.string().describe('What both agreed on: resume or cooldown'),
  why: z.string().describe('Why an operator is asked, for a person'),
  decision: z.enum(['open', 'accept', 'reject']),
  operator: z.string().nullable(),
  at: isoTime.nullable(),
  reason: z.string().nullable(),
});
/** An agreement that an operator is, or was, asked to confirm. */
export type ConfirmationView = ReadOnly<z.infer<typeof confirmationView>>;

export const reviewView = z
  .object({
    ...reviewRowOf,
    reviewer_assigned_by: z
      .string()
      .nullable()
      .describe(
        'The operator who gave the place to the reviewer; null: the server chose it, or it took the place itself',
      ),
    confirmation: confirmationView.nullable().describe('null: no operator was asked'),
    transcript: z.array(reviewMessage),
    merge: mergeView
      .nullable()
      .describe(
        'What both said last, merged as the resolution would be, or how it was; null before both have proposed something',
      ),
    resolution: z
      .object({
        action: z.string(),
        conditions: z.array(z.string()),
        root_cause: z.string(),
        reasoning: z.string(),
        at: isoTime,
      })
      .nullable(),
    sagas: z.array(sagaView).describe('The newest first'),
  })
  .meta({ id: 'ReviewView' });
export type ReviewView = ReadOnly<z.infer<typeof reviewView>>;

const needAct = z.enum([
  'resume',
  'archive',
  'assign_reviewer',
  'confirm_review',
  'reject_review',
  'retry_saga',
  'revert_saga',
]);
/** What an operator may do about a need; each is a call of a tool. */
export type NeedAct = z.infer<typeof needAct>;

const need = z
  .object({
    key: z.string().describe('Stable as long as it is the same need, for lists that live'),
    kind: z.enum([
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
    ]),
    severity: z.enum(['critical', 'warning', 'info']),
    since: isoTime.nullable(),
    title: z.string().describe('One sentence for a person'),
    evidence: z
      .array(z.object({ name: z.string(), value: z.union([z.string(), z.number(), z.null()]) }))
      .describe('Facts that it stands on, named for people, in the order to show them'),
    agent: agentRef.nullable(),
    review_id: z.string().nullable(),
    saga_id: z.string().nullable(),
    acts: z.array(needAct).describe('The acts that answer it, the likeliest first'),
  })
  .meta({ id: 'Need', description: 'Something that waits for a person, with why, and what would answer it' });
/** Something that waits for a person, with why, and what would answer it. */
export type Need = ReadOnly<z.infer<typeof need>>;

const freeResume = z
  .object({
    at: isoTime,
    agent: agentRef,
    how: z
      .enum(['review', 'self_recovery', 'expiry'])
      .describe('By the agreement of a review, by the agent itself, or because the time of the pause was over'),
    by: agentRef.nullable().describe('The reviewer that agreed, or the agent itself; null: nobody, time did it'),
    why: z.string().nullable().describe('In words: what was said, or how long the pause had lasted'),
    review_id: z.string().nullable(),
  })
  .describe('An agent that went on after a pause although no operator said so');
/** An agent that went on after a pause although no operator said so. */
export type FreeResume = ReadOnly<z.infer<typeof freeResume>>;

const activityBucket = z.object({ from: isoTime, proceed: count, guide: count, pause: count });
/** A bucket of {@link NowView.activity}. */
export type ActivityBucket = ReadOnly<z.infer<typeof activityBucket>>;

export const nowView = z
  .object({
    at: isoTime,
    ready: z.boolean(),
    needs: z.array(need),
    more_needs: count.describe('Needs that are not listed because there are more than 200'),
    free_resumes: z
      .array(freeResume)
      .nullable()
      .describe(
        "Agents that went on in the last day without an operator's word, the newest first; null: PostgreSQL does not answer",
      ),
    more_free_resumes: count.describe('Those of the last day that are not listed because there are more than 50'),
    agents: counts,
    at_work: count.describe('Agents that have checked in within the last five minutes'),
    activity: z
      .array(activityBucket)
      .describe(
        "Check-ins of the last hour by verdict, in minutes, as this node's commits counted them; the oldest first",
      ),
    activity_since: isoTime.describe(
      'Since when the activity is counted: a node that has just started knows less than an hour',
    ),
    risk: z.array(count).describe('Active agents by risk, in tenths: ten counts'),
    without_risk: count.describe(
      'Active agents whose risk is unknown: they have not checked in yet, or no evidence stands behind it',
    ),
    reviews: z.object({ open: count, waiting: count }).nullable().describe('null: PostgreSQL does not answer'),
    requests: z
      .object({ count, unavailable: count })
      .nullable()
      .describe('Requests and 503s of the last minute; null: not known'),
  })
  .meta({ id: 'NowView' });
export type NowView = ReadOnly<z.infer<typeof nowView>>;

const channelLine = z
  .object({
    type: z.string(),
    endpoint: z.string().nullable(),
    tool: z.string().nullable(),
    count,
    agents: count,
    incidents: count,
    elapsed_ms: z.object({ p50: z.number().nullable(), p99: z.number().nullable() }),
    classes: counts,
    first: isoTime,
    last: isoTime,
  })
  .meta({ id: 'ChannelLine' });
/** A line of the channel report. */
export type ChannelLine = ReadOnly<z.infer<typeof channelLine>>;

const channelLines = z.object({ no_data: z.boolean(), lines: z.array(channelLine) });

export const channelView = z
  .object({
    from: isoTime,
    to: isoTime,
    failures: channelLines,
    measurements: channelLines,
    samples_dropped: count.describe('Emissions that were counted but not stored'),
  })
  .meta({ id: 'ChannelView', description: 'The same as breakwater channel report --json' });
export type ChannelView = ReadOnly<z.infer<typeof channelView>>;

const flagRow = z.object({
  key: z.string(),
  description: z.string(),
  value: z.string(),
  default: z.string(),
  values: z.array(z.string()),
  origin: z.string().describe('environment, stored or default'),
  stored: z.object({ value: z.unknown(), by: z.string(), reason: z.string().nullable() }).nullable(),
});

export const flagsView = z
  .object({
    flags: z.array(flagRow),
    history: z.array(
      z.object({
        key: z.string(),
        from: z.unknown(),
        to: z.unknown(),
        at: isoTime,
        by: z.string(),
        reason: z.string(),
      }),
    ),
  })
  .meta({ id: 'FlagsView' });
export type FlagsView = ReadOnly<z.infer<typeof flagsView>>;

export const operatorsView = z
  .object({
    operators: z
      .array(
        z.object({
          name: z.string(),
          can_act: z.boolean(),
          state: z.enum(['in force', 'expired', 'revoked']),
          created_at: isoTime,
          expires_at: isoTime,
          last_seen_at: isoTime.nullable(),
        }),
      )
      .describe('The newest first'),
  })
  .meta({ id: 'OperatorsView' });
export type OperatorsView = ReadOnly<z.infer<typeof operatorsView>>;

const emissions = z.object({ waiting: count, dropped: count, stored: count });

export const systemView = z
  .object({
    at: isoTime,
    version: z.string(),
    node: z.string(),
    host: z.string(),
    node_version: z.string(),
    started_at: isoTime,
    ready: z.boolean(),
    parts: z.record(z.string(), z.boolean()).describe('Each part that must be warm, and whether it is'),
    database: z.object({
      embedded: z.boolean(),
      version: z.string().nullable().describe('null: PostgreSQL did not answer'),
      bytes: z.number().nullable(),
      schema_version: count.nullable(),
      schema_target: count.nullable(),
    }),
    nodes: z
      .array(z.object({ name: z.string(), connections: count, since: isoTime, self: z.boolean() }))
      .describe('Nodes that are connected to the database; empty while PostgreSQL does not answer'),
    live_tables: z.array(z.object({ name: z.string(), rows: count })),
    mailboxes: z.array(z.object({ name: z.string(), loaded: count, waiting: count })),
    event_loop_ms: z.object({ max: z.number(), p99: z.number() }),
    channel: z.object({ failures: emissions, measurements: emissions }),
    partitions: z
      .array(
        z.object({
          table: z.string(),
          kept_days: count.nullable(),
          partitions: count,
          oldest: z.string().nullable(),
          rows: count.nullable(),
          bytes: z.number(),
          months_ahead: count,
          overdue: z.array(z.string()),
        }),
      )
      .nullable()
      .describe('Partitioned tables, as retention last saw them; null: not looked yet'),
    sagas: z.array(sagaView),
  })
  .meta({ id: 'SystemView' });
export type SystemView = ReadOnly<z.infer<typeof systemView>>;
