import { ok, AUDIT_EVENTS, type FeedEventType } from '@breakwater/contract';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { onboard } from '../../testing/calls.ts';
import { testDatabase } from '../../testing/database.ts';
import { born, testNode, type TestNode } from '../../testing/node.ts';
import { until } from '../../testing/server.ts';
import { verifies } from '../../testing/verifies.ts';
import { testWorld } from '../../testing/world.ts';
import { Agents, type AgentChange, type Vitals } from '../agents/index.ts';
import { memoryCodec } from '../checkin/index.ts';
import { vitals } from '../lifecycle/rules/testing/head.ts';
import { createNotifier } from '../postgres/index.ts';
import { DAY_MS, systemClock, systemIds } from '../runtime/index.ts';
import { Feed, type FeedBatch, type FeedPage, type FeedQuery } from './index.ts';
import { eventFor } from './rules/wire.ts';
import { SILENCE_MS } from './rules/silence.ts';

/** A check-in with these readings, through the agent's mailbox and PostgreSQL. */
const checkIn = async (
  node: Pick<TestNode, 'agents' | 'clock'>,
  agentId: string,
  change: Partial<Vitals>,
  more: Partial<AgentChange> = {},
) => {
  const now = node.clock.now();
  const readings = vitals({ drift: 0.1, ...change, at: new Date(now).toISOString() });
  const { verdict, risk, action, sub_action } = readings;
  const done = await node.agents.act(agentId, now + 60_000, async () =>
    ok({
      reply: null,
      change: {
        at: now,
        countsUpdate: true,
        vitals: readings,
        events: [{ type: AUDIT_EVENTS.checkInRecorded, payload: { verdict, risk, action, sub_action } }],
        ...more,
      },
    }),
  );
  expect(done.ok).toBe(true);
};

const page = async (feed: Pick<Feed, 'page'>, query: Partial<FeedQuery> = {}): Promise<FeedPage> => {
  const answer = await feed.page({ limit: 100, ...query });
  if (!answer.ok) throw new Error(answer.refusal.message);
  return answer.value;
};
const told = ({ events }: FeedPage) => events.map(({ type }) => type);
const keys = ({ events }: FeedPage) =>
  events.map((event) => eventFor(event, { agentId: undefined, operator: true })['key']);

