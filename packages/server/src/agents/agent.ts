import type {
  Action,
  MarginWord,
  Phase,
  Provenance,
  Regime,
  SubAction,
  Verdict,
  VerdictWord,
} from '@breakwater/contract';

/** The status column of truth. `disabled`, `deleted` and `waiting_input` are set by lifecycle tools. */
export type AgentStatus = 'active' | 'paused' | 'archived' | 'waiting_input' | 'disabled' | 'deleted';

/** A pause in force: why, since when, until when, and the evidence it stands on. Times are ISO 8601, UTC. */
export interface Pause {
  readonly actuation_id: string;
  readonly paused_at: string;
  /** After this instant the pause no longer holds (BW-checkin.06); null: it has no end of its own. */
  readonly expires_at: string | null;
  readonly sub_action: string;
  readonly reason: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** The newest check-in in short: what lists and the agent's own reading of itself show. */
export interface Vitals {
  readonly E: number;
  readonly I: number;
  readonly S: number;
  readonly V: number;
  /** Mean of the last ten final risks; the decision's value. */
  readonly risk: number;
  readonly risk_latest: number;
  readonly risk_word: VerdictWord;
  readonly verdict: Verdict;
  readonly action: Action;
  readonly sub_action: SubAction;
  readonly margin: MarginWord;
  readonly regime: Regime;
  readonly phase: Phase;
  /** The label of E, I, S, V. */
  readonly source: Provenance;
  readonly at: string;
  /** What all graded results say of the claims before them. */
  readonly calibration: {
    /** Over-confidence in the worst tenth of confidence, 0 to 1; null: too few results. It is no mean. */
    readonly error: number | null;
    readonly graded: number;
    /** The share of graded results that succeeded, and the mean claim; null before the first, absent in what older versions stored. */
    readonly pass_rate?: number | null;
    readonly mean_claim?: number | null;
  };
  /** The claims detector's value M; 1 says nothing. */
  readonly claims: number;
  /** What became of its claims; absent in what older versions stored. */
  readonly coverage?: CoverageAccount;
  /** A tool result with its exit code was attached to this check-in or one before; absent in what older versions stored. */
  readonly measured?: boolean;
  /** Norm of the drift vector; absent in what older versions stored. */
  readonly drift?: number;
}

/**
 * What became of an agent's claims, counted. It travels with the vitals, which every check-in writes anyway, so that each
 * node and each restart reads the same numbers.
 */
export interface CoverageAccount {
  /** Check-ins with a confidence of the agent's own. */
  readonly made: number;
  /** Claims that a graded result met in time. */
  readonly settled: number;
  /** Claims whose time ran out without one. */
  readonly expired: number;
  /** Check-ins without a confidence. */
  readonly unclaimed: number;
  /** Results that were recorded and not graded. */
  readonly ungraded: number;
  /** Wealth of each bet against settling. */
  readonly silence: readonly number[];
  /** Open claims by the hour of their expiry: the first hour (since the epoch), and a count for each from there on. */
  readonly from: number;
  readonly open: readonly number[];
}

/** The end of an agent's active life, by whom and why; it is over while this stands. */
export interface Archive {
  /** ISO 8601, UTC. */
  readonly at: string;
  /** `operator` may be undone only by an operator; the others also by the agent itself, explicitly. */
  readonly by: 'owner' | 'operator' | 'housekeeping' | 'lineage';
  /** The operator's name, or null. */
  readonly actor: string | null;
  readonly reason: string;
}

/** A declared parent, and what was found out about the claim since. Times are ISO 8601, UTC; null: not yet. */
export interface Lineage {
  readonly declared_at: string | null;
  readonly provisional: boolean;
  readonly score_id: string | null;
  readonly recorded_at: string | null;
  readonly confirmed_at: string | null;
  readonly demoted_at: string | null;
  readonly archived_at: string | null;
  readonly last_eval_at: string | null;
  readonly chain_obs_count: number;
}

/** What the process of an enrolled agent must look like; such an agent is reached over the unix socket only. */
export interface SubstrateClaim {
  /** Name of the systemd unit that must run it; null: any. */
  readonly unit: string | null;
  /** Absolute path of its executable. */
  readonly executable: string;
}

/**
 * An agent as every reader sees it: the live metadata row. Immutable; replaced whole after each commit, so that a reader
 * sees the values before an update or after it and never a mixture (W3-2.07).
 */
export interface AgentHead {
  readonly agentId: string;
  readonly identityId: number;
  readonly label: string | null;
  readonly purpose: string | null;
  readonly status: AgentStatus;
  /** Readable, never a key: model or client, and the day of birth. */
  readonly handle: string;
  readonly tags: readonly string[];
  readonly parentAgentId: string | null;
  readonly spawnReason: string | null;
  readonly threadId: string | null;
  readonly threadPosition: number | null;
  readonly lineage: Lineage;
  readonly archive: Archive | null;
  readonly substrate: SubstrateClaim | null;
  /** ms since the epoch, UTC. */
  readonly createdAt: number;
  readonly lastActivityAt: number | null;
  /** One more at every committed change; every write compares it. */
  readonly sequence: number;
  readonly updateCount: number;
  /** One more whenever the agent's active session changes (W3-2.02). */
  readonly nodeIndex: number;
  readonly activeSessionKey: string | null;
  readonly auditHead: string;
  readonly auditCount: number;
  readonly pause: Pause | null;
  readonly vitals: Vitals | null;
  /** What resolutions oblige the agent to, oldest first; the dialectic says what stands in them. */
  readonly conditions: readonly Readonly<Record<string, unknown>>[];
}

/** A pause holds up to and including its last instant. None, or one that is unreadable, fails closed: the pause holds. */
export const pauseHolds = (pause: Pause, now: number): boolean => {
  const end = Date.parse(pause.expires_at ?? '');
  return Number.isNaN(end) || now <= end;
};

const ENDED: ReadonlySet<AgentStatus> = new Set(['archived', 'disabled', 'deleted']);

/** Whether the agent is under a pause of its own; a status without its pause fails closed. */
export const isHeld = ({ status, pause }: Pick<AgentHead, 'status' | 'pause'>, now: number): boolean =>
  !ENDED.has(status) && (pause === null ? status === 'paused' : pauseHolds(pause, now));

/**
 * What tells one hold of an agent from the next, and from none (null); read the same in SQL, where a child's write commits.
 */
export const holdKey = ({ status, pause }: Pick<AgentHead, 'status' | 'pause'>): string | null => {
  if (ENDED.has(status)) return null;
  return pause?.actuation_id ?? (status === 'paused' ? 'paused' : null);
};

/** What holds an agent at an instant (ms since the epoch): a pause of its own, or one of an agent that it descends from. */
export interface Hold {
  /** The agent that is under the pause. */
  readonly holder: AgentHead;
  /** null: its status says that it is paused, and nothing says why. */
  readonly pause: Pause | null;
  /** The pause is an ancestor's. */
  readonly inherited: boolean;
  readonly now: number;
}

/** How many ancestors an agent may have: each check-in looks at all of them, so a longer line is refused at its birth. */
export const MOST_ANCESTORS = 1000;

/**
 * The line of an agent, its parent first: each ancestor's id, and its head as far as `find` knows it. One that it does not
 * know ends the line, and so does one that was there before.
 */
export function* lineOf(
  { parentAgentId }: Pick<AgentHead, 'parentAgentId'>,
  find: (agentId: string) => AgentHead | undefined,
): Generator<readonly [agentId: string, head: AgentHead | undefined]> {
  // Of most agents the line is empty, and each check-in asks.
  if (parentAgentId === null) return;
  const seen = new Set<string>();
  for (let at: string | null = parentAgentId; at !== null && !seen.has(at);) {
    seen.add(at);
    const head = find(at);
    yield [at, head];
    at = head?.parentAgentId ?? null;
  }
}

/** How many ancestors an agent has, as far as `find` knows them. */
export const ancestorsOf = (head: AgentHead, find: (agentId: string) => AgentHead | undefined): number =>
  [...lineOf(head, find)].length;

/**
 * What holds an agent: its own pause, or else that of the nearest ancestor under one, since a paused agent would otherwise
 * work on through a child that it declares. `find` knows agents by id; a parent that it does not know ends the search.
 */
export const holdOf = (
  head: AgentHead,
  find: (agentId: string) => AgentHead | undefined,
  now: number,
): Hold | undefined => {
  if (isHeld(head, now)) return { holder: head, pause: head.pause, inherited: false, now };
  for (const [, at] of lineOf(head, find)) {
    if (at !== undefined && isHeld(at, now)) return { holder: at, pause: at.pause, inherited: true, now };
  }
  return undefined;
};
