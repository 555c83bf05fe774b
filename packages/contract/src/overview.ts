/**
 * What the routes under `/api` tell an operator: the console and the command line read the same. JSON, times in ISO 8601
 * UTC, `null` for what is not known; nothing is ever made up. Every route but `/api/session` needs an operator credential
 * (`Authorization: Bearer bwo_…`) with `operator:read`; acts are tools, called as everywhere with `POST /v1/tools/call`.
 */

/** `GET /api/session`: who is signed in, and to what. Answers callers without a credential as well. */
export interface SessionView {
  readonly operator: { readonly name: string; readonly can_act: boolean } | null;
  readonly server: { readonly version: string; readonly node: string; readonly started_at: string };
}

export type AgentStatusWord = 'active' | 'paused' | 'archived' | 'waiting_input' | 'disabled' | 'deleted';

/** An agent by its id and the name that people know it by. */
export interface AgentRef {
  readonly agent_id: string;
  readonly name: string;
}

/** The numbers of the newest check-in; see docs/evidence.md for what each can be trusted for. */
export interface VitalsView {
  readonly E: number;
  readonly I: number;
  readonly S: number;
  readonly V: number;
  /** null: no evidence stands behind it, so it is unknown. */
  readonly risk: number | null;
  /** paused, unmeasured, safe, caution or high-risk. */
  readonly risk_word: string;
  readonly verdict: string;
  /** measured, derived or prior. */
  readonly source: string;
  readonly at: string;
  /** Over-confidence in the worst tenth of confidence, which is no mean; null: too few results. */
  readonly calibration_error: number | null;
  /** Results that were held against a claim made before them, since the agent began. */
  readonly graded: number;
  /** The share of them that succeeded, 0 to 1; null before the first. */
  readonly pass_rate: number | null;
  /** The confidence that was claimed of them, on average, 0 to 1. */
  readonly mean_claim: number | null;
  /** Mean claim less pass rate: above 0 the claims run ahead of the results. */
  readonly mean_gap: number | null;
  /** The claims detector's value; 1 says nothing. */
  readonly claims: number;
  readonly coverage: CoverageView;
}

/** What became of an agent's claims, counted by the hour of their expiry. */
export interface CoverageView {
  /** Check-ins with a confidence. */
  readonly made: number;
  /** Claims that a graded result met in time. */
  readonly settled: number;
  /** Claims whose time ran out without one. */
  readonly expired: number;
  /** Claims that may still be settled. */
  readonly open: number;
  /** Check-ins without a confidence. */
  readonly unclaimed: number;
  /** Results that were recorded and not graded. */
  readonly ungraded: number;
  /** Claims that no result has settled: those that expired, and those that are open. */
  readonly unobserved: number;
  /** Settled of all that were settled or expired, 0 to 1; null before the first. */
  readonly share: number | null;
  /** The silence detector's value; 1 says nothing. */
  readonly silence: number;
}

