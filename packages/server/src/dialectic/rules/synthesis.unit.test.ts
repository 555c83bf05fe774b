import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import type { Session } from '../session.ts';
import { reassign } from './reassign.ts';
import { submitSynthesis, takeSynthesis } from './synthesis.ts';
import { afterAntithesis, HOUR, opened, refusalOf, said, says, START, taken } from './testing/session.ts';

const OPERATOR = { agentId: null, operator: 'ann' };
const handedTo = (session: Session, agentId: string) =>
  taken(
    reassign(
      session,
      { caller: OPERATOR, candidate: { agentId, status: 'active', shortfalls: [] }, reason: 'r' },
      START,
    ),
  ).session;

/** B rejected, A tried to agree all the same. */
const blocked = () => said(said(afterAntithesis(), 'B', false), 'A', true);

describe('agreement and rounds', () => {
  it('case 13: an agreeing reviewer resolves the session', () => {
    verifies('W3-5.02', 'BW-dialectic.08');
    const { session, result } = taken(says(said(afterAntithesis(), 'B', false), 'B', true, START + HOUR));
    expect(result).toEqual({ kind: 'resolved', rounds: 2, synthesizer: null });
    expect(session).toMatchObject({ phase: 'resolved', lastParticipantAt: START + HOUR });
  });

  it('case 19: a disagreement opens the next round', () => {
    verifies('W3-5.02');
    const { result, session } = taken(says(said(afterAntithesis(), 'B', false), 'A', false));
    expect(result).toEqual({ kind: 'next_round', round: 3, maxRounds: 5 });
    expect(session.phase).toBe('synthesis');
  });

  it('case 27: no verdict counts as a disagreement', () => {
    expect(taken(says(afterAntithesis(), 'B', null)).result.kind).toBe('next_round');
  });

  it('case 24: the session fails past the last round, and what was sent is not recorded', () => {
    verifies('W3-5.02', 'W3-5.01');
    const session = said(said(afterAntithesis(opened({ maxRounds: 2 })), 'B', false), 'A', false);
    const step = taken(says(session, 'B', true));
    expect(step).toMatchObject({ messages: [], result: { kind: 'failed_max_rounds', rounds: 2 } });
    expect(step.session).toEqual({ ...session, phase: 'failed' });
  });

  it('case 25: five rounds are five disagreements', () => {
    verifies('W3-5.02');
    let session = afterAntithesis();
    for (let i = 0; i < 5; i++) session = said(session, i % 2 ? 'A' : 'B', false);
    expect(session).toMatchObject({ phase: 'synthesis', round: 6 });
    expect(said(session, 'B', false).phase).toBe('failed');
  });

  it('case 29: a third author resolves by the protocol, and is refused as a caller', () => {
    const session = afterAntithesis();
    const offer = { agentId: 'M', agrees: true, conditions: ['m'] };
    const step = taken(takeSynthesis(session, offer, START + HOUR));
    expect(step.result).toEqual({ kind: 'resolved', rounds: 1, synthesizer: 'M' });
    expect(step.session.lastParticipantAt).toBe(START);
    expect(refusalOf(submitSynthesis(session, offer, START)).code).toBe('FORBIDDEN');
  });

  it('case 50: an agreement to nothing is refused, to something said before not', () => {
    const empty = { agentId: 'B', agrees: true, conditions: [] };
    const session = afterAntithesis();
    expect(refusalOf(submitSynthesis(session, empty, START)).code).toBe('EMPTY_AGREEMENT');
    expect(taken(submitSynthesis(said(session, 'A', false), empty, START)).result.kind).toBe('resolved');
  });
});

