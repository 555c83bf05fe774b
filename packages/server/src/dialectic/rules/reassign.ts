import { ok, refuse, type Result } from '@breakwater/contract';
import type { AgentStatus } from '../../agents/agent.ts';
import type { Message, Session } from '../session.ts';
import { ASKING_NOBODY, hasEnded, noteOf, refusePhase, withNote, type Change } from './change.ts';
import { refuseUnqualified, type Shortfall } from './qualification.ts';

/** Who asks for another reviewer. */
export interface ReassignCaller {
  /** null: not bound to an agent. */
  readonly agentId: string | null;
  /** The name of an operator that may act; null: the caller is none. */
  readonly operator: string | null;
}

/** Who is to review. `status` null: no such agent. */
export interface ReviewerCandidate {
  readonly agentId: string;
  readonly status: AgentStatus | null;
  /** What speaks against it as a reviewer. Kinship no operator can overrule, all else one can. */
  readonly shortfalls: readonly Shortfall[];
}

/** By what right a reviewer is replaced; `sweeper` is the server itself. */
export type ReassignRole = 'operator' | 'current_reviewer' | 'sweeper';

/** A reviewer replaced. */
export interface ReassignStep extends Change {
  readonly role: ReassignRole;
  readonly oldReviewerId: string | null;
  readonly newReviewerId: string;
  /** The session had failed, and goes on. */
  readonly reopened: boolean;
}

const ASSIGNED = 'reviewer_reassigned';

const assignments = ({ messages }: Session): readonly Message[] =>
  messages.filter(({ type, observedMetrics }) => type === 'system' && observedMetrics?.['event'] === ASSIGNED);

/** When the place of the reviewer was last given to somebody else; null: never. */
export const assignedAt = (session: Session): number | null => assignments(session).at(-1)?.at ?? null;

/** The operator who gave the place to the reviewer that has it; null: no operator did. */
export const assignedBy = (session: Session): string | null => {
  const facts = assignments(session).at(-1)?.observedMetrics ?? {};
  const by = facts['new_reviewer_id'] === session.reviewerAgentId ? facts['operator'] : undefined;
  return typeof by === 'string' ? by : null;
};

/** When the session was last opened again after it had failed; null: never. */
export const reopenedAt = (session: Session): number | null =>
  assignments(session).findLast(({ observedMetrics }) => observedMetrics?.['reopened'] === true)?.at ?? null;

/**
 * Whom nobody may choose as the next reviewer: the paused agent, the reviewer, and all who had the place before. So a
 * session cannot be handed round for ever (BW-dialectic.07).
 */
export const unfitReviewers = (session: Session): ReadonlySet<string> =>
  new Set(
    [
      session.pausedAgentId,
      session.reviewerAgentId,
      ...assignments(session).map(({ observedMetrics }) => observedMetrics?.['old_reviewer_id']),
    ].filter((agentId) => typeof agentId === 'string'),
  );

/** An agent with this status takes part in nothing. */
export const cannotAct = (status: AgentStatus): boolean => status !== 'active' && status !== 'waiting_input';

/**
 * Checks a reviewer that somebody names (spec dialectic A.9): it takes part in something, is neither the paused agent nor a
 * relative of it, and unless an operator names it, has the record of a reviewer.
 */
export const checkReviewer = (
  { pausedAgentId, sessionId }: Pick<Session, 'pausedAgentId' | 'sessionId'>,
  { agentId, status, shortfalls }: ReviewerCandidate,
  role: ReassignRole,
): Result<string> => {
  const details = { new_reviewer_id: agentId };
  if (status === null)
    return refuse('AGENT_NOT_FOUND', `No agent ${agentId}.`, {
      details,
      recovery: { action: 'Name an agent that exists, or none: then one is chosen.', related_tools: ['agent'] },
    });
  if (status === 'paused') return refuse('REVIEWER_PAUSED', `Agent ${agentId} is paused itself.`, { details });
  if (agentId === pausedAgentId) return refuse('SELF_REVIEW', 'The paused agent cannot review itself.', { details });
  if (cannotAct(status))
    return refuse('AGENT_ARCHIVED', `Agent ${agentId} is ${status}.`, {
      details,
      recovery: { action: 'Name an active agent, or none: then one is chosen.', related_tools: ['agent'] },
    });
  const lacks = role === 'operator' ? shortfalls.filter(({ condition }) => condition === 'relative') : shortfalls;
  if (lacks.length > 0) return refuseUnqualified(agentId, sessionId, lacks);
  return ok(agentId);
};

