import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import type { Session } from '../session.ts';
import { reassign } from './reassign.ts';
import { sweep, tend, wantsReplacement } from './sweep.ts';
import { afterAntithesis, afterThesis, HOUR, opened, said, START, taken } from './testing/session.ts';

const at = (hours: number) => START + hours * HOUR;
const ALONE = { reviewerStatus: 'active', replacement: null } as const;
const PAUSED = { reviewerStatus: 'paused', replacement: null } as const;

const changed = (tended: ReturnType<typeof sweep>): Session => {
  if (tended.action === 'left') throw new Error('left');
  return tended.session;
};

describe('the sweep', () => {
  it('case 75: leaves a session that waits for a person, for 4 h', () => {
    verifies('BW-dialectic.07');
    const session = opened({ reviewerAgentId: null, awaitingFacilitation: true });
    expect(sweep(session, ALONE, at(2.1)).action).toBe('left');
    expect(sweep(session, ALONE, at(4)).action).toBe('left');
    const over = sweep(session, ALONE, at(4.1));
    expect(over.action).toBe('failed');
    // Only so can it be opened again.
    expect(changed(over)).toMatchObject({ phase: 'failed', awaitingFacilitation: true });
  });

  it('case 76: ends one that waits for nobody after 2 h, with an entry that says so', () => {
    for (const session of [opened(), afterThesis(opened({ reviewerAgentId: null })), afterAntithesis()]) {
      expect(sweep(session, ALONE, at(2)).action).toBe('left');
      const over = sweep(session, ALONE, at(2.1));
      expect(over).toMatchObject({ action: 'failed', messages: [{ type: 'failed', agentId: 'system' }] });
      expect(changed(over)).toMatchObject({ phase: 'failed', awaitingFacilitation: false, lastParticipantAt: START });
    }
  });

  it('leaves the longer types their time', () => {
    const session = opened({ sessionType: 'exploration' });
    expect(sweep(session, ALONE, at(24)).action).toBe('left');
    expect(sweep(session, ALONE, at(24.1)).action).toBe('failed');
    const talking = afterAntithesis(opened({ sessionType: 'design_review' }));
    expect(sweep(talking, ALONE, at(71)).action).toBe('left');
  });

  it('leaves an ended session', () => {
    const resolved = said(afterAntithesis(), 'B', true);
    for (const session of [resolved, { ...resolved, phase: 'failed' as const }]) {
      expect(sweep(session, ALONE, at(100))).toEqual({ action: 'left' });
      expect(tend(session, ALONE, at(100))).toEqual({ action: 'left' });
    }
  });

  it.each(['paused', 'active', null] as const)('case 79: replaces a reviewer that does not answer (%s)', (status) => {
    verifies('W3-5.03');
    expect(wantsReplacement(afterThesis(), status, at(2.1))).toBe(true);
    const tended = sweep(afterThesis(), { reviewerStatus: status, replacement: 'C' }, at(2.1));
    expect(tended).toMatchObject({
      action: 'reassigned',
      role: 'sweeper',
      oldReviewerId: 'B',
      newReviewerId: 'C',
      session: { phase: 'antithesis', reviewerAgentId: 'C' },
    });
    // The new one has two hours of its own.
    expect(sweep(changed(tended), ALONE, at(4)).action).toBe('left');
  });

  it('case 80: asks for a person once when there is no other, and ends 4 h after that', () => {
    verifies('W3-5.03', 'BW-dialectic.07', 'BW-dialectic.08');
    for (const surroundings of [ALONE, PAUSED]) {
      const actions: string[] = [];
      let session = afterThesis();
      for (let hours = 2.1; hours < 20; hours += 0.5) {
        const tended = sweep(session, surroundings, at(hours));
        if (tended.action === 'left') continue;
        actions.push(`${tended.action} ${hours.toFixed(1)}`);
        session = tended.session;
      }
      expect(actions).toEqual(['facilitation_asked 2.1', 'failed 6.6']);
      expect(session).toMatchObject({ facilitationSince: at(2.1), lastParticipantAt: START });
      expect(session.messages).toHaveLength(3);
    }
  });

  it('case 81: no writing of others keeps a session alive', () => {
    verifies('BW-dialectic.08');
    let session = { ...afterAntithesis(), awaitingFacilitation: true, facilitationSince: START };
    expect(session.lastParticipantAt).toBe(START);
    session = {
      ...taken(
        reassign(
          session,
          {
            caller: { agentId: null, operator: 'ann' },
            candidate: { agentId: 'C', status: 'active', shortfalls: [] },
            reason: 'r',
          },
          at(1),
        ),
      ).session,
      awaitingFacilitation: true,
      facilitationSince: at(1),
    };
    expect(session.lastParticipantAt).toBe(START);
    // The first asking that was not answered counts, and asking again does not renew it.
    session = { ...said(session, 'C', false, at(2)), awaitingFacilitation: true, facilitationSince: at(1) };
    expect(said(session, 'A', true, at(3)).facilitationSince).toBe(at(1));
    expect(sweep(session, ALONE, at(5)).action).toBe('left');
    expect(sweep(session, ALONE, at(5.1)).action).toBe('failed');
  });

  it('does not hand round a session whose time is over', () => {
    verifies('BW-dialectic.07');
    expect(wantsReplacement(afterThesis(), 'paused', at(6.1))).toBe(false);
    const over = sweep(afterThesis(), { reviewerStatus: 'paused', replacement: 'C' }, at(6.1));
    expect(over).toMatchObject({ action: 'failed', why: 'Session timeout - total time exceeded 6 hours' });
  });
});

describe('whoever looks at a session', () => {
  it('case 72: ends it when a time is over', () => {
    verifies('W3-5.01');
    const over = tend(afterAntithesis(), ALONE, at(1.1));
    expect(over).toMatchObject({ action: 'failed', why: 'Synthesis timeout - waited 1.1 hours for next synthesis' });
    expect(changed(over).phase).toBe('failed');
    expect(tend(afterAntithesis(), ALONE, at(1)).action).toBe('left');
  });

  it('has a paused reviewer replaced at once, or a person asked for', () => {
    verifies('W3-5.03', 'BW-dialectic.07');
    expect(tend(afterThesis(), { reviewerStatus: 'paused', replacement: 'C' }, START).action).toBe('reassigned');
    const asked = tend(afterThesis(), PAUSED, START);
    expect(asked).toMatchObject({ action: 'facilitation_asked', messages: [{ type: 'system' }] });
    expect(changed(asked)).toMatchObject({ awaitingFacilitation: true, facilitationSince: START });
    expect(tend(changed(asked), PAUSED, at(3)).action).toBe('left');
    expect(tend(changed(asked), { reviewerStatus: 'paused', replacement: 'C' }, at(3)).action).toBe('reassigned');
  });
});
