import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import type { Session } from '../session.ts';
import { assignReviewer } from './reassign.ts';
import { isReviewerStuck, timeoutOf } from './timeouts.ts';
import { afterAntithesis, afterThesis, HOUR, opened, said, START } from './testing/session.ts';

const at = (hours: number) => START + hours * HOUR;
const handed = (session: Session, hours: number) =>
  assignReviewer(session, { reviewerId: 'C', role: 'operator', reason: 'r' }, at(hours)).session;

describe('which time is over', () => {
  it('case 31: the total, after 6 h and not before', () => {
    expect(timeoutOf(opened(), at(6))).toBeNull();
    expect(timeoutOf(opened(), at(6) + 1)).toBe('Session timeout - total time exceeded 6 hours');
  });

  it('case 32: the wait for the antithesis', () => {
    expect(timeoutOf(afterThesis(), at(2))).toBeNull();
    expect(timeoutOf(afterThesis(), at(2.01))).toBe('Reviewer timeout - waited 2.0 hours for antithesis');
  });

  it('case 33: the wait for the next synthesis, since the last one that counted', () => {
    verifies('BW-dialectic.08');
    const session = said(afterAntithesis(), 'B', false, at(1));
    expect(timeoutOf(session, at(2))).toBeNull();
    expect(timeoutOf(session, at(2.01))).toBe('Synthesis timeout - waited 1.0 hours for next synthesis');
    expect(timeoutOf(said(session, 'A', true, at(1.5)), at(2.01))).toMatch(/^Synthesis timeout/);
  });

  it('case 34: a design review may take its time, also as read back from its stored form', () => {
    verifies('BW-dialectic.04');
    const session = afterThesis(opened({ sessionType: 'design_review' }));
    const reloaded = JSON.parse(JSON.stringify(session)) as Session;
    expect([3, 7 * 24, 7 * 24 + 0.1].map((hours) => timeoutOf(reloaded, at(hours)))).toEqual([
      null,
      null,
      'Reviewer timeout - waited 168.1 hours for antithesis',
    ]);
  });

  it('case 35: without a thesis only the total counts', () => {
    const session: Session = { ...opened(), phase: 'antithesis' };
    expect(timeoutOf(session, at(3))).toBeNull();
    expect(timeoutOf(session, at(6.5))).toMatch(/^Session timeout/);
    expect(isReviewerStuck(session, 'active', at(3))).toBe(false);
  });

  it('gives a new reviewer the whole wait, and a session that is opened again the whole time', () => {
    expect(timeoutOf(handed(afterThesis(), 1.9), at(3.9))).toBeNull();
    expect(timeoutOf(handed(afterThesis(), 1.9), at(3.91))).toMatch(/^Reviewer timeout/);
    expect(timeoutOf(handed(afterThesis(), 5.9), at(6.1))).toMatch(/^Session timeout/);
    const reopened = handed({ ...afterThesis(), phase: 'failed' }, 7);
    expect(timeoutOf(reopened, at(8))).toBeNull();
  });
});

describe('a reviewer that will not answer', () => {
  it('is unknown, cannot act, or is silent for 2 h whatever the type', () => {
    verifies('W3-5.03');
    const session = afterThesis(opened({ sessionType: 'exploration' }));
    expect(isReviewerStuck(session, 'active', at(2))).toBe(false);
    expect(isReviewerStuck(session, 'active', at(2) + 1)).toBe(true);
    for (const status of [null, 'paused', 'archived'] as const)
      expect(isReviewerStuck(session, status, START)).toBe(true);
  });

  it('is one who has to answer', () => {
    expect(isReviewerStuck(afterThesis(opened({ reviewerAgentId: null })), null, at(3))).toBe(false);
    expect(isReviewerStuck(opened(), null, at(3))).toBe(false);
    expect(isReviewerStuck(afterAntithesis(), 'paused', at(3))).toBe(false);
  });
});
