import { afterAll, describe, expect, it } from 'vitest';
import { callsOf, dispatcherOf, onboard, operator, type Call } from '../../testing/calls.ts';
import { testDatabase } from '../../testing/database.ts';
import { testNode, type TestNode } from '../../testing/node.ts';
import { verifies } from '../../testing/verifies.ts';
import { pauseChange } from '../agents/index.ts';
import { ok, AUDIT_EVENTS } from '@breakwater/contract';
import type { Database } from '../postgres/index.ts';

const db = await testDatabase();

let serial = 0;
const next = (): number => (serial += 1);

const nodeOn = async (database: Database, nodeId: string): Promise<{ node: TestNode; call: Call }> => {
  const node = await testNode(database, { nodeId });
  Object.defineProperty(node.gates, 'strict', { get: () => node.flags.get('identity_strict_mode').value });
  return { node, call: callsOf(dispatcherOf(node, database)) };
};

/** What an operator does by hand, as far as other nodes are concerned. */
const change = async (node: TestNode, agentId: string, to: 'paused' | 'active'): Promise<void> => {
  const done = await node.agents.act(agentId, node.clock.now() + 10_000, () => {
    const at = node.clock.now();
    const pause = {
      actuation_id: `pause ${next()}`,
      paused_at: new Date(at).toISOString(),
      expires_at: null,
      sub_action: 'operator_pause',
      reason: 'An operator has looked.',
      evidence: {},
    };
    const resumed = { status: 'active', pause: null, event: { type: AUDIT_EVENTS.agentResumed, payload: {} } } as const;
    const { event, ...standing } = to === 'paused' ? pauseChange(pause) : resumed;
    return Promise.resolve(ok({ reply: null, change: { at, ...standing, events: [event] as const } }));
  });
  expect(done.ok).toBe(true);
};

const checkIn = (call: Call, secret: string, seen = {}) =>
  call('sync_state', { client_session_id: secret, response_text: `Piece ${next()} is done.`, confidence: 0.8 }, seen);
const store = (call: Call, secret: string) =>
  call('knowledge', { client_session_id: secret, action: 'note', summary: `Thing ${next()} was found.` });

