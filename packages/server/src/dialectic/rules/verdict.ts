import type { Message, Session } from '../session.ts';

/** What was said in order to end the session; what was refused is no part of it (BW-dialectic.03). */
export const offersOf = ({ messages }: Pick<Session, 'messages'>): readonly Message[] =>
  messages.filter((message) => message.type === 'synthesis' && !message.refused);

const isSelfReview = (session: Session) => session.reviewerAgentId === session.pausedAgentId;

/**
 * The latest verdict that counts is a rejection. Whose counts does not depend on who the reviewer is now, so that naming
 * another lifts nothing; the paused agent's own counts in a self review only (BW-dialectic.02).
 */
export const objectionStands = (session: Session): boolean =>
  offersOf(session).findLast(
    ({ agrees, agentId }) => agrees !== null && (isSelfReview(session) || agentId !== session.pausedAgentId),
  )?.agrees === false;

/**
 * A reviewer other than the paused agent has yet to give a verdict. An antithesis by the paused agent itself is one, too:
 * it is there when a self review was handed on to somebody (BW-dialectic.02).
 */
export const isVerdictPending = (session: Session): boolean =>
  session.reviewerAgentId !== null &&
  !isSelfReview(session) &&
  session.messages.some(({ type }) => type === 'antithesis') &&
  !offersOf(session).some(({ agrees, agentId }) => agrees !== null && agentId !== session.pausedAgentId);
