import { describe, expect, it } from 'vitest';
import { callsOf, dispatcherOf, onboard, operator, type Call } from '../../testing/calls.ts';
import { testDatabase } from '../../testing/database.ts';
import { testNode } from '../../testing/node.ts';
import type { Json } from '../../testing/rest.ts';
import { verifies } from '../../testing/verifies.ts';
import { testWorld, type World } from '../../testing/world.ts';
import { createTryLock } from '../postgres/index.ts';
import { MINUTE_MS, Ticker } from '../runtime/index.ts';
import { ManualClock } from '../runtime/testing/manual-clock.ts';
import { settle } from '../runtime/testing/settle.ts';
import { lifecycleJob } from './index.ts';
import { agent, as, found, idsOf, row, store } from './testing/library.ts';

const HOUR = 60 * MINUTE_MS;
const DAY = 24 * HOUR;

/** A finding as somebody left it long ago. */
const old = (
  w: Pick<World, 'rows' | 'clock'>,
  id: string,
  days: number,
  over: { status?: string; type?: string; tags?: string[] } = {},
) => {
  const { status = 'open', type = 'note', tags = [] } = over;
  const at = new Date(w.clock.now() - days * DAY);
  const [open, stored] = [status === 'open' || status === 'disputed', status === 'archived' || status === 'cold'];
  return w.rows(
    `INSERT INTO knowledge.discoveries (id, agent_id, type, status, created_at, resolved_at, archived_at, summary, tags)
     VALUES ($1, 'old', $2, $3, $4, $5, $6, 'old', $7)`,
    id,
    type,
    status,
    at,
    open ? null : at,
    stored ? at : null,
    tags,
  );
};
const statuses = async (w: Pick<World, 'rows'>): Promise<Json> => {
  const stored = await w.rows(`SELECT id, status FROM knowledge.discoveries WHERE agent_id = 'old' ORDER BY id`);
  return Object.fromEntries(stored.map((one): [string, unknown] => [String(one['id']), one['status']]));
};

