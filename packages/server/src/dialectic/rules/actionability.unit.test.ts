import { describe, expect, it } from 'vitest';
import type { Session } from '../session.ts';
import { actionabilityOf } from './actionability.ts';
import { afterAntithesis, afterThesis, opened, said, START } from './testing/session.ts';

const see = (session: Session, agentId: string | null, operator = false) =>
  actionabilityOf(session, { agentId, operator }, { label: () => null, status: () => null });

describe('whose move it is', () => {
  it('offers an open place to everybody but the paused agent', () => {
    const session = afterThesis(opened({ reviewerAgentId: null }));
    expect(see(session, 'C')).toMatchObject({
      whose_move: 'open_reviewer_slot',
      next_call: { tool: 'dialectic', action: 'antithesis', session_id: 'S1' },
      current_agent_can_submit: true,
    });
    expect(see(session, 'A')).toMatchObject({ next_call: null, current_agent_can_submit: false });
  });

  it('sends an operator to the reassignment when a person is asked for', () => {
    const session = { ...afterThesis(), awaitingFacilitation: true, facilitationSince: START };
    expect(see(session, null, true)).toMatchObject({ whose_move: 'yours', next_call: { action: 'reassign' } });
    expect(see(session, 'C')).toMatchObject({ whose_move: 'reviewer', next_call: null });
  });

  it('does not let the paused agent wait for its own attempt: after it, it is the move of the reviewer', () => {
    const rejected = said(afterAntithesis(), 'B', false);
    expect(see(rejected, 'A').whose_move).toBe('yours');
    expect(see(said(rejected, 'A', true), 'A').whose_move).toBe('not_yours');
    expect(see(said(rejected, 'A', true), 'B').whose_move).toBe('yours');
  });
});
