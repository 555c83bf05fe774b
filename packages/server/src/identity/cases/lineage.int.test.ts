import { describe, expect, it } from 'vitest';
import { onboard, operator, type Minted } from '../../../testing/calls.ts';
import { verifies } from '../../../testing/verifies.ts';
import { testWorld } from '../../../testing/world.ts';
import { LineageSweep } from '../lineage-sweep.ts';
import { HOUR_MS } from '../../runtime/index.ts';

const DAY = 24 * HOUR_MS;

describe('a declared parent', async () => {
  const w = await testWorld();
  const ids = { uuid: () => crypto.randomUUID() } as never;
  const newSweep = () => new LineageSweep({ agents: w.node.agents, baselines: w.node.baselines, clock: w.clock, ids });
  let sweep = newSweep();

  const checkIns = async ({ secret }: Minted, times: number, complexity: number, length = 40) => {
    for (let i = 0; i < times; i += 1) {
      w.clock.advance(30_000);
      const { ok, body } = await w.call('sync_state', {
        client_session_id: secret,
        response_text: `Step ${i} ${'of the work '.repeat(length)}`,
        complexity,
        confidence: 0.7,
      });
      if (!ok) throw new Error(JSON.stringify(body));
    }
  };
  const family = async (childComplexity: number, childLength?: number) => {
    const parent = await onboard(w.call, { force_new: true });
    await checkIns(parent, 12, 0.2);
    const child = await onboard(w.call, { force_new: true, parent_agent_id: parent.uuid, spawn_reason: 'subagent' });
    if (childComplexity >= 0) await checkIns(child, 8, childComplexity, childLength);
    return { parent, child };
  };
  const rowOf = async (agentId: string) =>
    (
      await w.rows(
        `SELECT parent_agent_id, provisional_lineage, confirmed_at, lineage_demoted_at, lineage_archived_at,
           lineage_declared_at, chain_obs_count, provisional_score_id FROM core.identities WHERE agent_id = $1`,
        agentId,
      )
    )[0]!;
  const lineageRows = async (agentId: string) => (await w.trail(agentId)).filter((type) => type.startsWith('lineage_'));
  const stateOf = async ({ secret }: Minted) =>
    (await w.call('identity', { client_session_id: secret })).body['lineage_state'];

  it('case 90: is confirmed by like behaviour, demoted by another, and only looked at when too little is known', async () => {
    verifies('BW-identity.10');
    const like = await family(0.2);
    const unlike = await family(0.95, 400);
    const unknown = await family(-1);
    w.clock.advance(2 * HOUR_MS);
    expect(await sweep.run()).toEqual({ confirmed: 1, demoted: 1, archived: 0 });

    expect(await rowOf(like.child.uuid)).toMatchObject({
      parent_agent_id: like.parent.uuid,
      provisional_lineage: false,
      confirmed_at: w.clock.now(),
    });
    expect(await lineageRows(like.child.uuid)).toEqual(['lineage_declared', 'lineage_promoted']);
    expect(await stateOf(like.child)).toBe('confirmed');

    expect(await rowOf(unlike.child.uuid)).toMatchObject({ parent_agent_id: null, lineage_demoted_at: w.clock.now() });
    expect(await lineageRows(unlike.child.uuid)).toEqual(['lineage_declared', 'lineage_demoted']);
    expect(await w.rows('SELECT parent_agent_id FROM core.agents WHERE id = $1', unlike.child.uuid)).toEqual([
      { parent_agent_id: null },
    ]);

    expect(await rowOf(unknown.child.uuid)).toMatchObject({ provisional_lineage: true, confirmed_at: null });
    expect(await lineageRows(unknown.child.uuid)).toEqual(['lineage_declared']);
    const scores = await w.rows(
      'SELECT successor_id, plausibility FROM audit.r1_score_audit WHERE successor_id = ANY($1)',
      [like.child.uuid, unlike.child.uuid, unknown.child.uuid],
    );
    expect(new Map(scores.map((row) => [row['successor_id'], row['plausibility']]))).toEqual(
      new Map([
        [like.child.uuid, 'plausible'],
        [unlike.child.uuid, 'unsupported'],
      ]),
    );
  });

  it('case 91: is given up after thirty days, unscored', async () => {
    verifies('BW-identity.10');
    const { child } = await family(-1);
    w.clock.advance(30 * DAY);
    await sweep.run();
    expect(await lineageRows(child.uuid)).toEqual(['lineage_declared']);
    w.clock.advance(2 * HOUR_MS);
    expect((await sweep.run()).archived).toBeGreaterThan(0);
    expect(await rowOf(child.uuid)).toMatchObject({
      lineage_archived_at: w.clock.now(),
      lineage_declared_at: null,
      provisional_score_id: null,
    });
    expect(await lineageRows(child.uuid)).toEqual(['lineage_declared', 'lineage_grace_expired']);
    const { body } = await w.call('agent', { action: 'get', target_agent_id: child.uuid });
    expect(body['status']).toBe('active');
  });

  it('case 92: is looked at once an hour, not when it is settled, and nothing is written for a look', async () => {
    verifies('BW-identity.10');
    const { child } = await family(0.2);
    w.clock.advance(2 * HOUR_MS);
    expect((await sweep.run()).confirmed).toBe(1);
    const before = [await w.count('audit.events'), await w.count('audit.r1_score_audit')];
    for (const wait of [0, HOUR_MS / 2, 2 * HOUR_MS]) {
      w.clock.advance(wait);
      expect((await sweep.run()).confirmed).toBe(0);
    }
    // A restart forgets when it looked last, and looks once more: still nothing happened.
    await w.restart();
    sweep = newSweep();
    await sweep.run();
    expect([await w.count('audit.events'), await w.count('audit.r1_score_audit')]).toEqual(before);
    expect(await lineageRows(child.uuid)).toEqual(['lineage_declared', 'lineage_promoted']);
  });

  it('case 93: that was confirmed is demoted when the child becomes another, and its chain counts from nothing', async () => {
    const { child } = await family(0.2);
    w.clock.advance(2 * HOUR_MS);
    expect((await sweep.run()).confirmed).toBe(1);
    await checkIns(child, 60, 0.95, 400);
    w.clock.advance(2 * HOUR_MS);
    expect((await sweep.run()).demoted).toBe(1);
    expect(await rowOf(child.uuid)).toMatchObject({ parent_agent_id: null, chain_obs_count: 0 });
    const demoted = await w.rows(
      `SELECT payload ->> 'reason' AS reason FROM audit.events WHERE agent_id = $1 AND event_type = 'lineage_demoted'`,
      child.uuid,
    );
    expect(demoted).toEqual([{ reason: 'post_promotion_divergence' }]);
  });

  it('is settled once: two sweeps at the same time change it once', async () => {
    verifies('BW-identity.10');
    const { child } = await family(0.2);
    w.clock.advance(2 * HOUR_MS);
    const swept = await Promise.all([sweep.run(), newSweep().run(), newSweep().run()]);
    expect(swept.map(({ confirmed }) => confirmed).reduce((a, b) => a + b)).toBe(1);
    expect(await lineageRows(child.uuid)).toEqual(['lineage_declared', 'lineage_promoted']);
  });

  it('case 94: of another role is rejected, with both columns empty', async () => {
    const [engaged, embodied] = [
      await onboard(w.call, { force_new: true }),
      await onboard(w.call, { force_new: true }),
    ];
    const operatorSecret = await operator(w.node, w.database, 'operator:act', 'roles');
    const tag = (target_agent_id: string, role: string) =>
      w.call('agent', { action: 'update', target_agent_id, tags: [role] }, { operatorSecret });
    await tag(engaged.uuid, 'engaged_ephemeral');
    await tag(embodied.uuid, 'embodied');
    const declare = (parent: string) =>
      onboard(w.call, { force_new: true, parent_agent_id: parent, spawn_reason: 'compaction' });
    expect((await declare(engaged.uuid)).body).toMatchObject({
      lineage_state: 'provisional',
      provisional_lineage: true,
    });
    const rejected = await declare(embodied.uuid);
    expect(rejected.body).toMatchObject({ lineage_state: 'rejected_cross_role', provisional_lineage: false });
    expect(rejected.body['lineage_note']).toContain('role');
    expect(await rowOf(rejected.uuid)).toMatchObject({ parent_agent_id: null, provisional_lineage: false });
    expect(await lineageRows(rejected.uuid)).toEqual(['lineage_cross_role_rejected']);
  });

  it('case 95: that is at work is rejected, unless it sent the child or the child goes on with its context', async () => {
    const declare = async (spawn_reason: string | null, idleMs: number) => {
      const parent = await onboard(w.call, { force_new: true });
      w.clock.advance(idleMs);
      const child = await onboard(w.call, { force_new: true, parent_agent_id: parent.uuid, spawn_reason });
      return child.body['lineage_state'];
    };
    for (const reason of ['new_session', 'because', null])
      expect(await declare(reason, 0)).toBe('rejected_coincidental');
    for (const reason of ['subagent', 'compaction']) expect(await declare(reason, 0)).toBe('provisional');
    expect(await declare('new_session', HOUR_MS)).toBe('provisional');
  });

  it('case 96: can be declared anew only by a new agent: an archived claim is not taken up again', async () => {
    const { parent, child } = await family(-1);
    w.clock.advance(31 * DAY);
    const alive = await onboard(w.call, { force_new: true });
    w.clock.advance(2 * HOUR_MS);
    await sweep.run();
    expect((await rowOf(child.uuid))['lineage_archived_at']).not.toBeNull();
    const { uuid, body } = await onboard(w.call, { force_new: true, parent_agent_id: parent.uuid });
    expect(body['lineage_state']).toBe('provisional');
    expect(await rowOf(uuid)).toMatchObject({ lineage_archived_at: null, lineage_demoted_at: null });
    expect(await stateOf(alive)).toBe('no_lineage_declared');
  });
});