describe('cleanup', async () => {
  const w = await testWorld();
  const ann = await agent(w);
  await old(w, 'closed', 31, { status: 'resolved' });
  await old(w, 'young', 29, { status: 'resolved' });
  await old(w, 'replaced', 31, { status: 'superseded' });
  await old(w, 'scratch', 8, { tags: ['scratch', 'db'] });
  await old(w, 'stored', 91, { status: 'archived' });
  await old(w, 'stays', 400, { status: 'resolved', type: 'pattern' });
  await old(w, 'decided', 400, { tags: ['temp', 'decision'] });
  await old(w, 'open', 400);
  await w.rows(`UPDATE knowledge.discoveries SET closure_class = 'fix_verified' WHERE id = 'closed'`);
  const tally = {
    discoveries_archived: 2,
    discoveries_to_cold: 1,
    ephemeral_archived: 1,
    tags_canonicalized: 1,
    skipped_permanent: 2,
    discoveries_deleted: 0,
    complete: true,
  };

  it('looks without touching, unless it is told to', async () => {
    verifies('BW-knowledge.01', 'BW-knowledge.04');
    const before = await statuses(w);
    expect((await w.call('knowledge', { action: 'cleanup' })).body).toMatchObject({
      dry_run: true,
      ...tally,
      cleanup_result: tally,
    });
    expect(await statuses(w)).toEqual(before);
    expect((await w.call('cleanup_knowledge_graph', { dry_run: false })).code).toBe('IDENTITY_REQUIRED');
  });

  it('archives, cools and keeps, and says in the trail of whoever asked what it did', async () => {
    verifies('BW-knowledge.01', 'BW-knowledge.04');
    const { body } = await w.call('knowledge', as(ann, { action: 'cleanup', dry_run: 'false' }));
    expect(body).toMatchObject({ dry_run: false, ...tally, cleanup_result: { dry_run: false, ...tally } });
    expect(await statuses(w)).toEqual({
      closed: 'archived',
      decided: 'open',
      open: 'open',
      replaced: 'archived',
      scratch: 'archived',
      stays: 'resolved',
      stored: 'cold',
      young: 'resolved',
    });
    expect(await row(w, 'closed')).toMatchObject({
      closure_class: 'fix_verified',
      archived_at: w.clock.now(),
      updated_at: null,
    });
    expect(await row(w, 'scratch')).toMatchObject({ tags: ['scratch', 'database'] });
    const [did, ran] = await w.rows(
      `SELECT event_type, payload FROM audit.events WHERE agent_id = $1 AND chain_index > 1 ORDER BY chain_index`,
      ann.uuid,
    );
    expect(did).toMatchObject({
      event_type: 'knowledge_write',
      payload: {
        action: 'cleanup',
        archived: ['closed', 'replaced', 'scratch'],
        cold: ['stored'],
        retagged: ['scratch'],
      },
    });
    expect(ran).toMatchObject({ event_type: 'knowledge_lifecycle', payload: { by: 'call', discoveries_archived: 2 } });
    const again = await w.call('knowledge', as(ann, { action: 'cleanup', dry_run: false }));
    expect(again.body).toMatchObject({ discoveries_archived: 0, discoveries_to_cold: 0, skipped_permanent: 2 });
    expect((await w.call('search_shared_memory', { query: 'database', include_archived: true })).body['count']).toBe(1);
  });

  it('goes through as many as there are, and may be asked for by an operator', async () => {
    verifies('BW-knowledge.04');
    await w.rows(
      `INSERT INTO knowledge.discoveries (id, agent_id, type, created_at, summary, tags)
       SELECT 'n' || i, 'many', 'note', $1, 's', '{demo}' FROM generate_series(1, 501) i`,
      new Date(w.clock.now() - 8 * DAY),
    );
    // A whole batch that nothing happens to, before those: the next one begins after it.
    await w.rows(
      `INSERT INTO knowledge.discoveries (id, agent_id, type, status, created_at, resolved_at, summary)
       SELECT 'a' || i, 'many', 'pattern', 'resolved', $1, $1, 's' FROM generate_series(1, 201) i`,
      new Date(w.clock.now() - 99 * DAY),
    );
    const eve = { operatorSecret: await operator(w.node, w.database, 'operator:act', 'eve') };
    const { body } = await w.call('knowledge', { action: 'cleanup', dry_run: false }, eve);
    expect(body).toMatchObject({ ephemeral_archived: 501, skipped_permanent: 203, complete: true });
    expect(await w.count(`knowledge.discoveries WHERE agent_id = 'many' AND status = 'archived'`)).toBe(501);
    expect(await w.count(`audit.events WHERE agent_id = 'operator:eve' AND event_type = 'knowledge_write'`)).toBe(3);
  });
});

describe('the daily run', async () => {
  const { database } = await testDatabase();
  const clock = new ManualClock(Date.now());
  const rows: World['rows'] = (text, ...values) => database.query({ text, values });
  const w = { rows, clock };
  const runs = async () =>
    (await rows(`SELECT payload FROM audit.events WHERE event_type = 'knowledge_lifecycle' ORDER BY ts`)).map(
      (one) => one['payload'],
    );

  it('comes soon after a start and every day, on one server at a time, and not again because one started again', async () => {
    verifies('BW-knowledge.04');
    const nodes = [await testNode(database, { clock }), await testNode(database, { clock })];
    const failures: unknown[] = [];
    const locks = createTryLock(database);
    const start = () =>
      nodes.map((node) => {
        const ticker = new Ticker({ clock, tryLock: locks.tryLock, onError: (_, error) => failures.push(error) });
        ticker.add(lifecycleJob(node.knowledge.tending));
        ticker.start();
        return ticker;
      });
    /** Moves time on until a run is on record. */
    const until = async (n: number) => {
      for (let i = 0; i < 1000 && (await runs()).length < n; i += 1) await settle();
      return (await runs()).length;
    };
    await old(w, 'scratch', 8, { tags: ['scratch'] });
    await rows(
      `INSERT INTO knowledge.rate_limits VALUES ('x', $1), ('y', $2)`,
      new Date(clock.now() - 2 * DAY),
      new Date(clock.now()),
    );
    let tickers = start();
    clock.advance(5 * MINUTE_MS);
    expect(await until(1)).toBe(1);
    expect(await statuses(w)).toEqual({ scratch: 'archived' });
    expect(await runs()).toMatchObject([{ by: 'schedule', ephemeral_archived: 1 }]);
    expect(await rows('SELECT agent_id FROM knowledge.rate_limits')).toEqual([{ agent_id: 'y' }]);
    await Promise.all(tickers.map((ticker) => ticker.stop()));

    tickers = start();
    clock.advance(23 * HOUR);
    for (const { knowledge } of nodes) expect(await knowledge.tending.runWhenDue()).toBeUndefined();
    await Promise.all(tickers.map((ticker) => ticker.stop()));
    expect(await runs()).toHaveLength(1);

    await old(w, 'later', 31, { status: 'resolved' });
    tickers = start();
    clock.advance(2 * HOUR);
    expect(await until(2)).toBe(2);
    await Promise.all(tickers.map((ticker) => ticker.stop()));
    expect(await statuses(w)).toEqual({ scratch: 'archived', later: 'archived' });
    expect(failures).toEqual([]);
    expect(await rows('SELECT 1 FROM knowledge.discoveries')).toHaveLength(2);
    await Promise.all(nodes.map((node) => node.stop()));
    await locks.close();
  });

  it('ends after the batch that it is at when its server stops, and is not over then', async () => {
    const node = await testNode(database, { clock });
    clock.advance(2 * DAY);
    await node.stop();
    expect(await node.knowledge.tending.runWhenDue()).toMatchObject({ complete: false });
    expect(await runs()).toHaveLength(2);
  });
});

