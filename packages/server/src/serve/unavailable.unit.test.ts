import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import type { UnavailableFacts } from '../channel/index.ts';
import { memorySessions, startFakeNode, type FakeNode } from './testing/fake-node.ts';
import { initialize, legacyCall, modernCall, post } from './testing/mcp-messages.ts';

const nodes: FakeNode[] = [];
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.stop()));
});

/** A node, and what it told of answers without service: route, method and reason. */
const start = async (over: Parameters<typeof startFakeNode>[0] = {}) => {
  const facts: UnavailableFacts[] = [];
  const node = await startFakeNode({ onUnavailable: (one) => void facts.push(one), ...over });
  nodes.push(node);
  const told = () => facts.map(({ endpoint, method, reason }) => `${method} ${endpoint} ${reason ?? '-'}`);
  return { ...node, facts, told };
};

const rest = (url: string, name: string, args: object = {}) =>
  fetch(`${url}/v1/tools/call`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, arguments: args }),
  });
const refusing = (code: string) => ({ params: { name: 'refuse', arguments: { code } } });
const SSE = { headers: { accept: 'text/event-stream' } };

test('every 503 is told once, with its route and reason, whatever sent it', async () => {
  verifies('W3-3.13');
  const { url, facts, told } = await start();
  await rest(url, 'refuse', { code: 'OVERLOADED' });
  await rest(url, 'refuse', { code: 'STORAGE_UNAVAILABLE' });
  await post(url, legacyCall(refusing('NOT_READY')));
  await post(url, modernCall(refusing('OVERLOADED')));
  // Not for the fast path: the SDK answers.
  await post(url, legacyCall({ params: { ...refusing('NOT_READY').params, _meta: { unusual: 1 } } }));
  await expect
    .poll(told)
    .toEqual([
      'POST /v1/tools/call overloaded',
      'POST /v1/tools/call storage_unavailable',
      'POST /mcp/ not_ready',
      'POST /mcp/ overloaded',
      'POST /mcp/ not_ready',
    ]);
  for (const { elapsedMs } of facts) expect(elapsedMs).toBeGreaterThan(0);
});

test('nothing is told of any other answer', async () => {
  verifies('W3-3.13');
  const { url, told } = await start();
  for (const code of ['AGENT_PAUSED', 'SEQUENCE_CONFLICT', 'FORBIDDEN', 'RATE_LIMIT_EXCEEDED']) {
    await rest(url, 'refuse', { code });
  }
  await rest(url, 'crash');
  await rest(url, 'echo');
  await fetch(`${url}/no/such/route`);
  await rest(url, 'refuse', { code: 'OVERLOADED' });
  await expect.poll(told).toEqual(['POST /v1/tools/call overloaded']);
});

test('a call within a batch or a stream that found no service is told, though the reply has another status', async () => {
  verifies('W3-3.13');
  const { url, told } = await start();
  const message = (id: number, code: string) => ({ jsonrpc: '2.0', id, method: 'tools/call', ...refusing(code) });
  const { headers } = legacyCall();
  const body = JSON.stringify([message(1, 'OVERLOADED'), message(2, 'AGENT_PAUSED'), message(3, 'NOT_READY')]);
  const batch = await post(url, { headers, body });
  expect([batch.status, ((await batch.json()) as unknown[]).length]).toEqual([200, 3]);
  const streams = [
    legacyCall({ ...SSE, ...refusing('OVERLOADED') }),
    modernCall({ ...SSE, ...refusing('OVERLOADED') }),
  ];
  for (const wire of streams) {
    const stream = await post(url, wire);
    expect([stream.status, await stream.text()]).toEqual([200, expect.stringContaining('OVERLOADED') as string]);
  }
  await expect
    .poll(() => told().sort())
    .toEqual([...Array<string>(3).fill('POST /mcp/ overloaded'), 'POST /mcp/ not_ready'].sort());
});

test('before it is ready: calls, sessions, live reads and probes', async () => {
  verifies('W3-3.13');
  const { url, told } = await start({ ready: false });
  await rest(url, 'echo');
  await post(url, initialize());
  await fetch(`${url}/v1/feature_flag/get`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"name":"known"}',
  });
  await fetch(`${url}/health/ready`);
  await expect
    .poll(told)
    .toEqual([
      'POST /v1/tools/call not_ready',
      'POST /mcp/ not_ready',
      'POST /v1/feature_flag/get not_ready',
      'GET /health/ready -',
    ]);
});

test('when sessions cannot be asked for, and while it drains', async () => {
  verifies('W3-3.13');
  const away = () => Promise.reject(new Error('away'));
  const node = await start({ sessions: { ...memorySessions(), create: away } });
  await post(node.url, initialize());
  await expect.poll(node.told).toEqual(['POST /mcp/ storage_unavailable']);
  // A request that was on its way when the drain began.
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(node.url).port) });
  let reply = '';
  socket.setEncoding('latin1').on('data', (text: string) => (reply += text));
  const ended = once(socket, 'close');
  socket.write('GET /v1/tools HTTP/1.1\r\nHost: 127.0.0.1\r\n');
  const slow = rest(node.url, 'echo', { delay_ms: 200 });
  await expect.poll(() => node.dispatcher.requests.length).toBe(1);
  const closed = node.server.close();
  socket.write('\r\n');
  await Promise.all([slow, ended, closed]);
  expect(reply).toMatch(/^HTTP\/1.1 503 /);
  expect(node.told().slice(1)).toEqual(['GET /v1/tools not_ready']);
});