describe('events of one node', async () => {
  const world = await testWorld();
  beforeEach(async () => {
    await world.restart();
    await world.database.query({ text: 'TRUNCATE audit.events' });
    world.clock.advance(1_000);
  });
  const agent = async () => (await born(world.node)).agentId;

  test('a reader that comes back with its cursor gets what came since, in order, and nothing twice', async () => {
    verifies('BW-serve.11');
    const [ada, bob] = [await agent(), await agent()];
    const first = await page(world.node.feed);
    expect(told(first)).toEqual(['lifecycle_created', 'lifecycle_created']);
    expect(told(await page(world.node.feed, { since: first.cursor }))).toEqual([]);
    await checkIn(world.node, ada, {});
    await checkIn(world.node, ada, { verdict: 'guide', risk: 0.65 });
    await checkIn(world.node, bob, {});
    await checkIn(world.node, bob, { drift: 0.8 });

    const second = await page(world.node.feed, { since: first.cursor });
    expect(told(second)).toEqual(['verdict_change', 'risk_threshold', 'risk_threshold', 'drift']);
    expect(second).toMatchObject({ hasMore: false, restarted: false });
    expect(second.gap).toBeUndefined();
    expect(told(await page(world.node.feed, { since: second.cursor }))).toEqual([]);
    expect(told(await page(world.node.feed, { agentId: bob }))).toEqual(['lifecycle_created', 'drift']);
    const types = new Set<FeedEventType>(['verdict_change', 'drift']);
    expect(told(await page(world.node.feed, { types }))).toEqual(['verdict_change', 'drift']);
    expect(told(await page(world.node.feed, { limit: 2 })), 'without a cursor: the newest').toEqual([
      'risk_threshold',
      'drift',
    ]);
  });

  test('pages end where the next one begins', async () => {
    const ada = await agent();
    const { cursor } = await page(world.node.feed);
    await checkIn(world.node, ada, {});
    for (const verdict of ['guide', 'proceed', 'guide', 'proceed', 'guide'] as const)
      await checkIn(world.node, ada, { verdict });
    const seen: unknown[] = [];
    let since = cursor;
    for (const more of [true, true, false]) {
      const part = await page(world.node.feed, { since, limit: 2 });
      expect(part.hasMore).toBe(more);
      seen.push(...part.events.map(({ details }) => details['to']));
      since = part.cursor;
    }
    expect(seen).toEqual(['guide', 'proceed', 'guide', 'proceed', 'guide']);
  });

  test('a restart loses nothing that the trail holds, and a cursor from before it still counts', async () => {
    verifies('BW-serve.11');
    const ada = await agent();
    await checkIn(world.node, ada, {});
    await checkIn(world.node, ada, { verdict: 'guide', risk: 0.65 });
    world.clock.advance(120_000);
    const read = await page(world.node.feed);
    await checkIn(world.node, ada, { verdict: 'pause', risk: 0.72 });
    const missed = await page(world.node.feed, { since: read.cursor });
    expect(told(missed)).toEqual(['verdict_change', 'risk_threshold']);

    world.clock.advance(5_000);
    await world.restart();
    const after = await page(world.node.feed, { since: read.cursor });
    expect(keys(after)).toEqual(keys(missed));
    expect(after).toMatchObject({ restarted: true, hasMore: false, gap: undefined });
    const whole = await page(world.node.feed);
    expect(keys(whole)).toEqual([...keys(read), ...keys(missed)]);
    expect(whole.events.map(({ head }) => head?.agentId)).toEqual(whole.events.map(() => ada));

    await checkIn(world.node, ada, { verdict: 'guide', risk: 0.72 });
    expect(told(await page(world.node.feed, { since: after.cursor }))).toEqual(['verdict_change']);
    const cursors = (await page(world.node.feed)).events.map(({ cursor }) => cursor);
    expect(cursors).toEqual([...new Set(cursors)].sort((a, b) => a - b));
  });

  test('what was decided before a cursor and published after it is not lost in a restart', async () => {
    const ada = await agent();
    await checkIn(world.node, ada, {});
    const decidedAt = world.clock.now();
    world.clock.advance(20_000);
    const bob = await agent();
    const { cursor } = await page(world.node.feed);
    await checkIn(world.node, ada, { verdict: 'guide' }, { at: decidedAt });
    world.clock.advance(5_000);
    await world.restart();
    const after = await page(world.node.feed, { since: cursor });
    expect(after.events.map(({ type, agentId }) => [type, agentId])).toContainEqual(['verdict_change', ada]);
    expect(
      after.events.map(({ agentId }) => agentId),
      'and what comes again is known by its key',
    ).toContain(bob);
  });

  test('a gap is said: when the ring was too small, when it is too long ago, when PostgreSQL does not tell', async () => {
    verifies('BW-serve.11');
    const [ada, small] = [
      await agent(),
      new Feed({
        database: world.database,
        clock: world.clock,
        agents: () => world.node.agents.table,
        isStable: () => true,
        capacity: 3,
      }),
    ];
    const head = await world.node.agents.find(ada);
    if (head === undefined) throw new Error('the agent was born');
    const { cursor } = await page(small);
    for (let i = 0; i < 5; i += 1) small.observe(head, undefined, undefined);
    const overflown = await page(small, { since: cursor });
    expect(overflown.events).toHaveLength(3);
    expect(overflown.gap).toMatchObject({ reason: 'overflow' });
    expect(
      (await page(small, { since: overflown.events[0]?.cursor ?? 0 })).gap,
      'none after what is here',
    ).toBeUndefined();

    world.clock.advance(1_000);
    const long = (world.clock.now() - DAY_MS - 1) * 1000;
    await world.restart();
    expect((await page(world.node.feed, { since: long })).gap).toMatchObject({ reason: 'not_retained' });
    expect((await page(world.node.feed, { since: long + 2_000_000 })).gap).toBeUndefined();

    await world.restart();
    world.cutOff(true);
    const unknown = await page(world.node.feed, { since: cursor });
    world.cutOff(false);
    expect(unknown).toMatchObject({ events: [], gap: { reason: 'history_unavailable' } });
    expect(told(await page(world.node.feed, { since: cursor - 1_000_000 })), 'asked again').toEqual([
      'lifecycle_created',
    ]);
  });

  test('a cursor from the future is refused', async () => {
    const answer = await world.node.feed.page({ limit: 1, since: (world.clock.now() + 120_000) * 1000 });
    expect(answer).toMatchObject({ ok: false, refusal: { code: 'BAD_REQUEST', details: { field: 'since' } } });
  });

  test('silence is told once, ended by the next check-in, and recalled after a restart', async () => {
    const ada = await agent();
    world.clock.advance(120_000);
    await checkIn(world.node, ada, {});
    const since = (await page(world.node.feed)).cursor;
    const look = async () => {
      world.node.feed.watchSilence();
      return told(await page(world.node.feed, { since, agentId: ada }));
    };
    world.clock.advance(SILENCE_MS - 1);
    expect(await look()).toEqual([]);
    world.clock.advance(60_000);
    expect(await look()).toEqual(['silence']);
    expect(await look()).toEqual(['silence']);
    world.clock.advance(60_000);
    await world.restart();
    expect(await look()).toEqual(['silence']);
    await checkIn(world.node, ada, {});
    const { events } = await page(world.node.feed, { since, agentId: ada });
    expect(events.map(({ type }) => type)).toEqual(['silence', 'silence_ended']);
    expect(events[1]?.details).toEqual({ silent_seconds: Math.round((SILENCE_MS - 1 + 120_000) / 1000) });
  });

  test('those who watch get check-ins in batches, several of one agent as one, and nothing once they left', async () => {
    const { call, node, clock } = world;
    const { uuid, secret } = await onboard(call, { name: 'Ada' });
    const batches: FeedBatch[] = [];
    const leave = node.feed.subscribe((batch) => batches.push(batch));
    const sync = (text: string) =>
      call('sync_state', { client_session_id: secret, response_text: text, confidence: 0.75 });
    await sync('The first piece of work.');
    await sync('The second piece of work, on another matter.');
    expect(batches, 'not while a check-in is on its way').toEqual([]);
    clock.advance(100);
    expect(batches).toHaveLength(1);
    const [update, ...more] = batches[0]?.updates ?? [];
    expect(more).toEqual([]);
    expect(update).toMatchObject({ checkIns: 2, head: { agentId: uuid, updateCount: 2 } });
    expect(update?.own).toMatchObject({
      confidence: { value: 0.75, source: 'reported' },
      coherence: 0.5,
      telemetry: { schema: 'eisv.telemetry.v1' },
    });
    await checkIn(node, uuid, { verdict: 'pause' }, { status: 'paused', pause: pauseOf('a-1') });
    clock.advance(100);
    expect(batches[1]).toMatchObject({
      updates: [{ checkIns: 1, events: [{ type: 'verdict_change' }] }],
      events: [{ type: 'lifecycle_paused', details: { reason: 'because' } }],
    });
    leave();
    await checkIn(node, uuid, {}, { status: 'active', pause: null });
    clock.advance(1_000);
    expect(batches).toHaveLength(2);
  });

  test('too many at once are counted, and their events are told all the same', async () => {
    const { node, clock } = world;
    const { uuid } = await onboard(world.call, { name: 'Ada' });
    const head = await node.agents.find(uuid);
    if (head === undefined) throw new Error('the agent was born');
    const batches: FeedBatch[] = [];
    onTestFinished(node.feed.subscribe((batch) => batches.push(batch)));
    for (let i = 0; i < 600; i += 1) {
      const before = { ...head, agentId: `agent-${i}`, vitals: vitals() };
      const after = { ...before, updateCount: before.updateCount + 2, vitals: vitals({ verdict: 'guide' }) };
      node.feed.observe(after, before, undefined);
    }
    clock.advance(100);
    expect(batches).toHaveLength(1);
    expect(batches[0]?.updates).toHaveLength(500);
    expect(batches[0]).toMatchObject({ missed: 200 });
    const withThem = batches[0]?.updates.flatMap(({ events }) => events).length ?? 0;
    expect(withThem + (batches[0]?.events.length ?? 0)).toBe(600);
  });
});