describe('synthesize', async () => {
  const w = await testWorld();
  const ann = await agent(w, { name: 'Ann' });
  const bob = await agent(w);
  for (let i = 0; i < 6; i += 1) {
    w.clock.advance(1000);
    await store(w, i % 2 === 0 ? ann : bob, {
      summary: `Lock ${i}`,
      tags: ['locks', 'x'],
      severity: i === 3 ? 'high' : 'low',
      auto_link_related: false,
    });
  }
  const roll = (args = {}) => w.call('knowledge', { action: 'synthesize', ...args });

  it('shows what it would say, unless it is told to', async () => {
    verifies('BW-knowledge.01');
    const { body } = await roll({ topic: 'Locks' });
    expect(body).toMatchObject({
      dry_run: true,
      synthesized: 0,
      topics: [{ tag: 'locks', members: 6, discovery_id: null, severity: 'medium' }],
    });
    expect(await w.count('knowledge.discoveries')).toBe(6);
    expect((await roll({ min_members: 7 })).body).toMatchObject({ topics: [], message: expect.any(String) as string });
    expect((await roll({ topic: '!' })).code).toBe('PARAMETER_ERROR');
    expect((await roll({ dry_run: false })).code).toBe('IDENTITY_REQUIRED');
  });

  it('rolls each dense tag up once, links what it was made of, and replaces itself when that has changed', async () => {
    verifies('BW-knowledge.01');
    const write = () => roll(as(ann, { dry_run: false }));
    const first = await write();
    expect(first.body).toMatchObject({ synthesized: 2 });
    const topics = first.body['topics'] as { tag: string; discovery_id: string }[];
    expect(topics.map(({ tag }) => tag)).toEqual(['locks', 'x']);
    const id = topics[0]?.discovery_id ?? '';
    expect(await row(w, id)).toMatchObject({
      type: 'insight',
      agent_id: ann.uuid,
      tags: ['locks', 'synthesis'],
      provenance: { identity: { bound: true }, synthesis: { tag: 'locks', members: 6 } },
    });
    expect(await w.count('knowledge.discovery_edges WHERE src_id = $1', id)).toBe(6);
    expect((await write()).body).toMatchObject({
      synthesized: 0,
      topics: [{ unchanged: true, discovery_id: id }, { unchanged: true }],
    });
    await store(w, bob, { summary: 'Lock 6', tags: ['locks'] });
    const next = await write();
    expect(next.body).toMatchObject({
      synthesized: 1,
      topics: [{ tag: 'locks', members: 7, supersedes: id }, { unchanged: true }],
    });
    const newer = (next.body['topics'] as { discovery_id: string }[])[0]?.discovery_id;
    expect(await row(w, id)).toMatchObject({ status: 'superseded', superseded_by: newer });
    expect((await w.trail(ann.uuid)).filter((type) => type === 'knowledge_write')).toHaveLength(6);
    expect(idsOf((await w.call('search_shared_memory', { tags: 'synthesis', status: 'open' })).body)).toContain(newer);
  });

  it('is charged to the budget of whoever asks', async () => {
    verifies('BW-knowledge.03');
    const discoveries = Array.from({ length: 10 }, (_, i) => ({ summary: `n${i}`, tags: ['many'], type: 'note' }));
    const zoe = await agent(w);
    for (let i = 0; i < 2; i += 1) await w.call('knowledge', as(zoe, { action: 'store', discoveries }));
    expect((await roll(as(zoe, { dry_run: false, topic: 'many' }))).code).toBe('RATE_LIMIT_EXCEEDED');
  });
});

