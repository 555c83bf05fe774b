import { performance } from 'node:perf_hooks';
import { afterEach, describe, expect, test } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import type { AgentHead } from '../agents/index.ts';
import { head, HOUR, ME, NOW, pauseUntil, vitals } from '../lifecycle/rules/testing/head.ts';
import { testOverview } from '../overview/testing/overview.ts';
import type { Database } from '../postgres/index.ts';
import { createLiveTable } from '../runtime/index.ts';
import { ManualClock } from '../runtime/testing/manual-clock.ts';
import type { ServeOptions } from './ports.ts';
import { startFakeNode } from './testing/fake-node.ts';

type Json = Record<string, unknown>;

const READER = `bwo_${'r'.repeat(30)}`;
const GONE = `bwo_${'g'.repeat(30)}`;
const ROUTES = [
  'now',
  'agents',
  'agents/Ada',
  'agents/Ada/states',
  'agents/Ada/claims',
  'agents/Ada/trail',
  'reviews',
  'reviews/r-1',
  'channel',
  'calibration',
  'flags',
  'operators',
  'system',
];
/** Answered from memory, or saying what is not ready. */
const FROM_MEMORY = ['now', 'agents', 'system'];

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

const gone = () => Promise.reject(Object.assign(new Error('gone'), { code: 'ECONNREFUSED' }));
const away: Database = { query: gone, transaction: gone, connect: gone, close: () => Promise.resolve() };
const empty: Database = { ...away, query: () => Promise.resolve([]) };

const ADA = head({ label: 'Ada', vitals: vitals() });

const start = async (
  options: {
    readonly on?: Database;
    readonly heads?: readonly AgentHead[];
    readonly parts?: Readonly<Record<string, boolean>>;
    readonly operatorOf?: ServeOptions['operatorOf'];
  } = {},
) => {
  const { on = empty, heads = [ADA], parts = { postgres: true, agents: true } } = options;
  const { table, writer } = createLiveTable<AgentHead>('agents');
  for (const one of heads) writer.publish(one.agentId, one);
  const node = await startFakeNode({
    overview: testOverview(on, table, { parts, clock: new ManualClock(NOW) }),
    readiness: {
      ready: Object.values(parts).every(Boolean),
      coldSince: undefined,
      parts: () => ({ ...parts }),
      why: () => ({}),
    },
    operatorOf:
      options.operatorOf ?? ((secret) => Promise.resolve(secret === READER ? { name: 'ada', act: false } : undefined)),
  });
  stops.push(node.stop);
  return async (path: string, headers: Readonly<Record<string, string>> = { authorization: `Bearer ${READER}` }) => {
    const answer = await fetch(`${node.url}/api/${path}`, { headers });
    return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Json };
  };
};

describe('who may see the fleet', () => {
  test.each(ROUTES)('GET /api/%s is for operators, and tells others how to become one', async (route) => {
    verifies('BW-console.02');
    const get = await start();
    for (const headers of [{}, { authorization: `Bearer ${GONE}` }, { 'x-breakwater-operator': GONE }]) {
      const { status, body, headers: told } = await get(route, headers);
      expect(status).toBe(401);
      expect(body).toMatchObject({ success: false, error_code: 'UNAUTHORIZED' });
      const { action } = body['recovery'] as { action: string };
      expect(action).toContain('breakwater console');
      expect(action).toContain('breakwater operator create');
      expect(JSON.stringify(body)).not.toContain('Ada');
      expect(told.get('cache-control')).toBe('no-store');
    }
  });

  test('a credential that only sees is enough, in either header, and nobody keeps the answer', async () => {
    const get = await start();
    const { status, headers, body } = await get('agents', { 'x-breakwater-operator': READER });
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(body).toMatchObject({ matching: 1, rows: [{ agent_id: ME, name: 'Ada' }] });
    expect((await get('agents')).body).toEqual(body);
  });
});

describe('what is refused', () => {
  test.each([
    ['agents?limit=1001', 'limit', '1 to 1000'],
    ['agents?sort=age', 'sort', 'activity, name, status, risk, check_ins, created'],
    ['agents?colour=red', 'colour', 'known are'],
    ['agents?search=a&search=b', 'search', 'one text'],
    ['now?x=1', 'x', 'known are none'],
    ['agents/Ada?x=1', 'x', 'known are none'],
    ['agents/Ada/states?limit=2001', 'limit', '1 to 2000'],
    ['agents/Ada/claims?limit=501', 'limit', '1 to 500'],
    ['agents/Ada/trail?before=x', 'before', 'whole number'],
    ['reviews?status=done', 'status', 'open, waiting, resolved, failed, all'],
    ['reviews?agent=%00', 'agent', 'without U+0000'],
    ['reviews?agent=a%0Ab', 'agent', 'on one line'],
    ['calibration?agent=%00', 'agent', 'without U+0000'],
    ['calibration?since=soon', 'since', 'neither a duration nor a date'],
    ['channel?since=2026-02-30', 'since', 'neither a duration nor a date'],
    ['channel?until=0m', 'until', 'more than 0'],
    ['reviews/%00', 'id', 'without U+0000'],
    ['reviews/a%0Ab', 'id', '1 to 200 characters'],
    [`agents/${'x'.repeat(201)}`, 'id', '1 to 200 characters'],
  ])('%s: 400, naming the field and what it may be', async (path, field, words) => {
    const { status, body } = await (await start())(path);
    expect([status, body['field']]).toEqual([400, field]);
    expect(body['error']).toContain(words);
  });

  test.each(['agents/nobody', 'agents/nobody/states', 'agents/nobody/claims', 'agents/nobody/trail', 'reviews/none'])(
    '%s: 404',
    async (path) => {
      const { status, body } = await (await start())(path);
      expect([status, body['success']]).toEqual([404, false]);
      expect((body['recovery'] as Json)['action']).toContain('GET /api/');
    },
  );

  test('a name of several agents: 400 with their ids', async () => {
    const get = await start({ heads: [ADA, head({ agentId: 'other', label: 'Ada' })] });
    const { status, body } = await get('agents/Ada');
    expect([status, body['agent_ids']]).toEqual([400, [ME, 'other']]);
  });
});

