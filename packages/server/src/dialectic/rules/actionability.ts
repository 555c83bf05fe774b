import type { AgentStatus } from '../../agents/agent.ts';
import type { Session } from '../session.ts';
import { awaitsConfirmation } from './confirmation.ts';
import { isVerdictPending, objectionStands } from './verdict.ts';

/** Who looks at the session. */
export interface Viewer {
  /** null: not bound to an agent. */
  readonly agentId: string | null;
  readonly operator: boolean;
}

/** What is known of the participants, by agent id. */
export interface Known {
  label(agentId: string): string | null;
  status(agentId: string): AgentStatus | null;
}

type RequiredRole =
  | 'operator'
  | 'paused_agent'
  | 'reviewer'
  | 'participant'
  | 'reviewer_or_facilitator'
  | 'reviewer_or_operator'
  | 'none';

/** Whose move it is, as the viewer is told: in general, or `yours`, or for a participant who has to wait, `not_yours`. */
type WhoseMove =
  | 'yours'
  | 'not_yours'
  | 'paused_agent'
  | 'reviewer'
  | 'participants'
  | 'open_reviewer_slot'
  | 'operator_or_reviewer'
  | 'operator'
  | 'nobody';

type Action = 'thesis' | 'antithesis' | 'synthesis' | 'reassign' | 'confirm';

/** What a viewer can do about a session (spec dialectic B.11), in the words of the wire. */
export interface Actionability {
  readonly whose_move: WhoseMove;
  /** What the viewer can call now; null: nothing. */
  readonly next_call: { readonly tool: 'dialectic'; readonly action: Action; readonly session_id: string } | null;
  readonly paused_agent_label: string | null;
  readonly reviewer_label: string | null;
  readonly reviewer_status: AgentStatus | null;
  readonly required_role: RequiredRole;
  readonly required_agent_id: string | null;
  readonly required_agent_label: string | null;
  readonly allowed_agent_ids: readonly string[];
  readonly current_agent_id: string | null;
  readonly current_agent_role: 'operator' | 'paused_agent' | 'reviewer' | 'observer' | null;
  /** null: the viewer is bound to no agent. */
  readonly current_agent_can_submit: boolean | null;
  readonly reviewer_verdict_pending: boolean;
  readonly recommended_action: string;
}

/** What the session waits for, whoever looks. */
interface Turn {
  readonly role: RequiredRole;
  /** Agents that may make the move. */
  readonly allowed: readonly string[];
  /** The move; null: none is left. */
  readonly action: Action | null;
  /** What everybody else is told. */
  readonly others: Exclude<WhoseMove, 'yours' | 'not_yours'>;
  /** Naming another reviewer would help. */
  readonly operatorHelps: boolean;
  readonly advice: string;
}

const ONE_OF_TWO = {
  role: 'participant',
  action: 'synthesis',
  others: 'participants',
  operatorHelps: false,
  advice: 'Either participant sends a synthesis: agrees=true ends the review, agrees=false opens the next round.',
} as const;

const synthesisTurn = (session: Session): Turn => {
  const { pausedAgentId, reviewerAgentId, messages } = session;
  const reviewer = reviewerAgentId === pausedAgentId ? null : reviewerAgentId;
  const byReviewer = { role: 'reviewer', action: 'synthesis', others: 'reviewer' } as const;
  if (reviewer !== null && isVerdictPending(session)) {
    const advice = 'The reviewer gives its verdict in a synthesis.';
    return { ...byReviewer, allowed: [reviewer], operatorHelps: false, advice };
  }
  if (!objectionStands(session))
    return { ...ONE_OF_TWO, allowed: reviewer === null ? [pausedAgentId] : [pausedAgentId, reviewer] };
  if (reviewer === null)
    return {
      role: 'reviewer_or_facilitator',
      allowed: [],
      action: null,
      others: 'operator_or_reviewer',
      operatorHelps: true,
      advice: 'The paused agent rejected its own case; an operator names a reviewer.',
    };
  if (messages.findLast(({ type }) => type === 'synthesis')?.agentId === pausedAgentId) {
    const advice = 'The reviewer answers the offer of the paused agent; an operator can name another reviewer.';
    return { ...byReviewer, allowed: [reviewer], operatorHelps: true, advice };
  }
  return {
    role: 'paused_agent',
    allowed: [pausedAgentId],
    action: 'synthesis',
    others: 'paused_agent',
    operatorHelps: false,
    advice: 'The paused agent answers the objection with better conditions and agrees=false.',
  };
};

