import { ok, refuse, type Result, type Refusal } from '@breakwater/contract';
import type { Session } from '../session.ts';
import {
  asking,
  ASKING_NOBODY,
  entryOf,
  isParticipant,
  refusePhase,
  withEntry,
  withNote,
  type Change,
  type Submission,
} from './change.ts';
import { isVerdictPending, objectionStands, offersOf } from './verdict.ts';

/** A synthesis: an offer, and whether its author agrees. null is no verdict and counts as not agreeing. */
export interface SynthesisSubmission extends Submission {
  readonly agrees: boolean | null;
}

/** What came of a synthesis that changed the session; it is to be stored whatever the kind. */
export type SynthesisResult =
  /** `synthesizer`: the author, when it is neither the paused agent nor the reviewer. */
  | { readonly kind: 'resolved'; readonly rounds: number; readonly synthesizer: string | null }
  | { readonly kind: 'next_round'; readonly round: number; readonly maxRounds: number }
  /** Recorded as refused, and a person is asked for; the author is told `refusal`. */
  | { readonly kind: 'self_clear_refused'; readonly refusal: Refusal }
  /** The session has failed; what was sent is not in its record. */
  | { readonly kind: 'failed_max_rounds'; readonly rounds: number };

/** A session after a synthesis. */
export interface SynthesisStep extends Change {
  readonly result: SynthesisResult;
}

const refuseSelfClear = (session: Session) =>
  refuse('SELF_CLEAR_REFUSED', 'The paused agent cannot agree against an objection that stands.', {
    details: {
      blocked: 'reviewer_objection_stands',
      phase: session.phase,
      reviewer_agent_id: session.reviewerAgentId,
      awaiting_facilitation: session.awaitingFacilitation,
    },
  });

const refuseBeforeVerdict = (session: Session) =>
  refuse('REVIEWER_VERDICT_PENDING', 'The paused agent cannot agree before its reviewer has given a verdict.', {
    details: {
      blocked: 'reviewer_verdict_pending',
      phase: session.phase,
      reviewer_agent_id: session.reviewerAgentId,
      awaiting_facilitation: session.awaitingFacilitation,
    },
  });

/**
 * The first attempt against an objection is kept, so that whoever is called sees it; it takes a round like any synthesis,
 * and does not start the inactivity clock again.
 */
const keepRefused = (session: Session, said: SynthesisSubmission, now: number): SynthesisStep => {
  const change = withNote(
    session,
    { ...entryOf('synthesis', said, now), refused: true },
    { round: session.round + 1, ...asking(session, now) },
  );
  return { ...change, result: { kind: 'self_clear_refused', refusal: refuseSelfClear(change.session).refusal } };
};

/**
 * Takes a synthesis by whomever (spec dialectic A.4, W3-5.02): the first that agrees resolves the session, any other opens
 * the next round, and past the last round the session fails. The paused agent cannot clear itself before a verdict, nor
 * against one (BW-dialectic.02): REVIEWER_VERDICT_PENDING and SELF_CLEAR_REFUSED, and nothing changes, but that the first
 * attempt against an objection is kept. Refuses INVALID_PHASE but in the third phase.
 */
export const takeSynthesis = (session: Session, said: SynthesisSubmission, now: number): Result<SynthesisStep> => {
  if (session.phase !== 'synthesis') return refusePhase('submit synthesis', session.phase);
  const { round, maxRounds, pausedAgentId } = session;
  if (round > maxRounds)
    return ok({
      session: { ...session, phase: 'failed' },
      messages: [],
      result: { kind: 'failed_max_rounds', rounds: round - 1 },
    });
  if (said.agrees === true && said.agentId === pausedAgentId) {
    if (isVerdictPending(session)) return refuseBeforeVerdict(session);
    if (objectionStands(session))
      return session.messages.some(({ refused }) => refused)
        ? refuseSelfClear(session)
        : ok(keepRefused(session, said, now));
  }
  const entry = entryOf('synthesis', said, now);
  if (said.agrees === true)
    return ok({
      ...withEntry(session, entry, { phase: 'resolved', ...ASKING_NOBODY }),
      result: {
        kind: 'resolved',
        rounds: round,
        synthesizer: isParticipant(session, said.agentId) ? null : said.agentId,
      },
    });
  return ok({
    ...withEntry(session, entry, { round: round + 1 }),
    result: { kind: 'next_round', round: round + 1, maxRounds },
  });
};

/**
 * Takes a synthesis by a participant (spec dialectic B.5): `takeSynthesis`, and refuses FORBIDDEN to anybody else, and
 * EMPTY_AGREEMENT when it agrees to let the agent go on and neither it nor an earlier one has conditions.
 */
export const submitSynthesis = (session: Session, said: SynthesisSubmission, now: number): Result<SynthesisStep> => {
  if (!isParticipant(session, said.agentId))
    return refuse('FORBIDDEN', 'Only the paused agent and its reviewer can submit a synthesis.', {
      details: { paused_agent_id: session.pausedAgentId, reviewer_agent_id: session.reviewerAgentId },
      recovery: { action: 'Leave it to the participants.', related_tools: ['dialectic'] },
    });
  const offers = [{ conditions: said.conditions ?? [] }, ...offersOf(session)];
  if (
    session.phase === 'synthesis' &&
    said.agrees === true &&
    said.proposedAction !== 'block' &&
    said.proposedAction !== 'escalate' &&
    offers.every(({ conditions }) => conditions.length === 0)
  )
    return refuse('EMPTY_AGREEMENT', 'There are no conditions to agree to.', {
      details: { field: 'proposed_conditions' },
    });
  return takeSynthesis(session, said, now);
};
