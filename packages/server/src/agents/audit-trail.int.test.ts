import { ALIASES } from '@breakwater/contract';
import { describe, expect, it } from 'vitest';
import { onboard, operator, type Minted } from '../../testing/calls.ts';
import type { Json } from '../../testing/rest.ts';
import { verifies } from '../../testing/verifies.ts';
import { testWorld } from '../../testing/world.ts';
import { systemClock } from '../runtime/index.ts';
import { verifyAudit } from './audit-read.ts';

/**
 * Writing tools that add nothing to the chain of an agent, and where else stands what they did. Whoever adds a name here
 * says why.
 */
const EXEMPT: Readonly<Record<string, string>> = {
  report: 'changes no agent and scores nobody; what was reported, by whom and when stands in core.notices',
  bind_session:
    'changes no agent: it ties a session to one that is proven already, as core.bindings has it, with its times',
  operators: 'changes no agent; who, when and why stand in audit.events outside of every chain, as for its making',
  saga: 'the agents it holds are left as they were; who, when and why stand in audit.events and in the record of the review',
  flags: 'changes no agent; who, when, why and from what stand in core.feature_flag_history, written with the flag',
};

describe('every governed write', async () => {
  const w = await testWorld();
  const ann = { operatorSecret: await operator(w.node, w.database, 'operator:act', 'ann') };
  const born = () => onboard(w.call, { force_new: true });

  const must = async (tool: string, args: Json, seen = {}): Promise<Json> => {
    const { ok, body } = await w.call(tool, args, seen);
    if (!ok) throw new Error(`${tool}: ${JSON.stringify(body)}`);
    return body;
  };
  const own = ({ secret }: Minted) => ({ client_session_id: secret });

  /** An agent whose claims failed until it was paused. */
  const paused = async (): Promise<Minted> => {
    const agent = await born();
    for (let i = 0; i < 20; i += 1) {
      const text = `Claim ${i} of ${agent.uuid}`;
      const claim = await must('process_agent_update', { ...own(agent), response_text: text, confidence: 0.95 });
      const result = await must('outcome_event', {
        ...own(agent),
        prediction_id: claim['prediction_id'],
        outcome_type: 'test_failed',
        detail: { command: 'npm test', exit_code: 1 },
        verification_source: 'agent_reported_tool_result',
      });
      if (result['paused'] === true) return agent;
    }
    throw new Error('the agent was never paused');
  };

  /** What an agent is before the write, and the write; by the canonical name of its tool. */
  const WRITES: Readonly<Record<string, { before(): Promise<Minted>; write(agent: Minted): Promise<unknown> }>> = {
    process_agent_update: {
      before: born,
      write: (agent) => must('process_agent_update', { ...own(agent), response_text: 'Done.', confidence: 0.7 }),
    },
    outcome_event: {
      before: born,
      write: (agent) => must('outcome_event', { ...own(agent), outcome_type: 'task_completed' }),
    },
    onboard: { before: born, write: (agent) => must('onboard', { ...own(agent), name: 'Ada' }) },
    identity: { before: born, write: (agent) => must('identity', { ...own(agent), name: 'Grace' }) },
    self_recovery: {
      before: async () => {
        const agent = await paused();
        // A pause that an agent may lift itself; the claims of this one cannot be.
        await w.rows(
          `UPDATE core.identities SET sequence = sequence + 1, pause = pause || '{"sub_action": "risk_pause"}'
           WHERE agent_id = $1`,
          agent.uuid,
        );
        await w.node.agents.refresh([agent.uuid]);
        return agent;
      },
      write: (agent) => must('self_recovery', { ...own(agent), action: 'quick' }),
    },
    agent: {
      before: born,
      write: (agent) => must('agent', { ...own(agent), action: 'update', target_agent_id: agent.uuid, notes: 'n' }),
    },
    operator_resume_agent: {
      before: paused,
      write: (agent) => must('operator_resume_agent', { target_agent_id: agent.uuid, reason: 'a broken runner' }, ann),
    },
    archive_orphan_agents: {
      before: async () => {
        const agent = await born();
        await must('process_agent_update', { ...own(agent), response_text: 'Begun.', confidence: 0.7 });
        w.clock.advance(12 * 3_600_000);
        return agent;
      },
      write: () => must('archive_orphan_agents', { dry_run: false }, ann),
    },
    dialectic: {
      before: paused,
      write: async (agent) => {
        const peer = await born();
        const terms = { root_cause: 'rc', proposed_conditions: ['Set complexity to 0.4'] };
        const asked = await must('request_review', { ...own(agent), ...terms, reviewer_mode: 'manual' });
        const review = { ...own(peer), session_id: asked['session_id'] };
        const named = { session_id: asked['session_id'], new_reviewer_id: peer.uuid, reason: 'r' };
        await must('reassign_reviewer', named, ann);
        await must('submit_antithesis', { ...review, reasoning: 'r' });
        await must('submit_synthesis', { ...review, agrees: true, proposed_conditions: terms.proposed_conditions });
        const confirm = { action: 'confirm', session_id: asked['session_id'], decision: 'accept', reason: 'r' };
        await must('dialectic', confirm, ann);
      },
    },
    knowledge: {
      before: born,
      write: (agent) => must('knowledge', { ...own(agent), action: 'store', summary: 'It leaks', severity: 'high' }),
    },
  };

  const aliases = new Set(ALIASES.map(({ name }) => name));
  const writing = w.dispatcher
    .advertised('full')
    .filter(({ name, annotations }) => annotations?.['readOnlyHint'] !== true && !aliases.has(name))
    .map(({ name }) => name);

  it('is known here: a writing tool has a write below, or a reason why not', () => {
    verifies('BW-channel.03');
    expect(writing.length).toBeGreaterThan(8);
    expect(writing.filter((name) => !(name in WRITES) && !(name in EXEMPT))).toEqual([]);
    expect(Object.keys(EXEMPT).filter((name) => name in WRITES)).toEqual([]);
  });

  it.each(writing.filter((name) => name in WRITES))(
    'by the tool %s leaves a row in the chain of its agent',
    async (name) => {
      verifies('BW-channel.03');
      const agent = await WRITES[name]!.before();
      const before = await w.trail(agent.uuid);
      await WRITES[name]!.write(agent);
      const after = await w.trail(agent.uuid);
      expect(after.slice(0, before.length)).toEqual(before);
      expect(after.length, name).toBeGreaterThan(before.length);
    },
  );

  it('of all of these is part of a chain that proves itself', async () => {
    verifies('BW-channel.03');
    const report = await verifyAudit(w.database, {}, systemClock);
    expect(report).toMatchObject({ faulty: 0, faults: [] });
    expect(report?.rows).toBe(await w.count('audit.events WHERE chain_index IS NOT NULL'));
    expect(report?.agents).toBeGreaterThan(8);
  });
});
