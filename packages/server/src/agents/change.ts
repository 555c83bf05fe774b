import type { CorroborationGrade, OutcomeType, PredictionSource, VerificationSource } from '@breakwater/contract';
import type { AgentHead, AgentStatus, Archive, Lineage, Pause, Vitals } from './agent.ts';
import type { Ground } from '../runtime/index.ts';
import type { AuditDraft, AuditRow } from './audit-chain.ts';

/** One row of core.agent_state. `json` restores the scoring state exactly. */
export interface StateRow {
  readonly integrity: number;
  readonly entropy: number;
  readonly volatility: number;
  readonly coherence: number;
  readonly risk: number;
  readonly regime: string;
  readonly epistemicClass: string;
  readonly json: Readonly<Record<string, unknown>>;
}

/** One row of core.agent_baselines, by column name. */
export interface DriftBaselineRow {
  readonly baseline_coherence: number;
  readonly baseline_confidence: number;
  readonly baseline_complexity: number;
  readonly prev_coherence: number | null;
  readonly prev_confidence: number | null;
  readonly prev_complexity: number | null;
  readonly recent_decisions: readonly string[];
  readonly decision_consistency: number;
  readonly update_count: number;
  readonly alpha: number;
}

/** One row of core.predictions. */
export interface PredictionRow {
  readonly predictionId: string;
  readonly confidence: number;
  readonly source: 'reported' | 'derived';
  /** ms since the epoch, UTC. */
  readonly expiresAt: number;
}

/** One row of audit.outcome_events. Its E, I, S, V are those of the check-in that made the claim, when one is bound. */
export interface OutcomeRow {
  readonly outcomeId: string;
  readonly type: OutcomeType;
  readonly score: number | null;
  readonly isBad: boolean;
  readonly sessionKey: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly verificationSource: VerificationSource;
  readonly predictionId: string | null;
  readonly predictionSource: PredictionSource;
  readonly updateIndex: number | null;
  readonly confidence: number | null;
  readonly grade: CorroborationGrade;
  readonly weight: number;
  readonly graded: boolean;
  readonly vitals: Pick<Vitals, 'E' | 'I' | 'S' | 'V' | 'verdict' | 'regime'> | null;
}

/** The answer kept for a repeat of the same call. */
export interface IdempotencyRow {
  readonly key: string;
  readonly requestHash: string;
  readonly reply: Readonly<Record<string, unknown>>;
}

/** One row of audit.r1_score_audit: how well a child's behaviour continues its parent's. */
export interface LineageScoreRow {
  readonly score_id: string;
  readonly parent_id: string;
  readonly plausibility: string;
  readonly components: Readonly<Record<string, unknown>>;
  readonly observations: number;
  readonly parent_mature: boolean;
  readonly reasons: readonly string[];
}

/**
 * A decided change of one agent: all of it becomes durable, or none. `events` holds at least one row: it is the
 * witness by which a commit of unknown end is found again.
 */
export interface AgentChange {
  readonly at: number;
  readonly events: readonly [AuditDraft, ...AuditDraft[]];
  readonly status?: AgentStatus;
  /** null lifts the pause. */
  readonly pause?: Pause | null;
  /** null: active again. */
  readonly archive?: Archive | null;
  readonly label?: string;
  readonly handle?: string;
  readonly purpose?: string;
  readonly tags?: readonly string[];
  /** The whole list. */
  readonly conditions?: AgentHead['conditions'];
  /** The whole text; an addition is made of the old one first. */
  readonly notes?: string;
  /** Merged into the agent's metadata, key by key. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly lineage?: Lineage;
  /** Row of audit.r1_score_audit that goes with `lineage`. */
  readonly lineageScore?: LineageScoreRow;
  /** null: the declared parent does not hold. */
  readonly parentAgentId?: null;
  /** The session that acts; a new one moves the node index by one. */
  readonly sessionKey?: string | null;
  readonly countsUpdate?: boolean;
  readonly vitals?: Vitals;
  readonly evidence?: Readonly<Record<string, unknown>>;
  readonly state?: StateRow;
  readonly driftBaseline?: DriftBaselineRow;
  readonly behaviouralStats?: Readonly<Record<string, unknown>>;
  readonly prediction?: PredictionRow;
  readonly consume?: readonly string[];
  readonly outcomes?: readonly OutcomeRow[];
  readonly idempotency?: IdempotencyRow;
}

/** A change on its way to PostgreSQL: the head after it, and the rows beside it. */
export interface AgentCommit {
  readonly before: AgentHead;
  readonly after: AgentHead;
  readonly change: AgentChange;
  readonly audit: readonly AuditRow[];
  /** What must still be so in PostgreSQL where it commits; else nothing of it is written. */
  readonly grounds: readonly Ground[];
}

/** The session that an agent is in after a change; its audit rows bear it. */
export const sessionAfter = (head: AgentHead, change: AgentChange): string | null =>
  change.sessionKey ?? head.activeSessionKey;

/**
 * The head after a change. Activity is kept to the minute: the column is indexed, and an update that leaves indexed
 * columns alone stays off the indexes; the exact instant stands in the newest state row.
 */
export const headAfter = (
  head: AgentHead,
  change: AgentChange,
  chainEnd: { auditHead: string; auditCount: number },
): AgentHead => {
  const session = sessionAfter(head, change);
  const minute = 60_000;
  const activity =
    head.lastActivityAt === null || change.at - head.lastActivityAt >= minute ? change.at : head.lastActivityAt;
  return {
    ...head,
    ...chainEnd,
    sequence: head.sequence + 1,
    updateCount: head.updateCount + (change.countsUpdate === true ? 1 : 0),
    status: change.status ?? head.status,
    pause: change.pause === undefined ? head.pause : change.pause,
    archive: change.archive === undefined ? head.archive : change.archive,
    label: change.label ?? head.label,
    handle: change.handle ?? head.handle,
    purpose: change.purpose ?? head.purpose,
    tags: change.tags ?? head.tags,
    conditions: change.conditions ?? head.conditions,
    lineage: change.lineage ?? head.lineage,
    parentAgentId: change.parentAgentId === undefined ? head.parentAgentId : change.parentAgentId,
    spawnReason: change.parentAgentId === undefined ? head.spawnReason : null,
    vitals: change.vitals ?? head.vitals,
    lastActivityAt: activity,
    activeSessionKey: session,
    nodeIndex: head.nodeIndex + (session === head.activeSessionKey ? 0 : 1),
  };
};
