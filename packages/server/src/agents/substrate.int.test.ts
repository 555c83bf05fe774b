import { hash } from 'node:crypto';
import { ok, AUDIT_EVENTS } from '@breakwater/contract';
import { describe, expect, it, onTestFinished } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { verifies } from '../../testing/verifies.ts';
import { memoryCodec } from '../checkin/index.ts';
import { createNotifier } from '../postgres/index.ts';
import { systemClock, systemIds } from '../runtime/index.ts';
import { Agents } from './agents.ts';
import { canonicalJson } from './audit-chain.ts';
import { enrolSubstrate, listSubstrates, removeSubstrate } from './substrate.ts';

const { database, open } = await testDatabase();
const NOBODY = '00000000-0000-4000-8000-000000000000';
const CLAIM = { executable: '/usr/bin/agent', unit: 'agent.service' };
const by = { reason: 'its own host', by: 'ops', ids: systemIds };

/** The agents of a node; `deaf`: of one that news of other nodes do not reach. */
const runningNode = async (hearing: 'hears' | 'deaf' = 'hears') => {
  const own = open();
  const notifier = createNotifier({
    database: own,
    nodeId: systemIds.uuid(),
    clock: systemClock,
    onError: () => undefined,
  });
  const agents = new Agents({
    database: own,
    codec: memoryCodec,
    clock: systemClock,
    ids: systemIds,
    notifier,
    onCrash: (_, error) => {
      throw error;
    },
  });
  if (hearing === 'hears') await notifier.start();
  await agents.load();
  onTestFinished(async () => {
    await agents.stop();
    await notifier.stop();
  });
  return agents;
};

const born = async (agents: Agents): Promise<string> => {
  const head = await agents.create(
    {
      label: null,
      purpose: null,
      handle: 'resident',
      tags: [],
      parentAgentId: null,
      spawnReason: null,
      threadId: systemIds.uuid(),
      lineage: {
        declared_at: null,
        provisional: false,
        score_id: null,
        recorded_at: null,
        confirmed_at: null,
        demoted_at: null,
        archived_at: null,
        last_eval_at: null,
        chain_obs_count: 0,
      },
      metadata: {},
      events: [],
    },
    () => ({ alongside: [], guards: [] }),
  );
  return head!.agentId;
};

const act = (agents: Agents, agentId: string) =>
  agents.act(agentId, Date.now() + 10_000, ({ head }) =>
    Promise.resolve(
      ok({
        reply: head.substrate,
        change: { at: Date.now(), events: [{ type: AUDIT_EVENTS.agentUpdated, payload: {} }] as const },
      }),
    ),
  );

const substrateOf = (agents: Agents, agentId: string) => {
  const reading = agents.table.read(agentId);
  return reading.ok ? reading.value.substrate : 'unknown agent';
};

/** The types of the agent's audit rows; each row's hash covers the one before, and the agent's row names the last. */
const trailOf = async (agentId: string) => {
  const rows = await database.query<{
    event_id: string;
    event_type: string;
    payload: Record<string, unknown>;
    raw_hash: string;
    prev_hash: string;
    chain_index: number;
    ts: number;
  }>({ text: 'SELECT * FROM audit.events WHERE agent_id = $1 ORDER BY chain_index', values: [agentId] });
  let previous = '';
  rows.forEach((row, i) => {
    const ts = new Date(row.ts).toISOString();
    const said = [previous, agentId, i + 1, row.event_id, ts, row.event_type, row.payload, null, 1, null];
    previous = `v2:${hash('sha256', canonicalJson(said))}`;
    expect(row).toMatchObject({ chain_index: i + 1, raw_hash: previous });
  });
  const [identity] = await database.query({
    text: 'SELECT audit_head, audit_count FROM core.identities WHERE agent_id = $1',
    values: [agentId],
  });
  expect(identity).toEqual({ audit_head: previous, audit_count: rows.length });
  return rows;
};

