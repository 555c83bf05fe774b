import type { AgentStatus } from '../../agents/agent.ts';
import type { Session } from '../session.ts';
import { asking, failSession, hasEnded, noteOf, withNote, type Change } from './change.ts';
import { assignedAt, assignReviewer, type ReassignStep } from './reassign.ts';
import { FACILITATION_LIMIT, isOverTotal, isReviewerStuck, limitsOf, SILENCE_LIMIT, timeoutOf } from './timeouts.ts';

/** What has to be known of a session's surroundings to decide on its times. */
export interface Surroundings {
  /** null: the reviewer is unknown; without meaning while the place is open. */
  readonly reviewerStatus: AgentStatus | null;
  /** Who could take the place, when `wantsReplacement`; null: nobody. */
  readonly replacement: string | null;
}

/** What the times made of a session; `left`: nothing, and nothing is to be stored. */
export type Tended =
  | { readonly action: 'left' }
  | (ReassignStep & { readonly action: 'reassigned' })
  | (Change & { readonly action: 'facilitation_asked' })
  | (Change & { readonly action: 'failed'; readonly why: string });

const LEFT: Tended = { action: 'left' };

const failed = (session: Session, why: string, now: number): Tended => ({
  ...failSession(session, why, now),
  action: 'failed',
  why,
});

/** The reviewer will not answer, and the session may still have another: look for one (but for `unfitReviewers`). */
export const wantsReplacement = (session: Session, reviewerStatus: AgentStatus | null, now: number): boolean =>
  isReviewerStuck(session, reviewerStatus, now) && (session.awaitingFacilitation || !isOverTotal(session, now));

/** A person has been asked for, for too long; measured from the first asking (BW-dialectic.07). */
const isFacilitationOver = ({ facilitationSince }: Session, now: number): boolean =>
  facilitationSince !== null && now - facilitationSince > FACILITATION_LIMIT;

/**
 * Holds a session against its times, for whoever looks at it (spec dialectic B.6, W3-5.03). A reviewer that will not answer
 * is replaced, or a person is asked for, once. A session that waits for a person ends after 4 h of that and not before;
 * any other ends as failed when one of its times is over.
 */
export const tend = (session: Session, { reviewerStatus, replacement }: Surroundings, now: number): Tended => {
  if (hasEnded(session)) return LEFT;
  if (wantsReplacement(session, reviewerStatus, now)) {
    if (replacement !== null) {
      const reason = 'The reviewer did not answer.';
      const step = assignReviewer(session, { reviewerId: replacement, role: 'sweeper', reason }, now);
      return { ...step, action: 'reassigned' };
    }
    if (!session.awaitingFacilitation) {
      const note = noteOf('system', 'The reviewer does not answer, and nobody is free to replace it.', now);
      return { ...withNote(session, note, asking(session, now)), action: 'facilitation_asked' };
    }
  }
  if (session.awaitingFacilitation)
    return isFacilitationOver(session, now) ? failed(session, 'Nobody named a reviewer within 4 hours.', now) : LEFT;
  const timeout = timeoutOf(session, now);
  return timeout === null ? LEFT : failed(session, timeout, now);
};

/** How long nobody may do anything: 2 h, or what the type of the session allows in the phase when that is longer. */
const idleLimit = (session: Session): number => {
  const { antithesis, synthesis } = limitsOf(session);
  if (session.phase === 'antithesis' && session.reviewerAgentId !== null) return SILENCE_LIMIT;
  return Math.max(SILENCE_LIMIT, session.phase === 'synthesis' ? synthesis : antithesis);
};

/**
 * Holds a session against its times when nobody looks at it (spec dialectic A.6): it is left alone until nobody did
 * anything for 2 h, then it is tended, and ends as failed when it waits for nobody. A session whose resolution is being
 * carried out is not to be swept.
 */
export const sweep = (session: Session, surroundings: Surroundings, now: number): Tended => {
  if (hasEnded(session)) return LEFT;
  const idle = now - Math.max(session.lastParticipantAt, assignedAt(session) ?? 0);
  if (idle <= idleLimit(session) && !isFacilitationOver(session, now)) return LEFT;
  const tended = tend(session, surroundings, now);
  if (tended.action !== 'left' || session.awaitingFacilitation) return tended;
  return failed(session, `Nobody did anything for ${(idle / 3_600_000).toFixed(1)} hours.`, now);
};
