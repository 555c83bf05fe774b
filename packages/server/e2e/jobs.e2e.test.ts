import { ok } from '@breakwater/contract';
import { afterAll, describe, expect, test } from 'vitest';
import { pauseChange } from '../src/agents/index.ts';
import { systemIds } from '../src/runtime/index.ts';
import { testDatabase } from '../testing/database.ts';
import { born, testNode } from '../testing/node.ts';
import { callsOf, dispatcherOf, onboard } from '../testing/calls.ts';
import { callTool, postJson } from '../testing/rest.ts';
import { reviewUpToTheLastWord } from '../testing/review.ts';
import { createOperator } from '../src/identity/index.ts';
import { freePort, NO_LIMITS, removeDataDir, spawnServer, temporaryDataDir, until } from '../testing/server.ts';
import { verifies } from '../testing/verifies.ts';

const { database, target, open } = await testDatabase();
if ('url' in target) throw new Error('the tests run on a socket');
const url = `postgres://breakwater@localhost/${target.database}?host=${encodeURIComponent(target.socketDir)}`;
const env = { ...NO_LIMITS, DATABASE_URL: url };

describe('what a started server does by itself', () => {
  const folder = temporaryDataDir();
  afterAll(() => removeDataDir(folder));

  test('ends the pause of an agent that makes no call, with its row in the trail, and delivers what a resolution caused', async () => {
    verifies('BW-checkin.06', 'W3-9.19');
    const node = await testNode(database);
    const { agentId } = await born(node);
    const at = Date.now();
    const paused = await node.agents.act(agentId, at + 10_000, () => {
      const { event, ...change } = pauseChange({
        actuation_id: 'a pause',
        paused_at: new Date(at - 3_600_000).toISOString(),
        expires_at: new Date(at - 1_000).toISOString(),
        sub_action: 'claims_pause',
        reason: 'Its time is over.',
        evidence: {},
      });
      return Promise.resolve(ok({ reply: null, change: { at, ...change, events: [event] as const } }));
    });
    expect(paused.ok).toBe(true);
    await node.stop();
    const secret = `bwo_${systemIds.uuid()}`;
    const operator = {
      name: 'chief',
      scopes: ['operator:act'],
      now: at,
      expiresAt: at + 3_600_000,
      secret,
      by: 'test',
    };
    expect((await createOperator(database, { ...operator, scopes: ['operator:act'] })).ok).toBe(true);

    const server = spawnServer(folder, { env });
    try {
      const address = await server.ready();
      const eventsOf = async (agent: string, type: string): Promise<number> => {
        const text = 'SELECT 1 FROM audit.events WHERE agent_id = $1 AND event_type = $2';
        return (await database.query({ text, values: [agent, type] })).length;
      };
      const once = (agent: string, type: string) => async () => ((await eventsOf(agent, type)) > 0 ? true : undefined);
      await until(once(agentId, 'pause_auto_expired'), 'the pause has ended');
      const [head] = await database.query({
        text: 'SELECT status, pause FROM core.identities WHERE agent_id = $1',
        values: [agentId],
      });
      expect(head).toEqual({ status: 'active', pause: null });

      const review = await reviewUpToTheLastWord(address, { 'x-breakwater-operator': secret });
      await review.agree();
      await until(once(review.paused.agentId, 'dialectic_resolved'), 'the resolution is in the trail');
      expect(await eventsOf(review.paused.agentId, 'dialectic_resolved')).toBe(1);
    } finally {
      await server.stop();
    }
  });
});

describe('a baseline that PostgreSQL has and memory does not', () => {
  const folder = temporaryDataDir();
  afterAll(() => removeDataDir(folder));

  test('is told when a check-in needs it, and used', async () => {
    verifies('W3-10.07');
    const node = await testNode(database);
    const call = callsOf(dispatcherOf(node, database));
    const { uuid, secret } = await onboard(call, { name: 'Known from before' });
    const own = { client_session_id: secret, confidence: 0.8 };
    expect((await call('sync_state', { ...own, response_text: 'The first piece of work.' })).ok).toBe(true);
    await node.stop();
    const take = 'DELETE FROM core.agent_behavioral_baselines WHERE agent_id = $1 RETURNING stats';
    const [before] = await database.query<{ stats: object }>({ text: take, values: [uuid] });

    const server = spawnServer(folder, { env });
    try {
      const address = await server.ready();
      const put = 'INSERT INTO core.agent_behavioral_baselines (agent_id, stats) VALUES ($1, $2)';
      await database.query({ text: put, values: [uuid, JSON.stringify(before?.stats)] });
      const read = () => postJson(address, '/v1/baseline/get', { agent_id: uuid });
      expect((await read()).body).toMatchObject({ ok: false, cold: true });
      const { result } = await callTool(address, 'sync_state', { ...own, response_text: 'The second piece of work.' });
      expect(result).toMatchObject({ success: true });
      const told = await until(async () => {
        const rows = await database.query<{ payload: object }>({
          text: `SELECT payload FROM audit.coordination_events WHERE event_type LIKE '%ets_pg_divergence'`,
        });
        return rows.length > 0 ? rows : undefined;
      }, 'the difference is told');
      expect(told).toEqual([{ payload: expect.objectContaining({ store: 'agent_baselines', key: uuid }) as unknown }]);
      // The baseline of three check-ins, and not of the last one alone.
      expect((await read()).body).toMatchObject({ ok: true });
    } finally {
      await server.stop();
    }
  });
});

describe('a server whose PostgreSQL answers everything but one table', () => {
  const folder = temporaryDataDir();
  afterAll(() => removeDataDir(folder));

  test('is not ready before that table is loaded, and says which part is missing', async () => {
    verifies('W3-10.04', 'W3-10.05');
    const holder = open();
    const held = Promise.withResolvers<true>();
    const release = Promise.withResolvers<true>();
    const lock = holder.transaction(async (tx) => {
      await tx.query({ text: 'LOCK TABLE core.feature_flags IN ACCESS EXCLUSIVE MODE' });
      held.resolve(true);
      await release.promise;
    });
    await held.promise;
    const port = await freePort();
    const address = `http://127.0.0.1:${port}`;
    const server = spawnServer(folder, { port, env });
    const ready = async () => {
      const response = await fetch(new URL('/health/ready', address)).catch(() => undefined);
      return response && { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    try {
      // All that does not wait for the lock is there.
      const alone = await until(async () => {
        const answer = await ready();
        const missing = answer?.body['not_ready'] as string[] | undefined;
        return answer?.status === 200 || missing?.length === 1 ? answer : undefined;
      }, 'the rest is loaded');
      expect(alone).toMatchObject({ status: 503, body: { not_ready: ['flags'] } });
      const refused = await callTool(address, 'onboard', {});
      expect([refused.status, refused.body['reason']]).toEqual([503, 'handler_dispatch_unavailable']);
      const flag = await postJson(address, '/v1/feature_flag/get', { name: 'claims_review' });
      expect(flag.status).toBe(503);
      release.resolve(true);
      await lock;
      await until(async () => ((await ready())?.status === 200 ? true : undefined), 'it is ready');
    } finally {
      release.resolve(true);
      await server.stop();
    }
  });
});