describe('the paused agent cannot clear itself', () => {
  it('case 11: not before the verdict', () => {
    verifies('BW-dialectic.02', 'BW-dialectic.03');
    const refusal = refusalOf(says(afterAntithesis(), 'A', true));
    expect(refusal).toMatchObject({
      code: 'REVIEWER_VERDICT_PENDING',
      details: { blocked: 'reviewer_verdict_pending', reviewer_agent_id: 'B' },
    });
  });

  it('case 20: its own disagreement, and a reviewer without a verdict, are no verdict', () => {
    verifies('BW-dialectic.02');
    const session = said(said(afterAntithesis(), 'A', false), 'B', null);
    expect(refusalOf(says(session, 'A', true)).code).toBe('REVIEWER_VERDICT_PENDING');
  });

  it('case 14: not against the verdict; the first attempt is kept as refused and calls a person', () => {
    verifies('BW-dialectic.02', 'BW-dialectic.07', 'BW-dialectic.08');
    const rejected = said(afterAntithesis(), 'B', false);
    const step = taken(says(rejected, 'A', true, START + HOUR));
    expect(step.result).toMatchObject({ kind: 'self_clear_refused', refusal: { code: 'SELF_CLEAR_REFUSED' } });
    expect(step.messages).toMatchObject([{ type: 'synthesis', agentId: 'A', agrees: true, refused: true }]);
    expect(step.session).toMatchObject({
      phase: 'synthesis',
      awaitingFacilitation: true,
      facilitationSince: START + HOUR,
      lastParticipantAt: START,
    });
    expect(step.session.messages).toHaveLength(rejected.messages.length + 1);
  });

  it('case 15: the next attempts are refused without a trace', () => {
    verifies('BW-dialectic.02', 'BW-dialectic.03');
    const session = blocked();
    expect(refusalOf(says(session, 'A', true)).code).toBe('SELF_CLEAR_REFUSED');
    const later = said(session, 'B', false);
    expect(refusalOf(says(later, 'A', true)).code).toBe('SELF_CLEAR_REFUSED');
  });

  it('case 16: the reviewer lifts its objection, which answers the call for a person', () => {
    verifies('BW-dialectic.02');
    expect(said(blocked(), 'B', true)).toMatchObject({
      phase: 'resolved',
      awaitingFacilitation: false,
      facilitationSince: null,
    });
  });

  it('case 17: nor after the reviewer was replaced', () => {
    verifies('BW-dialectic.02');
    const session = handedTo(blocked(), 'C');
    expect(refusalOf(says(session, 'A', true)).code).toBe('SELF_CLEAR_REFUSED');
    expect(refusalOf(says(said(session, 'C', null), 'A', true)).code).toBe('SELF_CLEAR_REFUSED');
    expect(refusalOf(says(session, 'B', true)).code).toBe('FORBIDDEN');
  });

  it('case 18: the new reviewer can lift it', () => {
    expect(said(handedTo(blocked(), 'C'), 'C', true).phase).toBe('resolved');
  });

  it('case 21: a self review resolves by its agreement', () => {
    expect(said(afterAntithesis(opened({ reviewerAgentId: 'A' })), 'A', true).phase).toBe('resolved');
  });

  it('case 22: a self review that rejected does not', () => {
    verifies('BW-dialectic.02');
    const rejected = said(afterAntithesis(opened({ reviewerAgentId: 'A' })), 'A', false);
    expect(taken(says(rejected, 'A', true)).result.kind).toBe('self_clear_refused');
  });

  it('case 23: at no further attempt, whatever it says in between', () => {
    verifies('BW-dialectic.02', 'BW-dialectic.03');
    let session = said(said(afterAntithesis(opened({ reviewerAgentId: 'A' })), 'A', false), 'A', true);
    expect(refusalOf(says(session, 'A', true)).code).toBe('SELF_CLEAR_REFUSED');
    session = said(session, 'A', null);
    expect(refusalOf(says(session, 'A', true)).code).toBe('SELF_CLEAR_REFUSED');
  });

  it('nor when a self review was handed on and the new reviewer has said nothing', () => {
    verifies('BW-dialectic.02');
    const own = said(said(afterAntithesis(opened({ reviewerAgentId: 'A' })), 'A', false), 'A', true);
    const session = handedTo(own, 'C');
    expect(refusalOf(says(session, 'A', true)).code).toBe('REVIEWER_VERDICT_PENDING');
    expect(said(session, 'C', true).phase).toBe('resolved');
  });
});