describe('while the server is not ready', () => {
  const PAUSED = head({ label: 'Ada', status: 'paused', pause: pauseUntil(NOW + HOUR) });

  test('memory answers and says what is missing; what needs PostgreSQL gives the 503 contract', async () => {
    verifies('BW-console.03');
    const get = await start({ on: away, heads: [PAUSED], parts: { postgres: false, agents: true } });
    const answers = await Promise.all(ROUTES.map(async (route) => [route, (await get(route)).status] as const));
    expect(answers.filter(([, status]) => status === 200).map(([route]) => route)).toEqual(FROM_MEMORY);
    expect(new Set(answers.map(([, status]) => status))).toEqual(new Set([200, 503]));
    expect((await get('reviews')).headers.get('retry-after')).toBe('5');

    const { body } = await get('now');
    expect(body).toMatchObject({ ready: false, agents: { paused: 1 }, reviews: null, requests: null });
    expect((body['needs'] as Json[]).map(({ kind }) => kind)).toEqual(['not_ready', 'paused']);
    expect((await get('system')).body).toMatchObject({
      parts: { postgres: false },
      database: { version: null, bytes: null, schema_version: null, schema_target: null },
      nodes: [],
      partitions: null,
    });
  });

  test('PostgreSQL that goes away meanwhile is the same, and no bug', async () => {
    const get = await start({ on: away });
    const statuses = await Promise.all(ROUTES.map(async (route) => (await get(route)).status));
    expect(statuses).toEqual(ROUTES.map((route) => (FROM_MEMORY.includes(route) || route === 'flags' ? 200 : 503)));
    const { body } = await get('now');
    expect(body).toMatchObject({ reviews: null });
    expect((body['needs'] as Json[]).map(({ title }) => title)).toEqual(['PostgreSQL does not answer']);
  });

  test('before the agents are in memory nothing is shown: an empty fleet would be made up', async () => {
    verifies('BW-console.03');
    const get = await start({ heads: [], parts: { postgres: true, agents: false } });
    for (const route of FROM_MEMORY) expect((await get(route)).status, route).toBe(503);
  });

  test('a credential that memory does not know cannot be judged then: 503, not 401', async () => {
    const get = await start({
      parts: { postgres: false, agents: true },
      operatorOf: () => Promise.reject(Object.assign(new Error('gone'), { code: 'ENOENT' })),
    });
    expect((await get('now')).status).toBe(503);
    expect((await get('now', {})).status).toBe(401);
  });
});

test('an agent is found by a name as long as a name may be, in any script', async () => {
  for (const name of ['n'.repeat(128), '名'.repeat(128)]) {
    const get = await start({ heads: [head({ label: name })] });
    expect((await get(`agents/${encodeURIComponent(name)}/trail`)).body).toEqual({ rows: [], next: null });
  }
});

test('a list of 1,000 agents comes over the wire in less than 100 ms', async () => {
  verifies('BW-console.04');
  const heads = Array.from({ length: 1_000 }, (_, i) =>
    head({ agentId: `agent-${i}`, label: `Agent ${i}`, vitals: vitals({ risk: i / 1_000 }) }),
  );
  const get = await start({ heads });
  const times: number[] = [];
  for (const query of [
    'sort=risk',
    'sort=name&offset=900',
    'search=agent+5&order=asc',
    'limit=1000',
    'verdict=proceed',
  ]) {
    const started = performance.now();
    expect((await get(`agents?${query}`)).status).toBe(200);
    times.push(performance.now() - started);
  }
  times.sort((a, b) => a - b);
  expect(times[Math.floor(times.length / 2)]).toBeLessThan(100);
});

describe('who is signed in', () => {
  const SERVER = { version: '0.1.0', node: 'fake', started_at: '2026-01-01T00:00:00.000Z' };

  test('is told by the server: an operator, or nobody', async () => {
    const get = await start();
    expect((await get('session')).body).toEqual({ operator: { name: 'ada', can_act: false }, server: SERVER });
    expect(await get('session', {})).toMatchObject({ status: 200, body: { operator: null, server: SERVER } });
    expect((await get('session')).headers.get('cache-control')).toBe('no-store');
  });

  test.each([GONE, 'bwo_short', `bwo_${'x'.repeat(300)}`])(
    'is not who sends a credential that proves nothing: %s',
    async (credential) => {
      verifies('BW-console.02');
      const get = await start();
      const { status, body } = await get('session', { authorization: `Bearer ${credential}` });
      expect(status).toBe(401);
      expect(body).toMatchObject({ success: false, error_code: 'UNAUTHORIZED' });
      expect(JSON.stringify(body['recovery'])).toContain('breakwater console');
      expect(JSON.stringify(body)).not.toContain(credential.slice(0, 9));
    },
  );

  test('is not known before the server is ready', async () => {
    const get = await start({ parts: { postgres: false, agents: false } });
    const { status, headers } = await get('session');
    expect([status, Number(headers.get('retry-after')) > 0]).toEqual([503, true]);
  });
});
