import type { Result, Refusal } from '@breakwater/contract';
import { expect } from 'vitest';
import type { Session } from '../../session.ts';
import { finalise, type ResolutionTerms } from '../finalise.ts';
import { mergeOffers } from '../merge.ts';
import { openSession, submitAntithesis, submitThesis, type Opening } from '../protocol.ts';
import { submitSynthesis } from '../synthesis.ts';

export const HOUR = 3_600_000;
export const START = Date.UTC(2026, 4, 13, 12);

export const taken = <T>(outcome: Result<T>): T => {
  if (!outcome.ok) throw new Error(`${outcome.refusal.code}: ${outcome.refusal.message}`);
  return outcome.value;
};

export const refusalOf = (outcome: Result<unknown>): Refusal => {
  expect(outcome.ok).toBe(false);
  return (outcome as Extract<typeof outcome, { ok: false }>).refusal;
};

/** A session of A, reviewed by B unless told otherwise, before the thesis. */
export const opened = (opening: Partial<Opening> = {}, now = START): Session =>
  openSession(
    {
      sessionId: 'S1',
      pausedAgentId: 'A',
      reviewerAgentId: 'B',
      sessionType: 'review',
      maxRounds: 5,
      topic: null,
      reason: null,
      triggerSource: null,
      discoveryId: null,
      disputeType: null,
      pausedAgentState: {},
      awaitingFacilitation: false,
      ...opening,
    },
    now,
  );

export const THESIS = { agentId: 'A', rootCause: 'rc', conditions: ['Reduce complexity to 0.3'], reasoning: 'why' };

export const afterThesis = (session = opened(), now = START): Session =>
  taken(submitThesis(session, THESIS, now)).session;

export const afterAntithesis = (session = opened(), now = START): Session =>
  taken(
    submitAntithesis(
      afterThesis(session, now),
      { agentId: session.reviewerAgentId ?? 'C', reasoning: 'counter', concerns: ['c'] },
      now,
    ),
  ).session;

/** A synthesis by `agentId` with conditions of its own. */
export const says = (session: Session, agentId: string, agrees: boolean | null, now = START) =>
  submitSynthesis(
    session,
    { agentId, agrees, conditions: [`of ${agentId}`], rootCause: `${agentId} rc`, reasoning: `${agentId} r` },
    now,
  );

/** The session after it, which has to be taken. */
export const said = (session: Session, agentId: string, agrees: boolean | null, now = START): Session =>
  taken(says(session, agentId, agrees, now)).session;

/** The terms of a session that is resolved, with what is to be merged merged here. */
export const termsOf = (session: Session): ResolutionTerms => {
  const final = taken(finalise(session));
  if (!('merge' in final)) return final;
  const { a, b, record } = final.merge;
  return { action: final.action, ...mergeOffers(a, b, record) };
};