/**
 * Whether the caller may name another reviewer now, and by what right (spec dialectic A.8, BW-dialectic.11): an operator or
 * the current reviewer, before the synthesis, or in any phase but `resolved` while a person is asked for. Refuses
 * REASSIGN_FORBIDDEN and INVALID_PHASE. It comes before a reviewer is looked for.
 */
export const mayReassign = (
  session: Session,
  { agentId, operator }: ReassignCaller,
): Result<'operator' | 'current_reviewer'> => {
  const isReviewer =
    agentId !== null && agentId === session.reviewerAgentId && session.reviewerAgentId !== session.pausedAgentId;
  if (operator === null && !isReviewer)
    return refuse('REASSIGN_FORBIDDEN', 'Only an operator or the current reviewer can name another reviewer.', {
      details: { reviewer_agent_id: session.reviewerAgentId },
    });
  const { phase, awaitingFacilitation } = session;
  if (phase === 'resolved' || (!awaitingFacilitation && phase !== 'thesis' && phase !== 'antithesis'))
    return refusePhase('reassign the reviewer', phase);
  return ok(operator === null ? 'current_reviewer' : 'operator');
};

/**
 * Gives the place to `reviewerId`. It answers the call for a person, and opens a failed session again where its record
 * left off: at the antithesis when there is a thesis. The inactivity clock of the participants stays as it is, but the new
 * reviewer has a time of its own from `now`.
 */
export const assignReviewer = (
  session: Session,
  {
    reviewerId,
    role,
    reason,
    operator = null,
  }: {
    readonly reviewerId: string;
    readonly role: ReassignRole;
    readonly reason: string;
    /** Its name, when an operator does it. */
    readonly operator?: string | null;
  },
  now: number,
): ReassignStep => {
  const reopened = hasEnded(session);
  const by = operator === null ? '' : ` by operator ${operator}`;
  const note = noteOf('system', `The reviewer was replaced${by}: ${reason}`, now, {
    event: ASSIGNED,
    old_reviewer_id: session.reviewerAgentId,
    new_reviewer_id: reviewerId,
    role,
    ...(operator !== null && { operator }),
    reopened,
  });
  const hasThesis = session.messages.some(({ type }) => type === 'thesis');
  const change = withNote(session, note, {
    reviewerAgentId: reviewerId,
    ...ASKING_NOBODY,
    ...(reopened && { phase: hasThesis ? 'antithesis' : 'thesis', resolution: null }),
  });
  return { ...change, role, oldReviewerId: session.reviewerAgentId, newReviewerId: reviewerId, reopened };
};

/** A wish for another reviewer. */
export interface Reassignment {
  readonly caller: ReassignCaller;
  /** null: none was named, and none found. */
  readonly candidate: ReviewerCandidate | null;
  readonly reason: string;
}

/**
 * Names another reviewer in one step (BW-dialectic.11): `mayReassign`, then the candidate, then `assignReviewer`. Refuses
 * what those refuse, and NO_REVIEWER without a candidate; a refusal changes nothing.
 */
export const reassign = (
  session: Session,
  { caller, candidate, reason }: Reassignment,
  now: number,
): Result<ReassignStep> => {
  const role = mayReassign(session, caller);
  if (!role.ok) return role;
  if (candidate === null)
    return refuse('NO_REVIEWER', 'Nobody that qualifies is free to review.', { details: { reason: 'no_candidates' } });
  const reviewer = checkReviewer(session, candidate, role.value);
  if (!reviewer.ok) return reviewer;
  const { operator } = caller;
  return ok(assignReviewer(session, { reviewerId: reviewer.value, role: role.value, reason, operator }, now));
};
