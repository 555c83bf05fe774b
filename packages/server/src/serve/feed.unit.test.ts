import { request as httpRequest } from 'node:http';
import { ok } from '@breakwater/contract';
import { describe, expect, onTestFinished, test } from 'vitest';
import { until } from '../../testing/server.ts';
import { verifies } from '../../testing/verifies.ts';
import { Feed, type FeedBatch, type FeedPage } from '../feed/index.ts';
import { head, ME, NOW, OTHER, vitals } from '../lifecycle/rules/testing/head.ts';
import { createLiveTable } from '../runtime/index.ts';
import { ManualClock } from '../runtime/testing/manual-clock.ts';
import type { ServeOptions } from './ports.ts';
import { startFakeNode, type FakeNode } from './testing/fake-node.ts';
import { NotLetIn, watch, type FeedMessage } from './testing/watcher.ts';

const NOTHING: FeedPage = { events: [], cursor: 41, hasMore: false, gap: undefined, restarted: false };

/** A server whose feed says what the test wants. */
const feeding = async (overrides: Parameters<typeof startFakeNode>[0] & { page?: Partial<FeedPage> } = {}) => {
  const listeners = new Set<(batch: FeedBatch) => void>();
  const feed: ServeOptions['feed'] = {
    page: () => Promise.resolve(ok({ ...NOTHING, ...overrides.page })),
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const node = await startFakeNode({ feed, ...overrides });
  onTestFinished(() => node.stop());
  const tell = (batch: Partial<FeedBatch>) => {
    for (const listener of listeners) listener({ updates: [], events: [], missed: 0, ...batch });
  };
  return { ...node, tell, listeners };
};

const update = (agentId: string, reason = 'well') => ({
  at: NOW,
  isStable: true,
  head: head({ agentId, vitals: vitals(), label: 'Ada' }),
  own: { confidence: null, coherence: 0.5, reason, telemetry: null },
  checkIns: 1,
  events: [],
});
const isUpdate = ({ type }: FeedMessage) => type === 'eisv_update';

/** What a request for a WebSocket was answered, when it was no WebSocket. */
const refusal = async (attempt: Promise<unknown>) => {
  const error: unknown = await attempt.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  if (!(error instanceof NotLetIn)) throw new Error('it was let in, or failed otherwise', { cause: error });
  return { status: error.status, body: JSON.parse(error.body) as Record<string, unknown> };
};

/** As it is now: what the route answers may be a second old. */
const series = async ({ options }: Pick<FakeNode, 'options'>, name: string): Promise<number | undefined> => {
  const text = await options.metrics.expose();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
};

describe('who may watch', () => {
  test('a crowd without credentials leaves operators their places', async () => {
    const node = await guarded({ tokens: [] });
    const crowd = [];
    for (let i = 0; i < 40; i += 1) crowd.push(await watch(node.url));
    expect(await refusal(watch(node.url))).toMatchObject({ status: 503, body: { reason: 'overloaded' } });
    const operator = await watch(node.url, { headers: { 'x-breakwater-operator': OPERATOR } });
    expect(operator.messages[0]).toMatchObject({ type: 'feed_ready', ids: 'visible' });
    crowd[0]?.socket.terminate();
    // The server hears of it a moment later.
    expect(await until(() => watch(node.url).catch(() => undefined), 'the place is free')).toBeDefined();
  });

  const TOKEN = 'token-of-the-server';
  const guarded = (over: Parameters<typeof feeding>[0] = {}) =>
    feeding({
      tokens: [TOKEN],
      operatorOf: (secret) => Promise.resolve(secret === OPERATOR ? { name: 'ops', act: false } : undefined),
      ...over,
    });
  const OPERATOR = `bwo_${'x'.repeat(30)}`;

  test('is decided as for every other route', async () => {
    const node = await guarded();
    expect(await refusal(watch(node.url))).toMatchObject({ status: 401, body: { error_code: 'UNAUTHORIZED' } });
    const wrong = { authorization: 'Bearer another' };
    expect(await refusal(watch(node.url, { headers: wrong }))).toMatchObject({ status: 401 });
    const good = { authorization: `Bearer ${TOKEN}` };
    expect(await refusal(watch(node.url, { headers: { ...good, origin: 'https://evil.example' } }))).toMatchObject({
      status: 403,
    });
    expect(await refusal(watch(node.url, { headers: { ...good, host: 'evil.example' } }))).toMatchObject({
      status: 421,
    });
    const { messages } = await watch(node.url, { headers: good });
    expect(messages).toMatchObject([{ type: 'feed_ready', cursor: 41, ids: 'redacted', server: 'breakwater' }]);
    expect((await fetch(`${node.url}/api/events`)).status).toBe(401);
  });

  test('a browser sends its token as a subprotocol, which is not sent back', async () => {
    const node = await guarded();
    const { socket } = await watch(node.url, { protocols: ['breakwater', `bearer.${TOKEN}`] });
    expect(socket.protocol).toBe('breakwater');
    expect(await refusal(watch(node.url, { protocols: ['breakwater', 'bearer.another'] }))).toMatchObject({
      status: 401,
    });
  });

  test.each([`bearer.${OPERATOR}`, OPERATOR])(
    'an operator signs in from a browser with a subprotocol alone, past the token of the server (%#)',
    async (offered) => {
      const node = await guarded();
      const { socket, messages } = await watch(node.url, { protocols: ['breakwater', offered] });
      expect(socket.protocol).toBe('breakwater');
      expect(messages).toMatchObject([{ type: 'feed_ready', ids: 'visible' }]);
      const another = offered.replace('xxx', 'yyy');
      expect(await refusal(watch(node.url, { protocols: ['breakwater', another] }))).toMatchObject({ status: 401 });
    },
  );

  test('operators see ids, others do not, each of the same check-in', async () => {
    verifies('BW-identity.14');
    const node = await guarded();
    const [plain, operator] = [
      await watch(node.url, { headers: { authorization: `Bearer ${TOKEN}` } }),
      await watch(node.url, { headers: { authorization: `Bearer ${OPERATOR}` } }),
    ];
    node.tell({ updates: [update(ME, `like ${OTHER}`)] });
    expect(await operator.next(isUpdate)).toMatchObject({ agent_id: ME, decision: { reason: `like ${OTHER}` } });
    const shown = await plain.next(isUpdate);
    expect(shown).toMatchObject({ agent_name: 'Ada', eisv: { E: 0.7 } });
    expect(JSON.stringify(shown)).not.toContain(ME);
    expect(JSON.stringify(shown)).not.toContain(OTHER);
  });

  test('one whose credential ends is let go at the next heartbeat', async () => {
    const clock = new ManualClock(NOW);
    let valid = true;
    const node = await feeding({
      clock,
      operatorOf: () => Promise.resolve(valid ? { name: 'ops', act: false } : undefined),
    });
    const operator = await watch(node.url, { headers: { 'x-breakwater-operator': OPERATOR } });
    const other = await watch(node.url);
    valid = false;
    clock.advance(30_000);
    expect(await operator.closed).toMatchObject({ code: 1008 });
    expect(other.socket.readyState).toBe(other.socket.OPEN);
    expect(
      await until(async () => ((await series(node, 'breakwater_feed_clients')) === 1 ? true : undefined), '1 watch'),
    ).toBe(true);
    expect(await series(node, 'breakwater_feed_ended_total{reason="revoked"}')).toBe(1);
  });

  test('is nobody before the server is ready', async () => {
    const node = await feeding({ ready: false });
    expect(await refusal(watch(node.url))).toMatchObject({ status: 503 });
    expect((await fetch(`${node.url}/api/events`)).status).toBe(503);
  });
});

describe('what is watched', () => {
  test('may be one agent, by its id or its redacted one; who leaves is not told any more', async () => {
    const node = await feeding();
    const all = await watch(node.url);
    node.tell({ updates: [update(ME), update(OTHER)] });
    await until(() => (all.messages.filter(isUpdate).length === 2 ? true : undefined), 'both are told');
    const redacted = String(all.messages.find(isUpdate)?.['agent_id']);
    const [byId, byRedacted] = [
      await watch(node.url, { query: `?agent_id=${OTHER}` }),
      await watch(node.url, { query: `?agent_id=${redacted}` }),
    ];
    expect(node.listeners.size).toBe(1);
    node.tell({ updates: [update(OTHER, 'second'), update(ME, 'first')] });
    expect(await byId.next(isUpdate)).toMatchObject({ decision: { reason: 'second' } });
    expect(await byRedacted.next(isUpdate)).toMatchObject({ decision: { reason: 'first' } });
    expect(byId.messages.filter(isUpdate)).toHaveLength(1);
    for (const { socket } of [all, byId, byRedacted]) socket.close();
    await until(() => (node.listeners.size === 0 ? true : undefined), 'nobody listens any more');
  });

  test('what came after a cursor is told before what comes now, with the gap, and not twice', async () => {
    verifies('BW-serve.11');
    const event = (cursor: number) => ({
      type: 'drift' as const,
      severity: 'warning' as const,
      details: {},
      cursor,
      at: NOW,
      agentId: ME,
      head: head(),
      chainIndex: 1,
    });
    const node = await feeding({
      page: { events: [event(40), event(41)], gap: { reason: 'not_retained', until: NOW }, restarted: true },
    });
    const back = await watch(node.url, { query: '?since=39' });
    node.tell({ events: [event(41), event(42)] });
    await back.next(({ event_id }) => event_id === 42);
    expect(back.messages.map(({ type, event_id, reason }) => event_id ?? reason ?? type)).toEqual([
      'not_retained',
      40,
      41,
      'feed_ready',
      42,
    ]);
    expect(back.messages[3]).toMatchObject({ restarted: true });
    const fresh = await watch(node.url);
    expect(
      fresh.messages.filter(({ event_id }) => event_id !== undefined),
      'without a cursor: what comes now',
    ).toEqual([]);
  });

  test('check-ins that were too many are told as a gap', async () => {
    const node = await feeding();
    const watcher = await watch(node.url);
    node.tell({ missed: 7 });
    expect(await watcher.next(({ type }) => type === 'gap')).toEqual({ type: 'gap', reason: 'overload', check_ins: 7 });
  });

  test.each(['?severity=high', '?type=drift', '?agent_id=a&agent_id=b', '?since=x'])(
    'an unknown filter is refused with those that there are: %s',
    async (query) => {
      const node = await feeding();
      const { status, body } = await refusal(watch(node.url, { query }));
      expect(status).toBe(400);
      expect(Object.keys(body['safe_options'] as object)).toEqual(['agent_id', 'since']);
      const overHttp = await fetch(`${node.url}/api/events?severity=high`);
      expect(overHttp.status).toBe(400);
      expect(await overHttp.json()).toMatchObject({
        safe_options: { type: expect.arrayContaining(['drift']) as string[] },
      });
    },
  );

  test('asked without a WebSocket it says what it is', async () => {
    const node = await feeding();
    const answer = await fetch(`${node.url}/ws/eisv`);
    expect(answer.status).toBe(426);
    expect(await answer.json()).toMatchObject({
      success: false,
      recovery: { action: expect.stringContaining('WebSocket') as string },
    });
  });

  test('GET /api/events says what the page says', async () => {
    const clock = new ManualClock(NOW);
    const { table, writer } = createLiveTable<ReturnType<typeof head>>('agents');
    const database = { query: () => Promise.resolve([]) } as unknown as ConstructorParameters<
      typeof Feed
    >[0]['database'];
    const feed = new Feed({ database, clock, agents: () => table, isStable: () => true });
    const node = await feeding({ feed });
    const ada = head({ label: 'Ada' });
    writer.publish(ME, ada);
    clock.advance(5_000);
    feed.observe(ada, undefined, undefined);
    const read = async (query: string) => (await (await fetch(`${node.url}/api/events${query}`)).json()) as FeedMessage;
    const first = await read('');
    expect(first).toMatchObject({
      success: true,
      count: 1,
      has_more: false,
      gap: null,
      events: [{ type: 'lifecycle_created', agent_name: 'Ada', severity: 'info' }],
    });
    expect(await read(`?since=${String(first['cursor'])}`)).toMatchObject({ count: 0, cursor: first['cursor'] });
    const old = (NOW - 2 * 86_400_000) * 1000;
    expect(await read(`?since=${old}`)).toMatchObject({ count: 1, restarted: true, gap: { reason: 'not_retained' } });
  });
});

describe('a client that does not read', () => {
  test('is let go with a reason and a cursor, and costs the others nothing', async () => {
    const node = await feeding();
    const [quick, slow] = [await watch(node.url), await watch(node.url)];
    slow.socket.pause();
    const big = 'x'.repeat(100_000);
    const event = {
      type: 'drift',
      severity: 'info',
      details: {},
      cursor: 77,
      at: NOW,
      agentId: ME,
      head: head(),
      chainIndex: 1,
    } as const;
    node.tell({ events: [event] });
    let told = 0;
    let slowest = 0;
    await until(async () => {
      node.tell({ updates: [update(ME, `${told} ${big}`)] });
      told += 1;
      const started = performance.now();
      await fetch(`${node.url}/health/live`);
      slowest = Math.max(slowest, performance.now() - started);
      return (await series(node, 'breakwater_feed_ended_total{reason="slow"}')) === 1 ? true : undefined;
    }, 'the slow one is let go');
    await quick.next((message) => String(message['risk_reason']).startsWith(`${told - 1} `));
    expect(quick.messages.filter(isUpdate)).toHaveLength(told);
    slow.socket.resume();
    expect(await slow.closed).toEqual({ code: 4008, reason: 'too slow: reconnect with since=77' });
    expect(slowest, 'ms that another caller waited').toBeLessThan(2_000);
    expect(
      await until(async () => ((await series(node, 'breakwater_feed_clients')) === 1 ? true : undefined), '1 watch'),
    ).toBe(true);
  });

  test('nor answer the heartbeat is let go', async () => {
    const clock = new ManualClock(NOW);
    const node = await feeding({ clock });
    const [alive, dead] = [await watch(node.url), await watch(node.url, { autoPong: false })];
    const answered = new Promise((resolve) => alive.socket.once('ping', resolve));
    const heard = new Promise((resolve) => dead.socket.once('ping', resolve));
    clock.advance(30_000);
    await Promise.all([answered, heard]);
    // The answer has arrived when a request that was sent after it is answered.
    await fetch(`${node.url}/health/live`);
    clock.advance(30_000);
    expect(await dead.closed).toMatchObject({ code: 1001, reason: 'no answer to the heartbeat' });
    expect(alive.socket.readyState).toBe(alive.socket.OPEN);
  });

  test('what it sends is not read, and too much of it ends it', async () => {
    const node = await feeding();
    const talkative = await watch(node.url);
    talkative.socket.send('ping');
    node.tell({ updates: [update(ME)] });
    await talkative.next(isUpdate);
    talkative.socket.send('x'.repeat(5_000));
    expect((await talkative.closed).code).toBe(1009);
  });
});

describe('the connection', () => {
  test('ends with a reason when the server stops, which does not wait for it', async () => {
    const node = await feeding();
    const watcher = await watch(node.url);
    await node.stop();
    expect(await watcher.closed).toEqual({ code: 1001, reason: 'the server is stopping' });
  });

  test('that asks for another protocol is answered as the request it is', async () => {
    const node = await feeding();
    const answer = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'content-type': 'application/json' };
      const sent = httpRequest(`${node.url}/v1/tools/call`, { method: 'POST', headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on('error', reject);
      sent.end(JSON.stringify({ name: 'echo', arguments: {} }));
    });
    expect(answer).toBe(200);
  });

  test('that asks for a WebSocket elsewhere gets that answer, and is closed', async () => {
    const node = await feeding();
    const attempt = new Promise<number>((resolve, reject) => {
      const headers = {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'sec-websocket-version': '13',
      };
      const sent = httpRequest(`${node.url}/nowhere`, { headers }, (response) => {
        response.resume();
        response.on('close', () => resolve(response.statusCode ?? 0));
      });
      sent.on('error', reject);
      sent.end();
    });
    expect(await attempt).toBe(404);
  });
});
