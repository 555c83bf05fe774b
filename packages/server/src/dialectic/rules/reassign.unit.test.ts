import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { failSession } from './change.ts';
import { checkReviewer, mayReassign, reassign, unfitReviewers } from './reassign.ts';
import { afterAntithesis, afterThesis, HOUR, opened, refusalOf, said, START, taken } from './testing/session.ts';

const OPERATOR = { agentId: null, operator: 'ann' };
const by = (agentId: string | null) => ({ agentId, operator: null });
const C = { agentId: 'C', status: 'active', shortfalls: [] } as const;
const toC = (caller: { agentId: string | null; operator: string | null }) => ({
  caller,
  candidate: C,
  reason: 'silent',
});

describe('who may name another reviewer', () => {
  it('case 66: not the paused agent, not an outsider, nobody unbound', () => {
    verifies('BW-dialectic.11');
    for (const agentId of ['A', 'X', null])
      expect(refusalOf(mayReassign(afterThesis(), by(agentId))).code).toBe('REASSIGN_FORBIDDEN');
    const own = afterThesis(opened({ reviewerAgentId: 'A' }));
    expect(refusalOf(reassign(own, toC(by('A')), START)).code).toBe('REASSIGN_FORBIDDEN');
    const open = afterThesis(opened({ reviewerAgentId: null }));
    expect(refusalOf(mayReassign(open, by(null))).code).toBe('REASSIGN_FORBIDDEN');
  });

  it('case 67: the current reviewer hands the review on', () => {
    verifies('BW-dialectic.11');
    const session = afterThesis();
    const step = taken(reassign(session, toC(by('B')), START + HOUR));
    expect(step).toMatchObject({ role: 'current_reviewer', oldReviewerId: 'B', newReviewerId: 'C', reopened: false });
    expect(step.session).toMatchObject({ reviewerAgentId: 'C', phase: 'antithesis', lastParticipantAt: START });
    expect(step.messages).toMatchObject([
      { type: 'system', agentId: 'system', reasoning: 'The reviewer was replaced: silent' },
    ]);
    expect([...unfitReviewers(step.session)]).toEqual(['A', 'C', 'B']);
  });

  it('case 68: not in the synthesis phase, unless a person is asked for', () => {
    verifies('BW-dialectic.11');
    const session = afterAntithesis();
    expect(refusalOf(reassign(session, toC(OPERATOR), START))).toMatchObject({
      code: 'INVALID_PHASE',
      details: { phase: 'synthesis' },
    });
    const asked = { ...session, awaitingFacilitation: true, facilitationSince: START };
    expect(taken(reassign(asked, toC(OPERATOR), START)).session).toMatchObject({
      phase: 'synthesis',
      awaitingFacilitation: false,
      facilitationSince: null,
    });
  });
});

describe('a failed session', () => {
  const asked = { awaitingFacilitation: true, facilitationSince: START } as const;

  it('case 69: is opened again when it waits for a person', () => {
    verifies('BW-dialectic.11');
    const failed = failSession({ ...afterThesis(), ...asked }, 'why', START).session;
    const step = taken(reassign(failed, toC(OPERATOR), START + HOUR));
    expect(step).toMatchObject({
      role: 'operator',
      reopened: true,
      messages: [
        { reasoning: 'The reviewer was replaced by operator ann: silent', observedMetrics: { operator: 'ann' } },
      ],
    });
    expect(step.session).toMatchObject({
      reviewerAgentId: 'C',
      phase: 'antithesis',
      awaitingFacilitation: false,
      facilitationSince: null,
      resolution: null,
    });
    const early = failSession({ ...opened(), ...asked }, 'why', START).session;
    expect(taken(reassign(early, toC(OPERATOR), START)).session.phase).toBe('thesis');
  });

  it('case 70: stays failed when it does not', () => {
    verifies('BW-dialectic.11');
    const failed = failSession(afterThesis(), 'why', START).session;
    expect(refusalOf(reassign(failed, toC(OPERATOR), START))).toMatchObject({
      code: 'INVALID_PHASE',
      details: { phase: 'failed' },
    });
  });

  it('is not to be had from a resolved one, whatever its flag', () => {
    const resolved = { ...said(afterAntithesis(), 'B', true), ...asked };
    expect(refusalOf(reassign(resolved, toC(OPERATOR), START)).code).toBe('INVALID_PHASE');
  });
});

describe('who can be named', () => {
  it.each([
    ['X', null, 'AGENT_NOT_FOUND'],
    ['X', 'paused', 'REVIEWER_PAUSED'],
    ['A', 'active', 'SELF_REVIEW'],
    ['X', 'archived', 'AGENT_ARCHIVED'],
  ] as const)('%s with status %s is refused %s', (agentId, status, code) => {
    verifies('BW-dialectic.11');
    const candidate = { agentId, status, shortfalls: [] };
    expect(refusalOf(checkReviewer(afterThesis(), candidate, 'operator')).code).toBe(code);
    const wish = { caller: OPERATOR, candidate, reason: 'r' };
    expect(refusalOf(reassign(afterThesis(), wish, START)).code).toBe(code);
  });

  it('nobody, when nobody is free', () => {
    const outcome = reassign(afterThesis(), { caller: OPERATOR, candidate: null, reason: 'r' }, START);
    expect(refusalOf(outcome)).toMatchObject({ code: 'NO_REVIEWER', details: { reason: 'no_candidates' } });
  });
});
