import { AUDIT_EVENTS } from '@breakwater/contract';
import type { AgentChange, AgentHead, AuditDraft, Pause } from '../../agents/index.ts';
import { pauseHolds } from '../../agents/agent.ts';
import { ownHold, refusedAct } from '../../lifecycle/index.ts';
import type { ResolutionAction } from '../session.ts';
import { storeConditions, type AcceptedCondition, type StoredCondition } from './conditions.ts';

/** What a resolution asks for, and whose it is. */
export interface Execution {
  readonly action: ResolutionAction;
  readonly conditions: readonly AcceptedCondition[];
  readonly sessionId: string;
  readonly sagaId: string;
  readonly resolutionHash: string;
  /** The operator who confirmed it, where one had to. */
  readonly confirmedBy?: string | undefined;
}

/** What a resolution makes of its paused agent; `settles`: its account of claims begins anew. */
export interface Executed {
  readonly change: Pick<AgentChange, 'status' | 'pause' | 'conditions'> & { readonly events: readonly [AuditDraft] };
  readonly settles: boolean;
}

/** How long a cooldown lasts, ms (spec dialectic B.5). */
const COOLDOWN_MS = 3_600_000;

/** Why a pause that a review left in force holds, for whoever is refused by it. */
const HELD = {
  cooldown: 'A review agreed that the agent rests for a while.',
  block: 'A review agreed that the agent does not go on; an operator decides.',
  escalate: 'A review could not settle it and asks for an operator.',
} as const;

const conditionsAfter = (head: AgentHead, added: readonly AcceptedCondition[], now: number) =>
  storeConditions(head.conditions as unknown as readonly StoredCondition[], added, now);

/**
 * What each resolution does to a paused agent: `resume` makes it active under the conditions at once, `cooldown` an hour
 * from now, `block` and `escalate` keep it paused until an operator decides. Undefined: the agent is not paused, or an
 * operator paused it while the review went on, or the review would let it out of a pause that none may be asked for; it
 * stays as it is. Times are ms since the epoch, UTC.
 */
export const execute = (head: AgentHead, of: Execution, now: number): Executed | undefined => {
  if (head.status !== 'paused' || isPausedByOperator(head, now)) return undefined;
  // What keeps it in may be said of any pause.
  if ((of.action === 'resume' || of.action === 'cooldown') && isBeyondReview(head, now)) return undefined;
  const by = {
    by: 'review',
    session_id: of.sessionId,
    saga_id: of.sagaId,
    resolution_hash: of.resolutionHash,
    action: of.action,
    ...(of.confirmedBy !== undefined && { confirmed_by: of.confirmedBy }),
  };
  if (of.action === 'resume') {
    const payload = { ...by, previous_status: head.status, actuation_id: head.pause?.actuation_id ?? null };
    const conditions = conditionsAfter(head, of.conditions, now);
    const events = [{ type: AUDIT_EVENTS.agentResumed, payload }] as const;
    return { change: { status: 'active', pause: null, conditions, events }, settles: true };
  }
  const end = of.action === 'cooldown' ? now + COOLDOWN_MS : null;
  const pause: Pause = {
    paused_at: new Date(now).toISOString(),
    evidence: {},
    ...head.pause,
    actuation_id: head.pause?.actuation_id ?? of.sagaId,
    expires_at: end === null ? null : new Date(end).toISOString(),
    sub_action: `review_${of.action}`,
    reason: HELD[of.action],
  };
  const { actuation_id, sub_action, reason, expires_at } = pause;
  const payload = { ...by, actuation_id, sub_action, reason, expires_at };
  const events = [{ type: AUDIT_EVENTS.agentPaused, payload }] as const;
  return {
    change: { pause, ...(end !== null && { conditions: conditionsAfter(head, of.conditions, end) }), events },
    settles: end !== null,
  };
};

/**
 * Whether a pause is in force that no review may be asked for: a review that was under way when it began, about an earlier
 * one, does not lift it.
 */
const isBeyondReview = (head: AgentHead, now: number): boolean =>
  refusedAct('request_review', 'owner', head, ownHold(head, now)) !== undefined;

/** Whether a pause that an operator made by hand is in force. */
const isPausedByOperator = ({ status, pause }: Pick<AgentHead, 'status' | 'pause'>, now: number): boolean =>
  status === 'paused' && pause?.sub_action === 'operator_pause' && pauseHolds(pause, now);