/** Servers by turns. */
const turnsOf =
  (calls: readonly Call[]) =>
  (i: number): Call => {
    const call = calls[i % calls.length];
    if (call === undefined) throw new Error('there is no server');
    return call;
  };

describe('the budget', async () => {
  const { database, open } = await testDatabase();

  it('is one for an agent, on whatever servers it stores at once', async () => {
    verifies('BW-knowledge.03');
    const clock = new ManualClock(Date.now());
    const nodes = [await testNode(database, { clock }), await testNode(open(), { clock })];
    const calls = turnsOf(nodes.map((node) => callsOf(dispatcherOf(node, database))));
    const first = calls(0);
    const ann = await onboard(first, { force_new: true });
    const results = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        calls(i)('store_finding', as(ann, { summary: `finding ${i}`, tags: ['t'] })),
      ),
    );
    const codes = results.map(({ code }) => code);
    expect(codes.filter((code) => code === undefined)).toHaveLength(20);
    expect(codes.filter((code) => code === 'RATE_LIMIT_EXCEEDED')).toHaveLength(10);
    const stored = await database.query<{ id: string }>({ text: 'SELECT id FROM knowledge.discoveries' });
    expect(new Set(stored.map(({ id }) => id)).size).toBe(20);
    // The chain of the agent is whole although two servers wrote it: each link names the one before.
    const chain = await database.query<{ prev_hash: string; raw_hash: string }>({
      text: 'SELECT prev_hash, raw_hash FROM audit.events WHERE agent_id = $1 AND chain_index IS NOT NULL ORDER BY chain_index',
      values: [ann.uuid],
    });
    expect(chain.length).toBeGreaterThanOrEqual(21);
    for (const [i, { prev_hash }] of chain.entries()) expect(prev_hash).toBe(chain[i - 1]?.raw_hash ?? '');

    const refused = await first('store_finding', as(ann, { summary: 's' }));
    expect(refused.body).toMatchObject({
      error_code: 'RATE_LIMIT_EXCEEDED',
      limit: 20,
      window: 'hour',
      retry_after_seconds: 3600,
    });
    clock.advance(HOUR - 1);
    expect((await first('store_finding', as(ann, { summary: 's' }))).ok).toBe(false);
    clock.advance(2);
    expect((await first('store_finding', as(ann, { summary: 's' }))).ok).toBe(true);
    for (const node of nodes) expect(node.crashes).toEqual([]);
    await Promise.all(nodes.map((node) => node.stop()));
  });

  it('is one for an address without identity, too, and a batch takes what is left of it', async () => {
    verifies('BW-knowledge.03');
    const nodes = [await testNode(database), await testNode(open())];
    const calls = turnsOf(nodes.map((node) => callsOf(dispatcherOf(node, database))));
    const batch = { action: 'store', discoveries: Array.from({ length: 8 }, () => ({ summary: 's', type: 'note' })) };
    const results = await Promise.all([0, 1, 2, 3].map((i) => calls(i)('knowledge', batch)));
    const stored = results.map((result) => Number(result.body['stored']));
    expect(stored.toSorted((a, b) => a - b)).toEqual([0, 4, 8, 8]);
    const refused = results.flatMap((result) =>
      found({ discoveries: result.body['results'] }).filter((one) => one['success'] === false),
    );
    expect(new Set(refused.map((one) => one['error_code']))).toEqual(new Set(['RATE_LIMIT_EXCEEDED']));
    await Promise.all(nodes.map((node) => node.stop()));
  });
});