const turnOf = (session: Session): Turn => {
  const { phase, pausedAgentId, reviewerAgentId } = session;
  if (awaitsConfirmation(session))
    return {
      role: 'operator',
      allowed: [],
      action: 'confirm',
      others: 'operator',
      operatorHelps: false,
      advice: 'Both have agreed; an operator confirms or rejects it, and nothing is carried out before.',
    };
  if (phase === 'synthesis') return synthesisTurn(session);
  if (phase === 'thesis')
    return {
      role: 'paused_agent',
      allowed: [pausedAgentId],
      action: 'thesis',
      others: 'paused_agent',
      operatorHelps: false,
      advice: 'The paused agent says in a thesis what went wrong, and what it will keep to.',
    };
  if (phase === 'antithesis')
    return {
      role: 'reviewer',
      allowed: reviewerAgentId === null ? [] : [reviewerAgentId],
      action: 'antithesis',
      others: reviewerAgentId === null ? 'open_reviewer_slot' : 'reviewer',
      operatorHelps: false,
      advice:
        reviewerAgentId === null
          ? 'The first other agent that sends an antithesis becomes the reviewer.'
          : 'The reviewer answers the thesis with an antithesis.',
    };
  if (phase === 'failed' && session.awaitingFacilitation)
    return {
      role: 'reviewer_or_operator',
      allowed: reviewerAgentId === null || reviewerAgentId === pausedAgentId ? [] : [reviewerAgentId],
      action: 'reassign',
      others: 'operator_or_reviewer',
      operatorHelps: true,
      advice: 'An operator or the reviewer opens the review again by naming another reviewer.',
    };
  const advice = 'Nothing is left to do here; a new review can be requested.';
  return { role: 'none', allowed: [], action: null, others: 'nobody', operatorHelps: false, advice };
};

const roleOf = ({ pausedAgentId, reviewerAgentId }: Session, { agentId, operator }: Viewer) => {
  if (operator) return 'operator';
  if (agentId === null) return null;
  if (agentId === pausedAgentId) return 'paused_agent';
  return agentId === reviewerAgentId ? 'reviewer' : 'observer';
};

/** The move that a session awaits from its reviewer and from nobody else; null: none. */
export const reviewersMove = (session: Session): 'antithesis' | 'synthesis' | null => {
  const { role, action, allowed } = turnOf(session);
  const isReviewers = role === 'reviewer' && allowed.length > 0 && session.reviewerAgentId !== session.pausedAgentId;
  return isReviewers && (action === 'antithesis' || action === 'synthesis') ? action : null;
};

/** Tells a viewer whose move it is and which call it can make (spec dialectic B.11). */
export const actionabilityOf = (session: Session, viewer: Viewer, known: Known): Actionability => {
  const turn = turnOf(session);
  const role = roleOf(session, viewer);
  const open = turn.others === 'open_reviewer_slot';
  const canTake = open && viewer.agentId !== session.pausedAgentId;
  const isAllowed = viewer.agentId !== null && (turn.allowed.includes(viewer.agentId) || canTake);
  const reassigns =
    viewer.operator &&
    turn.action !== 'confirm' &&
    (turn.operatorHelps || (session.awaitingFacilitation && turn.action !== null));
  const waits = (role === 'paused_agent' || role === 'reviewer') && turn.others !== 'nobody' && !open;

  const confirms = viewer.operator && turn.action === 'confirm';
  const may = isAllowed || canTake || confirms;
  const move = reassigns && !may ? 'reassign' : may ? turn.action : null;
  const requiredId = turn.role === 'participant' ? null : (turn.allowed[0] ?? null);
  const yours = (isAllowed && !open) || move === 'reassign' || confirms;
  return {
    whose_move: yours ? 'yours' : waits ? 'not_yours' : turn.others,
    next_call: move === null ? null : { tool: 'dialectic', action: move, session_id: session.sessionId },
    paused_agent_label: known.label(session.pausedAgentId),
    reviewer_label: session.reviewerAgentId === null ? null : known.label(session.reviewerAgentId),
    reviewer_status: session.reviewerAgentId === null ? null : known.status(session.reviewerAgentId),
    required_role: turn.role,
    required_agent_id: requiredId,
    required_agent_label: requiredId === null ? null : known.label(requiredId),
    allowed_agent_ids: turn.allowed,
    current_agent_id: viewer.agentId,
    current_agent_role: role,
    current_agent_can_submit: viewer.agentId === null ? null : isAllowed,
    reviewer_verdict_pending: session.phase === 'synthesis' && isVerdictPending(session),
    recommended_action: turn.advice,
  };
};
