import { ok, refuse, type Result } from '@breakwater/contract';
import type { Session } from '../session.ts';
import { asking, ASKING_NOBODY, entryOf, refusePhase, withEntry, type Change, type Submission } from './change.ts';

/** What a session begins with. */
export interface Opening extends Pick<
  Session,
  | 'sessionId'
  | 'pausedAgentId'
  | 'reviewerAgentId'
  | 'sessionType'
  | 'maxRounds'
  | 'topic'
  | 'reason'
  | 'triggerSource'
  | 'discoveryId'
  | 'disputeType'
  | 'pausedAgentState'
> {
  /** A person is asked for from the start, since a reviewer was looked for and none found. */
  readonly awaitingFacilitation: boolean;
}

const EXPLORATION_ROUNDS = 10;

/** A new session at `now` (spec dialectic A.2): before the thesis, nothing said. An exploration has ten rounds or more. */
export const openSession = (opening: Opening, now: number): Session => {
  const session: Session = {
    ...opening,
    maxRounds:
      opening.sessionType === 'exploration' ? Math.max(opening.maxRounds, EXPLORATION_ROUNDS) : opening.maxRounds,
    phase: 'thesis',
    createdAt: now,
    lastParticipantAt: now,
    round: 0,
    facilitationSince: null,
    messages: [],
    resolution: null,
    confirmation: null,
  };
  return opening.awaitingFacilitation ? { ...session, ...asking(session, now) } : session;
};

const isBlank = (text: string | null | undefined) => (text ?? '').trim() === '';

const lacking = (field: string, message: string, action: string) =>
  refuse('PARAMETER_ERROR', message, { details: { field }, recovery: { action, related_tools: ['dialectic'] } });

/**
 * The paused agent says what went wrong and what it offers (spec dialectic A.4). Refuses FORBIDDEN to anybody else,
 * INVALID_PHASE but in the first phase, PARAMETER_ERROR without a root cause or a condition.
 */
export const submitThesis = (session: Session, said: Submission, now: number): Result<Change> => {
  if (said.agentId !== session.pausedAgentId)
    return refuse('FORBIDDEN', 'Only the paused agent can submit the thesis.', {
      details: { paused_agent_id: session.pausedAgentId },
      recovery: { action: 'Wait for the thesis; dialectic(action=get) shows it.', related_tools: ['dialectic'] },
    });
  if (session.phase !== 'thesis') return refusePhase('submit thesis', session.phase);
  if (isBlank(said.rootCause))
    return lacking('root_cause', 'A thesis needs a root cause.', 'Say in root_cause what you think happened.');
  if (!said.conditions?.some((condition) => !isBlank(condition)))
    return lacking(
      'proposed_conditions',
      'A thesis needs a condition at least.',
      'Say in proposed_conditions what you will keep to.',
    );
  return ok(withEntry(session, entryOf('thesis', said, now), { phase: 'antithesis' }));
};

/** An answer that was taken. */
export interface AntithesisStep extends Change {
  /** The place was open, and the author has it now. */
  readonly claimed: boolean;
}

/**
 * The reviewer answers the thesis; an open place belongs to the first who does (spec dialectic A.4). It answers a call for
 * a person, too. Refuses SELF_REVIEW to the paused agent at an open place, FORBIDDEN to others at a taken one,
 * INVALID_PHASE but in the second phase, PARAMETER_ERROR without a reasoning. A refusal leaves the place open
 * (BW-dialectic.03).
 */
export const submitAntithesis = (session: Session, said: Submission, now: number): Result<AntithesisStep> => {
  const claimed = session.reviewerAgentId === null;
  if (claimed && said.agentId === session.pausedAgentId)
    return refuse('SELF_REVIEW', 'The paused agent cannot take the open place of its reviewer.', {
      recovery: { action: 'Wait for another agent to answer.', related_tools: ['dialectic'] },
    });
  if (!claimed && said.agentId !== session.reviewerAgentId)
    return refuse('FORBIDDEN', 'Only the reviewer can submit the antithesis.', {
      details: { reviewer_agent_id: session.reviewerAgentId },
      recovery: {
        action: 'Leave it to the reviewer; an operator can name another with dialectic(action=reassign).',
        related_tools: ['dialectic'],
      },
    });
  if (session.phase !== 'antithesis') return refusePhase('submit antithesis', session.phase);
  if (isBlank(said.reasoning))
    return lacking('reasoning', 'An antithesis needs a reasoning.', 'Say in reasoning how you see it.');
  const change = withEntry({ ...session, reviewerAgentId: said.agentId }, entryOf('antithesis', said, now), {
    phase: 'synthesis',
    round: 1,
    ...ASKING_NOBODY,
  });
  return ok({ ...change, claimed });
};
