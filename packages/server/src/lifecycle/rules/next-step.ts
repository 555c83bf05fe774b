import type { AgentHead, Hold } from '../../agents/agent.ts';
import { standingOf } from './standings.ts';

/** The limits of self recovery (spec dialectic I). Risks are the mean of the last ten check-ins, from 0 to 1. */
export const SELF_RECOVERY_LIMITS = {
  /** Above it, check names the risk as a blocker. */
  blockerRisk: 0.65,
  /** Quick lifts a pause up to and including it. */
  quickRisk: 0.4,
  /** Review lifts a pause below it. */
  reviewRisk: 0.65,
  /** Characters that a reflection has at least, without the space around it. */
  reflectionCharacters: 20,
} as const;

/** What an agent is told to do next, in one sentence with one imperative, and the tools that it needs for it. */
export interface NextStep {
  readonly say: string;
  readonly tools: readonly string[];
}

const WATCH = ['check_working_state'] as const;
const REVIEW: NextStep = {
  say: 'Ask for a review with request_review.',
  tools: ['request_review', 'check_working_state'],
};

const until = (hold: Hold): string | null => hold.pause?.expires_at ?? null;

const ownRecovery = (head: AgentHead): NextStep => {
  const risk = head.vitals?.risk ?? Number.NaN;
  if (risk <= SELF_RECOVERY_LIMITS.quickRisk)
    return { say: 'Call self_recovery(action=quick).', tools: ['self_recovery'] };
  if (risk < SELF_RECOVERY_LIMITS.reviewRisk) {
    return {
      say: 'Call self_recovery(action=review) with a reflection on what went wrong.',
      tools: ['self_recovery'],
    };
  }
  return REVIEW;
};

const wait = (forWhat: string, hold: Hold): NextStep => {
  const end = until(hold);
  return { say: `Wait ${end === null ? '' : `until ${end}, or `}${forWhat}.`, tools: WATCH };
};

/** The operator who paused the agent, where it is known. */
const operatorOf = ({ pause }: Hold): string => {
  const name = pause?.evidence['paused_by'];
  return typeof name === 'string' ? `operator ${name}` : 'an operator';
};

/**
 * The one next step of an agent, true for how it stands. A paused agent that is told two things does the one that it
 * likes: every text that a held agent is given takes its step from here.
 */
export const nextStep = (head: AgentHead, hold: Hold | undefined): NextStep => {
  const standing = standingOf(head, hold);
  switch (standing) {
    case 'active':
    case 'pause_over':
      return { say: 'Call sync_state after the next piece of work.', tools: ['sync_state'] };
    case 'waiting_input':
      return { say: 'Call self_recovery(action=quick) once the input is there.', tools: ['self_recovery'] };
    case 'archived':
      return { say: 'Call start_session(client_session_id=…, reactivate=true).', tools: ['start_session'] };
    case 'archived_by_operator':
    case 'disabled':
      return { say: 'Wait for an operator to bring you back.', tools: WATCH };
    case 'deleted':
      return { say: 'Call start_session(force_new=true) for another agent.', tools: ['start_session'] };
    case 'claims_pause':
    case 'conditions_pause':
      return REVIEW;
    case 'risk_pause':
      return ownRecovery(head);
  }
  if (hold === undefined) throw new Error(`an agent that is ${standing} is held by something`);
  switch (standing) {
    case 'inherited':
      return wait(`for the pause of ${hold.holder.agentId}, which you descend from, to be lifted`, hold);
    case 'operator_pause':
      return wait(`for ${operatorOf(hold)} to resume you`, hold);
    case 'review_cooldown':
      return until(hold) === null
        ? wait('for an operator', hold)
        : { say: `Wait until ${until(hold) ?? ''}.`, tools: WATCH };
    case 'review_held':
      return wait('for an operator to decide, as your review agreed', hold);
    case 'unknown_pause':
      return wait('for an operator to resume you', hold);
  }
};