describe('the enrolment of an agent', () => {
  it('is taken over by running nodes at once, and so is its end', async () => {
    const agents = await runningNode();
    const agentId = await born(agents);
    expect(substrateOf(agents, agentId)).toBeNull();
    const enrolled = await enrolSubstrate(database, { agentId, ...CLAIM, notes: null, now: Date.now(), ...by });
    expect(enrolled).toEqual({ ok: true, value: { replaced: false } });
    await expect.poll(() => substrateOf(agents, agentId), { timeout: 1000, interval: 5 }).toEqual(CLAIM);
    expect(await removeSubstrate(database, { agentId, now: Date.now(), ...by })).toEqual({ ok: true, value: CLAIM });
    await expect.poll(() => substrateOf(agents, agentId), { timeout: 1000, interval: 5 }).toBeNull();
  });

  it('is never decided without: a node that has not heard of it decides again', async () => {
    verifies('BW-channel.03');
    const agents = await runningNode('deaf');
    const agentId = await born(agents);
    expect(await act(agents, agentId)).toEqual({ ok: true, value: null });
    await enrolSubstrate(database, { agentId, ...CLAIM, notes: null, now: Date.now(), ...by });
    expect(substrateOf(agents, agentId)).toBeNull();
    expect(await act(agents, agentId)).toEqual({ ok: true, value: CLAIM });
    await Promise.all([removeSubstrate(database, { agentId, now: Date.now(), ...by }), act(agents, agentId)]);
    expect(await act(agents, agentId)).toEqual({ ok: true, value: null });
    expect(await trailOf(agentId)).toHaveLength(7);
  });

  it('and its end stand in the audit trail, with who did it', async () => {
    verifies('BW-channel.03');
    const agents = await runningNode();
    const agentId = await born(agents);
    const anew = { executable: '/usr/bin/other', unit: null };
    await enrolSubstrate(database, { agentId, ...CLAIM, notes: 'first', now: Date.now(), ...by });
    const again = await enrolSubstrate(database, { agentId, ...anew, notes: null, now: Date.now(), ...by });
    expect(again).toEqual({ ok: true, value: { replaced: true } });
    await removeSubstrate(database, { agentId, now: Date.now(), ...by });
    expect((await trailOf(agentId)).slice(1)).toMatchObject([
      { event_type: 'substrate_enrolled', payload: { ...CLAIM, notes: 'first', by: 'ops', reason: 'its own host' } },
      { event_type: 'substrate_enrolled', payload: { ...anew, notes: null, by: 'ops' } },
      { event_type: 'substrate_removed', payload: { ...anew, by: 'ops' } },
    ]);
  });

  it('is listed', async () => {
    const agents = await runningNode();
    const agentId = await born(agents);
    const now = Date.now();
    await enrolSubstrate(database, { agentId, ...CLAIM, notes: 'resident', now, ...by });
    const listed = (await listSubstrates(database)).filter((one) => one.agentId === agentId);
    const agent = { agentId, label: null, status: 'active' };
    expect(listed).toEqual([{ ...agent, ...CLAIM, enrolledAt: now, notes: 'resident' }]);
  });

  it.each([
    [{ executable: 'agent' }, 'executable'],
    [{ executable: '' }, 'executable'],
    [{ executable: '/usr/bin/a\nb' }, 'executable'],
    [{ executable: `/${'x'.repeat(4096)}` }, 'executable'],
    [{ unit: 'agent' }, 'unit'],
    [{ unit: '' }, 'unit'],
    [{ unit: 'a/b.service' }, 'unit'],
    [{ notes: 'x'.repeat(1001) }, 'notes'],
  ])('that no process could match is refused: %.40j', async (over, field) => {
    const claim = { agentId: NOBODY, ...CLAIM, notes: null, ...over };
    expect(await enrolSubstrate(database, { ...claim, now: Date.now(), ...by })).toMatchObject({
      ok: false,
      refusal: { code: 'PARAMETER_ERROR', details: { field } },
    });
  });

  it('of nobody, or of an agent whose life is over, is refused, and so is the end of none; nothing is written', async () => {
    const agents = await runningNode();
    const agentId = await born(agents);
    const none = { agentId: NOBODY, now: Date.now(), ...by };
    const unknown = { ok: false, refusal: { code: 'AGENT_NOT_FOUND' } };
    expect(await enrolSubstrate(database, { ...none, ...CLAIM, notes: null })).toMatchObject(unknown);
    expect(await removeSubstrate(database, none)).toMatchObject(unknown);
    expect(await removeSubstrate(database, { ...none, agentId })).toMatchObject({
      refusal: { message: `Agent ${agentId} is not enrolled.` },
    });
    const archive = { at: new Date().toISOString(), by: 'operator', actor: null, reason: 'done' } as const;
    await agents.act(agentId, Date.now() + 10_000, () =>
      Promise.resolve(
        ok({
          reply: null,
          change: {
            at: Date.now(),
            status: 'archived' as const,
            archive,
            events: [{ type: AUDIT_EVENTS.agentArchived, payload: {} }] as const,
          },
        }),
      ),
    );
    expect(await enrolSubstrate(database, { ...none, agentId, ...CLAIM, notes: null })).toMatchObject({
      refusal: { code: 'AGENT_ARCHIVED' },
    });
    expect((await trailOf(agentId)).map((row) => row.event_type)).toEqual(['lifecycle_created', 'agent_archived']);
  });
});
