import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import type { Session } from '../session.ts';
import { finalise } from './finalise.ts';
import { takeSynthesis } from './synthesis.ts';
import { afterAntithesis, refusalOf, said, START, taken, termsOf } from './testing/session.ts';

const agreed = (session: Session, agentId: string, more: object = {}): Session => {
  const open: Session = { ...session, phase: 'synthesis' };
  return taken(takeSynthesis(open, { agentId, agrees: true, ...more }, START)).session;
};
const B_TERMS = { action: 'resume', conditions: ['of B'], rootCause: 'B rc', reasoning: 'B r' };

describe('the terms of a resolution', () => {
  it('case 30: are there after the end only', () => {
    const refusal = refusalOf(finalise(afterAntithesis()));
    expect(refusal).toMatchObject({ code: 'INVALID_PHASE', details: { phase: 'synthesis' } });
  });

  it('case 36: are those of the reviewer when it alone agreed', () => {
    expect(termsOf(said(afterAntithesis(), 'B', true))).toEqual(B_TERMS);
  });

  it('case 37: are merged when both agreed, in the words of the paused agent where they mean the same', () => {
    const byB = agreed(afterAntithesis(), 'B', { conditions: ['Monitor for 24h'], rootCause: 'x', reasoning: 'b' });
    const both = agreed(byB, 'A', { conditions: ['Reduce load', 'monitor 24h'], rootCause: 'x', reasoning: 'a' });
    expect(termsOf(both)).toEqual({
      action: 'resume',
      conditions: ['monitor 24h', 'Reduce load'],
      rootCause: 'x',
      reasoning: 'Agent A: a\nAgent B: b',
    });
  });

  it('case 38: have nothing of an attempt that was refused', () => {
    verifies('BW-dialectic.03');
    const session = said(said(said(afterAntithesis(), 'B', false), 'A', true), 'B', true);
    expect(session.messages.filter(({ agrees }) => agrees === true)).toHaveLength(2);
    expect(termsOf(session)).toEqual(B_TERMS);
  });

  it('case 39: take the reasons of the antithesis when the verdict has none', () => {
    expect(termsOf(agreed(afterAntithesis(), 'B', { conditions: ['c'] }))).toMatchObject({
      rootCause: 'rc',
      reasoning: 'counter',
    });
  });

  it('ask for what the author wants to become of the agent, and of two for the stricter', () => {
    const byB = (proposedAction: string) => agreed(afterAntithesis(), 'B', { conditions: ['c'], proposedAction });
    expect(termsOf(byB('cooldown')).action).toBe('cooldown');
    const both = (a: string, b: string) => agreed(byB(b), 'A', { conditions: ['c'], proposedAction: a });
    expect(termsOf(both('resume', 'cooldown')).action).toBe('cooldown');
    expect(termsOf(both('block', 'escalate')).action).toBe('block');
    expect(termsOf(both('cooldown', 'escalate')).action).toBe('escalate');
  });

  it('are those of a third author before all others', () => {
    const session = agreed(said(afterAntithesis(), 'B', true), 'M', { conditions: ['m'] });
    expect(termsOf(session)).toMatchObject({ conditions: ['m'], rootCause: 'rc', reasoning: '' });
  });

  it('are the last of one side that agreed more than once, without the cause of its antithesis', () => {
    const twice = agreed(agreed(afterAntithesis(), 'B', { conditions: ['1'] }), 'B', { conditions: ['2'] });
    const messages = twice.messages.map((m) => (m.type === 'thesis' ? { ...m, rootCause: null } : m));
    const withCause = messages.map((m) => (m.type === 'antithesis' ? { ...m, rootCause: 'anti' } : m));
    expect(termsOf({ ...twice, messages: withCause })).toMatchObject({ conditions: ['2'], rootCause: 'Unknown' });
    const once = withCause.slice(0, 3);
    expect(termsOf({ ...twice, messages: once })).toMatchObject({ conditions: ['1'], rootCause: 'anti' });
  });

  it('do not exist for a session that nobody agreed in', () => {
    expect(() => finalise({ ...afterAntithesis(), phase: 'resolved' })).toThrow('nobody agreed');
  });
});
