import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Message, Phase, Session } from '../session.ts';
import { actionabilityOf } from './actionability.ts';
import { afterAntithesis, afterThesis, opened, said, START } from './testing/session.ts';

interface Vector {
  readonly id: string;
  readonly input: {
    readonly session: {
      readonly session_id: string;
      readonly paused_agent: string;
      readonly reviewer: string | null;
      readonly phase: string;
      readonly awaiting_facilitation?: boolean;
      readonly transcript: readonly {
        readonly phase: Message['type'];
        readonly agent_id: string;
        readonly agrees: unknown;
      }[];
    };
    readonly caller_agent_id: string | null;
    readonly caller_is_operator: boolean;
    readonly agent_labels: Readonly<Record<string, string>>;
    readonly agent_status: Readonly<Record<string, string>>;
  };
  readonly expected: Readonly<Record<string, unknown>>;
}

const { cases } = JSON.parse(
  readFileSync(new URL('testing/vectors/dialectic_actionability.json', import.meta.url), 'utf8'),
) as { cases: readonly Vector[] };

const PHASES: ReadonlySet<string> = new Set<Phase>(['thesis', 'antithesis', 'synthesis', 'resolved', 'failed']);

/** A phase that does not exist cannot be stored, and a session always has its paused agent. */
const canBe = ({ input: { session } }: Vector) => PHASES.has(session.phase) && session.paused_agent !== 'unknown';

const sessionOf = ({ session }: Vector['input']): Session => {
  const awaiting = session.awaiting_facilitation ?? false;
  const base = opened({
    sessionId: session.session_id,
    pausedAgentId: session.paused_agent,
    reviewerAgentId: session.reviewer,
    awaitingFacilitation: awaiting,
  });
  const [blank] = afterThesis().messages;
  if (blank === undefined) throw new Error('no thesis');
  const messages = session.transcript.map(({ phase, agent_id, agrees }) => ({
    ...blank,
    type: phase,
    agentId: agent_id,
    agrees: agrees === 'false' ? false : (agrees as boolean | null),
  }));
  return { ...base, phase: session.phase as Phase, messages };
};

const see = (session: Session, agentId: string | null, operator = false) =>
  actionabilityOf(session, { agentId, operator }, { label: () => null, status: () => null });

describe('whose move it is', () => {
  it.each(cases.filter(canBe))('$id', ({ input, expected }) => {
    const { whose_move, next_call, recommended_action, ...facts } = actionabilityOf(
      sessionOf(input),
      { agentId: input.caller_agent_id, operator: input.caller_is_operator },
      { label: (id) => input.agent_labels[id] ?? null, status: (id) => input.agent_status[id] ?? null },
    );
    expect({
      whose_move_class: whose_move,
      next_call_action: next_call?.action ?? null,
      recommended_action: recommended_action === '' ? '' : '<prose>',
      ...facts,
    }).toEqual(expected);
  });

  it('leaves out of the vectors only what cannot be', () => {
    expect(cases.filter((vector) => !canBe(vector)).map(({ input }) => input.session.phase)).toEqual([
      'escalated',
      'escalated',
      'quorum_voting',
      'quorum_voting',
      'quorum_voting',
      'weird',
      'weird',
      'thesis',
      'thesis',
    ]);
  });

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
