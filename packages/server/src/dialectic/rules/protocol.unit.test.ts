import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { submitAntithesis, submitThesis } from './protocol.ts';
import {
  afterAntithesis,
  afterThesis,
  HOUR,
  opened,
  refusalOf,
  said,
  says,
  START,
  taken,
  THESIS,
} from './testing/session.ts';

const ANSWER = { agentId: 'B', reasoning: 'counter' };

describe('a new session', () => {
  it('case 26: gives an exploration ten rounds at least', () => {
    expect(opened({ sessionType: 'exploration', maxRounds: 3 }).maxRounds).toBe(10);
    expect(opened({ sessionType: 'exploration', maxRounds: 12 }).maxRounds).toBe(12);
    expect(opened({ maxRounds: 3 }).maxRounds).toBe(3);
  });

  it('asks for a person from the start when no reviewer was found', () => {
    verifies('BW-dialectic.07');
    const session = opened({ reviewerAgentId: null, awaitingFacilitation: true });
    expect(session).toMatchObject({ phase: 'thesis', awaitingFacilitation: true, facilitationSince: START });
    expect(opened()).toMatchObject({ awaitingFacilitation: false, facilitationSince: null });
  });
});

describe('the thesis', () => {
  it('case 1: moves the session on', () => {
    verifies('W3-5.01', 'BW-dialectic.08');
    const { session, messages } = taken(submitThesis(opened(), THESIS, START + HOUR));
    expect(session).toMatchObject({ phase: 'antithesis', round: 0, lastParticipantAt: START + HOUR, messages });
    expect(messages).toMatchObject([
      { type: 'thesis', agentId: 'A', at: START + HOUR, rootCause: 'rc', refused: false },
    ]);
  });

  it('case 2: is refused to the reviewer', () => {
    expect(refusalOf(submitThesis(opened(), { ...THESIS, agentId: 'B' }, START)).code).toBe('FORBIDDEN');
  });

  it('case 3: is refused without a root cause', () => {
    const refusal = refusalOf(submitThesis(opened(), { ...THESIS, rootCause: '  ' }, START));
    expect(refusal).toMatchObject({ code: 'PARAMETER_ERROR', details: { field: 'root_cause' } });
  });

  it.each([[[]], [[' ']], [null]])('case 4: is refused with the conditions %j', (conditions) => {
    const refusal = refusalOf(submitThesis(opened(), { ...THESIS, conditions }, START));
    expect(refusal).toMatchObject({ code: 'PARAMETER_ERROR', details: { field: 'proposed_conditions' } });
  });

  it('case 5: is refused a second time, naming the phase', () => {
    verifies('W3-5.01');
    const refusal = refusalOf(submitThesis(afterThesis(), THESIS, START));
    expect(refusal).toMatchObject({ code: 'INVALID_PHASE', details: { phase: 'antithesis' } });
    expect(refusal.message).toContain('antithesis');
  });
});

describe('the antithesis', () => {
  it('moves the session on, into the first round', () => {
    verifies('W3-5.01', 'BW-dialectic.08');
    const { session, claimed, messages } = taken(submitAntithesis(afterThesis(), ANSWER, START + HOUR));
    expect(session).toMatchObject({ phase: 'synthesis', round: 1, lastParticipantAt: START + HOUR });
    expect(session.messages).toHaveLength(2);
    expect(messages).toHaveLength(1);
    expect(claimed).toBe(false);
  });

  it('case 6: is refused before the thesis, naming the phase', () => {
    verifies('W3-5.01');
    const refusal = refusalOf(submitAntithesis(opened(), ANSWER, START));
    expect(refusal).toMatchObject({ code: 'INVALID_PHASE', details: { phase: 'thesis' } });
  });

  it('case 7: is refused to an outsider when the place is taken', () => {
    expect(refusalOf(submitAntithesis(afterThesis(), { ...ANSWER, agentId: 'C' }, START)).code).toBe('FORBIDDEN');
  });

  it('case 8: is refused to the paused agent at an open place', () => {
    verifies('BW-dialectic.02');
    const session = afterThesis(opened({ reviewerAgentId: null }));
    expect(refusalOf(submitAntithesis(session, { ...ANSWER, agentId: 'A' }, START)).code).toBe('SELF_REVIEW');
  });

  it('case 9: gives an open place to the first who answers, which answers the call for a person', () => {
    const session = afterThesis(opened({ reviewerAgentId: null, awaitingFacilitation: true }));
    expect(taken(submitAntithesis(session, { ...ANSWER, agentId: 'C' }, START))).toMatchObject({
      claimed: true,
      session: {
        reviewerAgentId: 'C',
        round: 1,
        awaitingFacilitation: false,
        facilitationSince: null,
        lastParticipantAt: START,
      },
    });
  });

  it('case 10: leaves the place open when it is refused', () => {
    verifies('BW-dialectic.03');
    const open = opened({ reviewerAgentId: null });
    const session = afterThesis(open);
    const blank = submitAntithesis(session, { agentId: 'C', reasoning: ' ' }, START);
    expect(refusalOf(blank)).toMatchObject({ code: 'PARAMETER_ERROR', details: { field: 'reasoning' } });
    expect(refusalOf(submitAntithesis(open, { ...ANSWER, agentId: 'C' }, START)).code).toBe('INVALID_PHASE');
    expect(taken(submitAntithesis(session, { ...ANSWER, agentId: 'D' }, START)).session.reviewerAgentId).toBe('D');
  });
});

describe('an ended session', () => {
  it('case 28: refuses everything, naming the phase', () => {
    verifies('W3-5.01');
    const resolved = said(afterAntithesis(), 'B', true);
    for (const phase of ['resolved', 'failed'] as const) {
      const session = { ...resolved, phase };
      for (const outcome of [
        submitThesis(session, THESIS, START),
        submitAntithesis(session, ANSWER, START),
        says(session, 'B', true),
        says(session, 'A', null),
      ])
        expect(refusalOf(outcome)).toMatchObject({ code: 'INVALID_PHASE', details: { phase } });
    }
  });
});