/** A pause in force, with the evidence it stands on as it was recorded. */
export interface PauseView {
  readonly paused_at: string;
  /** null: it has no end of its own. */
  readonly expires_at: string | null;
  readonly kind: string;
  readonly reason: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** A row of `GET /api/agents`. */
export interface AgentRow extends AgentRef {
  readonly status: AgentStatusWord;
  readonly tags: readonly string[];
  readonly purpose: string | null;
  readonly parent: AgentRef | null;
  readonly created_at: string;
  readonly last_activity_at: string | null;
  /** Silent for longer than it should be. */
  readonly is_stuck: boolean;
  /** False while a resolution is being applied to it. */
  readonly is_stable: boolean;
  readonly check_ins: number;
  readonly vitals: VitalsView | null;
  readonly pause: PauseView | null;
  /** How many conditions are in force. */
  readonly conditions: number;
}

/** What a list of agents may be ordered by. */
export const AGENT_SORTS = [
  'activity',
  'name',
  'status',
  'risk',
  'check_ins',
  'created',
  'pass_rate',
  /** Mean claim less pass rate. */
  'gap',
  /** The share of claims that a result settled. */
  'coverage',
  /** The claims detector's value. */
  'evidence',
] as const;
export type AgentSort = (typeof AGENT_SORTS)[number];

/** What a list of agents may be narrowed to. */
export const AGENT_STATUS_FILTERS = [
  'present',
  'active',
  'paused',
  'waiting_input',
  'archived',
  'disabled',
  'deleted',
  'stuck',
  'all',
] as const;

/** Verdicts of the newest check-in, from mild to severe. */
export const VERDICTS = ['proceed', 'guide', 'pause', 'reject'] as const;

/**
 * `GET /api/agents?search=&status=&verdict=&tag=&sort=&order=asc|desc&offset=&limit=` from memory. `search` is in name,
 * purpose or tags, or begins the id; `status` is a status, `stuck` or `all`, which is all but deleted; default: all but archived and deleted, newest activity first,
 * limit 50 (at most 1000).
 */
export interface AgentsPage {
  readonly rows: readonly AgentRow[];
  /** How many match, over all pages. */
  readonly matching: number;
  /** All agents but deleted ones. */
  readonly total: number;
  /** Of all but deleted agents, by status; and `stuck`. */
  readonly counts: Readonly<Record<string, number>>;
  readonly offset: number;
  readonly limit: number;
}

/** `GET /api/agents/:id` (id, or exactly a name). */
export interface AgentView extends AgentRow {
  readonly handle: string;
  readonly notes: string | null;
  readonly spawn_reason: string | null;
  readonly children: readonly AgentRef[];
  /** The ancestor whose pause holds it; null: none does. */
  readonly held_by: AgentRef | null;
  /** New agents that may go on for it, since they were met where it was while it was paused; the newest first, at most 50. */
  readonly successors: readonly SuccessionView[];
  /** Paused agents that it may go on for. */
  readonly successor_of: readonly SuccessionView[];
  readonly lineage: {
    readonly state: 'none' | 'provisional' | 'confirmed' | 'demoted';
    readonly declared_at: string | null;
    readonly evaluated_at: string | null;
  };
  readonly archive: {
    readonly at: string;
    readonly by: string;
    readonly actor: string | null;
    readonly reason: string;
  } | null;
  /** The unit and executable that its process must be; null: it is not bound to a process. */
  readonly substrate: { readonly unit: string | null; readonly executable: string } | null;
  /** What proves it, without any secret. */
  readonly sessions: { readonly in_force: number; readonly last_seen_at: string | null };
  readonly conditions_in_force: readonly ConditionView[];
  /** Reviews of it or by it, the newest first, at most 20. */
  readonly reviews: readonly ReviewRow[];
}

/** A link between a paused agent and a new one, by what both have in common. */
export interface SuccessionView {
  /** The other one. */
  readonly agent: AgentRef;
  /** The strongest first; `address_and_program` alone is weak, since all agents of one machine share it. */
  readonly evidence: readonly ('mcp_session' | 'process' | 'address_and_program')[];
  readonly at: string;
}

export interface ConditionView {
  readonly text: string;
  readonly from: string;
  readonly until: string | null;
  /** Whether check-ins are held to it, or a person must look. */
  readonly enforced: boolean;
}

/** A point of `GET /api/agents/:id/states?limit=` (at most 2000, default 300): the newest check-ins, the oldest first. */
export interface StatePoint {
  readonly at: string;
  readonly check_in: number;
  readonly E: number;
  readonly I: number;
  readonly S: number | null;
  readonly V: number;
  readonly risk: number | null;
  readonly coherence: number;
  readonly verdict: string | null;
  readonly reason: string | null;
}
export interface StatesView {
  readonly points: readonly StatePoint[];
  /** Whether older check-ins exist that are not among the points. */
  readonly truncated: boolean;
}

/** `GET /api/agents/:id/claims?limit=` (at most 500, default 100): outcomes beside what was claimed, the newest first. */
export interface ClaimRow {
  readonly at: string;
  readonly outcome: string;
  readonly is_bad: boolean;
  readonly score: number | null;
  readonly claimed_confidence: number | null;
  readonly check_in: number | null;
  /** How well it is known; docs/scoring.md names the grades. */
  readonly grade: string;
  readonly weight: number;
  /** Whether calibration learned from it, and the claims detector unless its bet was held. */
  readonly graded: boolean;
  /** Why it is not graded, for a person; null: it is. */
  readonly why_not_graded: string | null;
  /** Graded, but the detector placed no bet: so many results of other agents fell short as well, by so much (0 to 1). */
  readonly bet_held: { readonly others: number; readonly shortfall: number } | null;
  /** What it was known by, in short: the command, test or tool that ran; null: none was named. */
  readonly ran: string | null;
  readonly source: string | null;
}
export interface ClaimsView {
  readonly rows: readonly ClaimRow[];
  readonly truncated: boolean;
}

/** `GET /api/agents/:id/trail?before=<index>&limit=` (at most 200, default 50): the hash-chained audit rows, the newest first. */
export interface TrailRow {
  readonly index: number;
  readonly at: string;
  readonly event: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly hash: string;
}
export interface TrailView {
  readonly rows: readonly TrailRow[];
  /** To be asked with as `before` for what is older; null: that was all that is kept. */
  readonly next: number | null;
}

/** A row of `GET /api/reviews`. */
export interface ReviewRow {
  readonly review_id: string;
  readonly agent: AgentRef;
  readonly reviewer: AgentRef | null;
  readonly phase: 'thesis' | 'antithesis' | 'synthesis' | 'resolved' | 'failed';
  readonly round: number;
  readonly max_rounds: number;
  readonly awaiting_facilitation: boolean;
  readonly facilitation_since: string | null;
  readonly reason: string | null;
  readonly outcome: string | null;
  readonly created_at: string;
  readonly last_participant_at: string;
  readonly messages: number;
  /** Since when both agree and an operator is asked to confirm it; null: nothing waits for that. */
  readonly awaiting_confirmation_since: string | null;
}

/** `GET /api/reviews?status=open|waiting|resolved|failed|all&agent=&offset=&limit=`: the newest first; default all, limit 50 (at most 200). */
export interface ReviewsPage {
  readonly rows: readonly ReviewRow[];
  readonly matching: number;
  readonly counts: {
    readonly open: number;
    readonly waiting: number;
    readonly resolved: number;
    readonly failed: number;
  };
  readonly offset: number;
  readonly limit: number;
}

export interface ReviewMessage {
  readonly at: string;
  readonly kind: 'thesis' | 'antithesis' | 'synthesis' | 'system' | 'failed';
  /** null: the server itself. */
  readonly author: AgentRef | null;
  readonly role: 'paused agent' | 'reviewer' | 'server';
  readonly root_cause: string | null;
  readonly reasoning: string | null;
  readonly conditions: readonly string[];
  readonly concerns: readonly string[];
  readonly proposed_action: string | null;
  readonly agrees: boolean | null;
  readonly refused: boolean;
}

/** How the proposals of both sides come together: where each merged condition comes from. */
export interface MergeView {
  readonly conditions: readonly {
    readonly text: string;
    readonly from: 'both' | 'paused agent' | 'reviewer';
  }[];
  readonly conflicts: readonly { readonly a: string; readonly b: string; readonly why: string }[];
  readonly root_cause_similarity: number | null;
}

export interface SagaView {
  readonly saga_id: string;
  readonly review_id: string;
  readonly agent: AgentRef;
  readonly reviewer: AgentRef | null;
  readonly state: string;
  readonly dead_letter: boolean;
  readonly attempts: number;
  readonly last_error: string | null;
  /** The steps that are known to have happened, in order. */
  readonly history: readonly { readonly step: string; readonly at: string }[];
}

/** An agreement that an operator is, or was, asked to confirm. */
export interface ConfirmationView {
  readonly since: string;
  /** What both agreed on: resume or cooldown. */
  readonly action: string;
  /** Why an operator is asked, for a person. */
  readonly why: string;
  readonly decision: 'open' | 'accept' | 'reject';
  readonly operator: string | null;
  readonly at: string | null;
  readonly reason: string | null;
}

/** `GET /api/reviews/:id`. */
export interface ReviewView extends ReviewRow {
  /** The operator who gave the place to the reviewer; null: the server chose it, or it took the place itself. */
  readonly reviewer_assigned_by: string | null;
  /** null: no operator was asked. */
  readonly confirmation: ConfirmationView | null;
  readonly transcript: readonly ReviewMessage[];
  /** What both said last, merged as the resolution would be, or how it was; null before both have proposed something. */
  readonly merge: MergeView | null;
  readonly resolution: {
    readonly action: string;
    readonly conditions: readonly string[];
    readonly root_cause: string;
    readonly reasoning: string;
    readonly at: string;
  } | null;
  /** The newest first. */
  readonly sagas: readonly SagaView[];
}

/** What an operator may do about a need; each is a call of a tool. */
export type NeedAct =
  'resume' | 'archive' | 'assign_reviewer' | 'confirm_review' | 'reject_review' | 'retry_saga' | 'revert_saga';

/** Something that waits for a person, with why, and what would answer it. */
export interface Need {
  /** Stable as long as it is the same need, for lists that live. */
  readonly key: string;
  readonly kind:
    | 'paused'
    | 'successors'
    | 'review_waiting'
    | 'confirm_review'
    | 'dead_letter'
    | 'silence'
    | 'stuck'
    | 'breach'
    | 'divergence'
    | 'not_ready'
    | 'retention';
  readonly severity: 'critical' | 'warning' | 'info';
  readonly since: string | null;
  /** One sentence for a person. */
  readonly title: string;
  /** Facts that it stands on, named for people, in the order to show them. */
  readonly evidence: readonly { readonly name: string; readonly value: string | number | null }[];
  readonly agent: AgentRef | null;
  readonly review_id: string | null;
  readonly saga_id: string | null;
  /** The acts that answer it, the likeliest first. */
  readonly acts: readonly NeedAct[];
}

/** An agent that went on after a pause although no operator said so. */
export interface FreeResume {
  readonly at: string;
  readonly agent: AgentRef;
  /** By the agreement of a review, by the agent itself, or because the time of the pause was over. */
  readonly how: 'review' | 'self_recovery' | 'expiry';
  /** The reviewer that agreed, or the agent itself; null: nobody, time did it. */
  readonly by: AgentRef | null;
  /** In words: what was said, or how long the pause had lasted. */
  readonly why: string | null;
  readonly review_id: string | null;
}

/** A bucket of {@link NowView.activity}. */
export interface ActivityBucket {
  readonly from: string;
  readonly proceed: number;
  readonly guide: number;
  readonly pause: number;
}

/** `GET /api/now`: what needs a person, the worst first, and the fleet at a glance. */
export interface NowView {
  readonly at: string;
  readonly ready: boolean;
  readonly needs: readonly Need[];
  /** Needs that are not listed because there are more than 200. */
  readonly more_needs: number;
  /** Agents that went on in the last day without an operator's word, the newest first; null: PostgreSQL does not answer. */
  readonly free_resumes: readonly FreeResume[] | null;
  /** Those of the last day that are not listed because there are more than 50. */
  readonly more_free_resumes: number;
  readonly agents: Readonly<Record<string, number>>;
  /** Agents that have checked in within the last five minutes. */
  readonly at_work: number;
  /** Check-ins of the last hour by verdict, in minutes, as this node's commits counted them; the oldest first. */
  readonly activity: readonly ActivityBucket[];
  /** Since when the activity is counted: a node that has just started knows less than an hour. */
  readonly activity_since: string;
  /** Active agents by risk, in tenths: ten counts. */
  readonly risk: readonly number[];
  /** Active agents whose risk is unknown: they have not checked in yet, or no evidence stands behind it. */
  readonly without_risk: number;
  /** null: PostgreSQL does not answer. */
  readonly reviews: { readonly open: number; readonly waiting: number } | null;
  /** Requests and 503s of the last minute; null: not known. */
  readonly requests: { readonly count: number; readonly unavailable: number } | null;
}

/** A line of the channel report. */
export interface ChannelLine {
  readonly type: string;
  readonly endpoint: string | null;
  readonly tool: string | null;
  readonly count: number;
  readonly agents: number;
  readonly incidents: number;
  readonly elapsed_ms: { readonly p50: number | null; readonly p99: number | null };
  readonly classes: Readonly<Record<string, number>>;
  readonly first: string;
  readonly last: string;
}

/** `GET /api/channel?since=24h&until=`: as `breakwater channel report --json`. */
export interface ChannelView {
  readonly from: string;
  readonly to: string;
  readonly failures: { readonly no_data: boolean; readonly lines: readonly ChannelLine[] };
  readonly measurements: { readonly no_data: boolean; readonly lines: readonly ChannelLine[] };
  /** Emissions that were counted but not stored. */
  readonly samples_dropped: number;
}

export interface FlagRow {
  readonly key: string;
  readonly description: string;
  readonly value: string;
  readonly default: string;
  readonly values: readonly string[];
  /** environment, stored or default. */
  readonly origin: string;
  readonly stored: {
    readonly value: unknown;
    readonly by: string;
    readonly reason: string | null;
  } | null;
}

/** `GET /api/flags`. */
export interface FlagsView {
  readonly flags: readonly FlagRow[];
  readonly history: readonly {
    readonly key: string;
    readonly from: unknown;
    readonly to: unknown;
    readonly at: string;
    readonly by: string;
    readonly reason: string;
  }[];
}

/** `GET /api/operators`: credentials without their secrets, the newest first. */
export interface OperatorsView {
  readonly operators: readonly {
    readonly name: string;
    readonly can_act: boolean;
    readonly state: 'in force' | 'expired' | 'revoked';
    readonly created_at: string;
    readonly expires_at: string;
    readonly last_seen_at: string | null;
  }[];
}

/** `GET /api/system`. */
export interface SystemView {
  readonly at: string;
  readonly version: string;
  readonly node: string;
  readonly host: string;
  readonly node_version: string;
  readonly started_at: string;
  readonly ready: boolean;
  /** Each part that must be warm, and whether it is. */
  readonly parts: Readonly<Record<string, boolean>>;
  readonly database: {
    readonly embedded: boolean;
    /** null: PostgreSQL did not answer. */
    readonly version: string | null;
    readonly bytes: number | null;
    readonly schema_version: number | null;
    readonly schema_target: number | null;
  };
  /** Nodes that are connected to the database; empty while PostgreSQL does not answer. */
  readonly nodes: readonly {
    readonly name: string;
    readonly connections: number;
    readonly since: string;
    readonly self: boolean;
  }[];
  readonly live_tables: readonly { readonly name: string; readonly rows: number }[];
  readonly mailboxes: readonly {
    readonly name: string;
    readonly loaded: number;
    readonly waiting: number;
  }[];
  readonly event_loop_ms: { readonly max: number; readonly p99: number };
  readonly channel: Readonly<
    Record<'failures' | 'measurements', { readonly waiting: number; readonly dropped: number; readonly stored: number }>
  >;
  /** Partitioned tables, as retention last saw them; null: not looked yet. */
  readonly partitions:
    | readonly {
        readonly table: string;
        readonly kept_days: number | null;
        readonly partitions: number;
        readonly oldest: string | null;
        readonly rows: number | null;
        readonly bytes: number;
        readonly months_ahead: number;
        readonly overdue: readonly string[];
      }[]
    | null;
  readonly sagas: readonly SagaView[];
}