// Nobody listens: what one node acknowledged must hold on the other without its news.
describe('a node that has not heard of another one’s act', async () => {
  const { node: a, call: onA } = await nodeOn(db.database, 'a');
  const { node: b, call: onB } = await nodeOn(db.open(), 'b');
  afterAll(async () => {
    await a.stop();
    await b.stop();
    expect([a.crashes, b.crashes]).toEqual([[], []]);
  });
  const stored = async (agentId: string): Promise<unknown> => {
    const [row] = await db.database.query({
      text: `SELECT i.sequence, (SELECT count(*) FROM audit.events e WHERE e.agent_id = i.agent_id) AS events,
               (SELECT count(*) FROM knowledge.discoveries d WHERE d.agent_id = i.agent_id) AS findings
             FROM core.identities i WHERE i.agent_id = $1`,
      values: [agentId],
    });
    return row;
  };

  it.each([
    ['a check-in', checkIn],
    ['a finding', store],
    [
      'a result',
      (call: Call, secret: string) =>
        call('outcome_event', { client_session_id: secret, outcome_type: 'task_completed', outcome_score: 1 }),
    ],
    [
      'a change of its own face',
      (call: Call, secret: string) =>
        call('agent', { client_session_id: secret, action: 'update', purpose: `Purpose ${next()}` }),
    ],
    ['a new token', (call: Call, secret: string) => call('identity', { client_session_id: secret })],
  ] as const)('refuses %s of a session that was revoked there, and writes nothing', async (_, write) => {
    verifies('BW-nodes.01');
    const { uuid, secret } = await onboard(onA);
    expect(await write(onB, secret)).toMatchObject({ ok: true });
    const before = await stored(uuid);
    expect(await onA('identity', { client_session_id: secret, revoke: 'this' })).toMatchObject({ ok: true });
    expect(await write(onB, secret)).toMatchObject({ code: 'SESSION_UNKNOWN' });
    expect(await stored(uuid)).toEqual(before);
    // Its memory has learnt it by then.
    expect(await onB('check_working_state', { client_session_id: secret })).toMatchObject({ code: 'SESSION_UNKNOWN' });
  });

  it('refuses it also when the agent’s row is so busy that the change takes its lock', async () => {
    verifies('BW-nodes.01');
    const { uuid, secret } = await onboard(onA);
    let busy = false;
    const pool = db.open();
    // A third node, so busy with the agent that every commit comes too late.
    const raced: Database = {
      ...pool,
      async connect() {
        const connection = await pool.connect();
        return {
          ...connection,
          async query<R>(statement: Parameters<typeof connection.query>[0]) {
            if (busy && statement.name?.startsWith('agents.commit') === true) {
              await db.database.query({
                text: 'UPDATE core.identities SET sequence = sequence + 1 WHERE agent_id = $1',
                values: [uuid],
              });
            }
            return connection.query<R>(statement);
          },
        };
      },
    };
    const { node: c, call: onC } = await nodeOn(raced, 'c');
    expect(await checkIn(onC, secret)).toMatchObject({ ok: true });
    busy = true;
    expect(await checkIn(onC, secret)).toMatchObject({ ok: true });
    expect(await onA('identity', { client_session_id: secret, revoke: 'this' })).toMatchObject({ ok: true });
    expect(await checkIn(onC, secret)).toMatchObject({ code: 'SESSION_UNKNOWN' });
    await c.stop();
    expect(c.crashes).toEqual([]);
  });

  it('refuses every act of an operator whose credential was revoked there', async () => {
    verifies('BW-nodes.01');
    const { uuid, secret } = await onboard(onA);
    const [gone, chief] = [
      await operator(a, db.database, 'operator:act', 'gone'),
      await operator(a, db.database, 'operator:act', 'chief'),
    ];
    await operator(a, db.database, 'operator:act', 'third');
    const acts = (operatorSecret: string): Promise<unknown>[] => [
      onB('agent', { action: 'pause', target_agent_id: uuid, reason: 'To look at it.' }, { operatorSecret }),
      onB('operator_resume_agent', { target_agent_id: uuid, reason: 'It is well.' }, { operatorSecret }),
      onB('flags', { action: 'set', key: 'claims_review', value: 'peer', reason: 'A try.' }, { operatorSecret }),
      onB('operators', { action: 'revoke', name: 'third', reason: 'A try.' }, { operatorSecret }),
      onB('knowledge', { action: 'note', summary: 'An operator has seen it.' }, { operatorSecret }),
    ];
    const known = await onB('flags', { action: 'list' }, { operatorSecret: gone });
    expect(known).toMatchObject({ ok: true });
    const revoke = { action: 'revoke', name: 'gone', reason: 'She has left.' };
    expect(await onA('operators', revoke, { operatorSecret: chief })).toMatchObject({ ok: true });
    const outcome = { agent_uuid: uuid, outcome_type: 'test_passed', verification_source: 'server_observation' };
    expect(await b.harness.record(gone, outcome)).toMatchObject({ ok: false, refusal: { code: 'UNAUTHORIZED' } });
    for (const act of acts(gone)) expect(await act).toMatchObject({ code: 'UNAUTHORIZED' });
    expect(await checkIn(onB, secret)).toMatchObject({ ok: true });
  });

  it('does with an inferred identity what the flag says there', async () => {
    verifies('BW-nodes.01');
    const { secret } = await onboard(onA);
    const chief = await operator(a, db.database, 'operator:act', 'flagger');
    const set = async (value: string): Promise<void> => {
      const args = { action: 'set', key: 'identity_strict_mode', value, reason: 'A try.' };
      expect(await onA('flags', args, { operatorSecret: chief })).toMatchObject({ ok: true });
    };
    const inferred = () =>
      onB('sync_state', { response_text: `Piece ${next()}`, confidence: 0.8 }, { mcpSessionId: mcp });
    const mcp = await b.identity.createMcpSession();
    await db.database.query({
      text: `UPDATE core.bindings SET assurance = 'weak', agent_id = (
               SELECT agent_id FROM core.bindings WHERE credential_hash = encode(sha256($1::bytea), 'hex'))
             WHERE kind = 'mcp_session' AND credential_hash = encode(sha256($2::bytea), 'hex')`,
      values: [Buffer.from(secret), Buffer.from(mcp)],
    });
    for (let round = 0; round < 3; round += 1) {
      await set('observe');
      expect(await inferred()).toMatchObject({ ok: true });
      await set('enforce');
      expect(await inferred()).toMatchObject({ code: 'STRONG_IDENTITY_REQUIRED' });
    }
    await set('observe');
  });

  it('holds and frees the child of an agent that was paused and resumed there', async () => {
    verifies('BW-nodes.01');
    const parent = await onboard(onA);
    const child = await onboard(onA, { parent_agent_id: parent.uuid, spawn_reason: 'subagent', force_new: true });
    expect(await checkIn(onB, child.secret)).toMatchObject({ ok: true });
    for (let round = 0; round < 5; round += 1) {
      await change(a, parent.uuid, 'paused');
      expect(await (round % 2 === 0 ? checkIn : store)(onB, child.secret)).toMatchObject({ code: 'AGENT_PAUSED' });
      await change(a, parent.uuid, 'active');
      expect(await (round % 2 === 0 ? store : checkIn)(onB, child.secret)).toMatchObject({ ok: true });
    }
  });

  it('knows the MCP session that was tied to its agent there, and mints nothing for one that was paused there', async () => {
    verifies('BW-nodes.01');
    const mcpSessionId = await b.identity.createMcpSession();
    const { uuid } = await onboard(onA, {}, { mcpSessionId });
    const seen = { mcpSessionId };
    expect(await onB('sync_state', { response_text: 'Begun.', confidence: 0.8 }, seen)).toMatchObject({ ok: true });
    await change(a, uuid, 'paused');
    expect(await onB('start_session', { force_new: true }, seen)).toMatchObject({ code: 'AGENT_PAUSED' });
    await change(a, uuid, 'active');
    expect(await onB('start_session', { force_new: true }, seen)).toMatchObject({ ok: true });
    // The session is another agent's now, and A does not know it.
    const told = await onA('sync_state', { response_text: 'Gone on.', confidence: 0.8 }, seen);
    expect(told).toMatchObject({ code: 'SESSION_UNKNOWN' });
    expect(await onA('sync_state', { response_text: 'Gone on.', confidence: 0.8 }, seen)).toMatchObject({ ok: true });
  });
});
