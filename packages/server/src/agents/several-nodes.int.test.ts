import { ok, AUDIT_EVENTS } from '@breakwater/contract';
import { processAgentUpdate } from '@breakwater/contract/tools';
import { afterAll, describe, expect, it } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { born, testNode, type TestNode } from '../../testing/node.ts';
import { verifies } from '../../testing/verifies.ts';
import { pauseChange } from './index.ts';

const db = await testDatabase();

let serial = 0;
const checkIn = async (node: TestNode, agentId: string): Promise<string> => {
  const outcome = await node.checkIns.checkIn({
    args: processAgentUpdate.input.parse({ response_text: `Piece ${(serial += 1)} is done.`, confidence: 0.8 }),
    agentId,
    assurance: 'strong',
    sessionKey: 'session',
    deadline: Number.MAX_SAFE_INTEGER,
  });
  return outcome.ok ? 'accepted' : outcome.refusal.code;
};

/** What an operator does, as far as several nodes matter to it. */
const change = async (node: TestNode, agentId: string, to: 'paused' | 'active'): Promise<string> => {
  const outcome = await node.agents.act(agentId, node.clock.now() + 10_000, () => {
    const at = node.clock.now();
    const paused = pauseChange({
      actuation_id: `pause ${(serial += 1)}`,
      paused_at: new Date(at).toISOString(),
      expires_at: null,
      sub_action: 'operator_pause',
      reason: 'An operator has looked.',
      evidence: {},
    });
    const resumed = { status: 'active', pause: null, event: { type: AUDIT_EVENTS.agentResumed, payload: {} } } as const;
    const { event, ...standing } = to === 'paused' ? paused : resumed;
    return Promise.resolve(ok({ reply: null, change: { at, ...standing, events: [event] as const } }));
  });
  return outcome.ok ? 'accepted' : outcome.refusal.code;
};

// They do not hear of each other at all: what one acknowledged must hold on the other without its news.
describe('two nodes', async () => {
  const a = await testNode(db.database, { nodeId: 'a' });
  const b = await testNode(db.open(), { nodeId: 'b' });
  afterAll(async () => {
    await a.stop();
    await b.stop();
    expect([a.crashes, b.crashes]).toEqual([[], []]);
  });

  it('take each other’s word on a pause and on its end at the very next call', async () => {
    verifies('BW-nodes.01');
    const { agentId } = await born(a);
    expect(await checkIn(b, agentId)).toBe('accepted');
    for (let round = 0; round < 20; round += 1) {
      expect(await change(a, agentId, 'paused')).toBe('accepted');
      expect(await checkIn(b, agentId)).toBe('AGENT_PAUSED');
      expect(await change(a, agentId, 'active')).toBe('accepted');
      expect(await checkIn(b, agentId)).toBe('accepted');
    }
  });

  it('let an operator’s act through while the other one’s writers are busy', async () => {
    verifies('BW-nodes.03');
    const { agentId } = await born(a);
    let isOver = false;
    let lost = 0;
    const busy = Array.from({ length: 8 }, async () => {
      while (!isOver) if ((await checkIn(b, agentId)) === 'SEQUENCE_CONFLICT') lost += 1;
    });
    const acts: string[] = [];
    // Both ways in turn, since a paused agent keeps nobody busy.
    for (let i = 0; i < 20; i += 1) acts.push(await change(a, agentId, i % 2 === 0 ? 'active' : 'paused'));
    await change(a, agentId, 'active');
    isOver = true;
    await Promise.all(busy);
    expect(acts).toEqual(Array<string>(20).fill('accepted'));
    expect(lost).toBe(0);
    const [chain] = await db.database.query<{ rows: number; indices: number; span: number }>({
      text: `SELECT count(*)::int AS rows, count(DISTINCT chain_index)::int AS indices,
               max(chain_index)::int - min(chain_index)::int + 1 AS span
             FROM audit.events WHERE agent_id = $1 AND chain_index IS NOT NULL`,
      values: [agentId],
    });
    expect([chain?.indices, chain?.span], 'no row is lost or doubled').toEqual([chain?.rows, chain?.rows]);
  });
});