describe('whoever listens', async () => {
  const { database } = await testDatabase();

  test('cannot spoil what was committed: the caller is answered, and the failure is reported', async () => {
    const crashes: unknown[] = [];
    const notifier = createNotifier({ database, nodeId: 'n', clock: systemClock, onError: () => undefined });
    const agents = new Agents({
      database,
      codec: memoryCodec,
      clock: systemClock,
      ids: systemIds,
      notifier,
      onCrash: (_, error) => crashes.push(error),
      onPublished: (after) => {
        if (after.updateCount > 0) throw new Error('a listener with a bug');
      },
    });
    const maker = await testNode(database);
    onTestFinished(async () => {
      await agents.stop();
      await maker.stop();
    });
    const { agentId } = await born(maker);
    await checkIn({ agents, clock: systemClock }, agentId, {});
    expect(crashes).toMatchObject([{ message: 'a listener with a bug' }]);
    expect((await agents.find(agentId))?.updateCount).toBe(1);
  });
});

const pauseOf = (actuation_id: string) => ({
  actuation_id,
  paused_at: new Date(0).toISOString(),
  expires_at: null,
  sub_action: 'pause',
  reason: 'because',
  evidence: {},
});

describe('events of another node', async () => {
  const { database, open } = await testDatabase();

  test('reach those who watch here, in short form, and the ring', async () => {
    const nodes = [await testNode(database, { listen: true }), await testNode(open(), { listen: true })] as const;
    const [here, there] = nodes;
    onTestFinished(async () => void (await Promise.all(nodes.map((node) => node.stop()))));
    const batches: FeedBatch[] = [];
    here.feed.subscribe((batch) => batches.push(batch));
    const { agentId } = await born(there);
    await checkIn(there, agentId, {});
    await until(
      () => (batches.some(({ updates }) => updates.length > 0) ? true : undefined),
      'the check-in is heard of',
    );
    await checkIn(there, agentId, { verdict: 'guide' });
    const update = await until(
      () => batches.flatMap(({ updates }) => updates).find(({ events }) => events.length > 0),
      'the change of the verdict is heard of',
    );
    expect(update).toMatchObject({ own: undefined, head: { agentId }, events: [{ type: 'verdict_change' }] });
    expect(told(await page(here.feed, { agentId }))).toEqual(['lifecycle_created', 'verdict_change']);
    expect(keys(await page(here.feed, { agentId }))).toEqual(keys(await page(there.feed, { agentId })));
  });

  test('that were missed while it was deaf are told as one, with their number', async () => {
    const deaf = await testNode(database);
    const other = await testNode(open());
    onTestFinished(async () => {
      await deaf.stop();
      await other.stop();
    });
    const { agentId } = await born(other);
    await deaf.agents.find(agentId);
    for (let i = 0; i < 3; i += 1) await checkIn(other, agentId, {});
    const batches: FeedBatch[] = [];
    deaf.feed.subscribe((batch) => batches.push(batch));
    await deaf.agents.refresh([agentId]);
    const update = await until(() => batches[0]?.updates[0], 'it is told');
    expect(update).toMatchObject({ checkIns: 3, own: undefined });
  });
});
