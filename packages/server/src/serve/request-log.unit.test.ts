import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import { startFakeNode, type FakeNode } from './testing/fake-node.ts';

type Line = Record<string, unknown>;

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

const SECRETS = {
  bearer: 'the-bearer-token',
  operator: 'bwo_the-operator-secret',
  session: 'the-client-session-secret',
  header: 'the-session-header-secret',
};

const startLogged = async (level: string): Promise<{ node: FakeNode; text: () => string; lines: () => Line[] }> => {
  let text = '';
  const log = pino({ level }, { write: (line: string) => void (text += line) });
  const node = await startFakeNode({ log, tokens: [SECRETS.bearer] });
  stops.push(node.stop);
  const lines = () => text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Line]));
  return { node, text: () => text, lines };
};

const HEADERS = {
  authorization: `Bearer ${SECRETS.bearer}`,
  'content-type': 'application/json',
  'x-breakwater-operator': SECRETS.operator,
  'x-session-id': SECRETS.header,
  accept: 'application/json, text/event-stream',
};

const ask = async (node: FakeNode, path: string, id: string, body?: string, headers = {}): Promise<Response> =>
  fetch(`${node.url}${path}`, {
    ...(body !== undefined && { method: 'POST', body }),
    headers: { ...HEADERS, 'x-request-id': id, ...headers },
  });

const call = (name: string, args: Line = {}): string =>
  JSON.stringify({ name, arguments: { client_session_id: SECRETS.session, ...args } });
const rpc = (name: string): string =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } });

test('each request leaves one line, which says what it called and how it ended', async () => {
  const { node, lines } = await startLogged('info');
  await ask(node, '/v1/tools/call', 'works', call('echo'));
  await ask(node, '/v1/tools/call', 'refused', call('refuse', { code: 'AGENT_PAUSED' }));
  await ask(node, '/v1/tools/call', 'invented', call('x'.repeat(90)));
  await ask(node, '/mcp/', 'by-mcp', rpc('echo'));
  await ask(node, '/v1/tools/call', 'no-json', '{');
  await ask(node, `/api/agents/somebody?token=${SECRETS.session}`, 'by-id');
  await ask(node, '/no/such/route', 'nowhere');
  await ask(node, '/v1/tools', 'stranger', undefined, { authorization: 'Bearer wrong', 'x-breakwater-operator': '' });
  const request = (request_id: string, method: string, route: string, status: number, more: Line = {}): Line => ({
    ...{ request_id, method, route, status, msg: 'request', ms: expect.any(Number) as number, level: 30 },
    ...{ time: expect.any(Number) as number, pid: process.pid, hostname: expect.any(String) as string },
    ...more,
  });
  await expect.poll(() => lines().length).toBe(8);
  expect(lines()).toEqual([
    request('works', 'POST', '/v1/tools/call', 200, { tool: 'echo' }),
    request('refused', 'POST', '/v1/tools/call', 200, { tool: 'refuse', error_code: 'AGENT_PAUSED' }),
    request('invented', 'POST', '/v1/tools/call', 200, { tool: '_unknown', error_code: 'TOOL_NOT_FOUND' }),
    request('by-mcp', 'POST', '/mcp/', 200, { tool: 'echo' }),
    request('no-json', 'POST', '/v1/tools/call', 400),
    request('by-id', 'GET', '/api/agents/:id', 401),
    request('nowhere', 'GET', '_unknown', 404),
    request('stranger', 'GET', '/v1/tools', 401),
  ]);
});

test('above info a request leaves none, and a failure its own, with the id of the request', async () => {
  const { node, lines } = await startLogged('warn');
  await ask(node, '/v1/tools/call', 'works', call('echo'));
  await ask(node, '/v1/tools/call', 'fails', call('crash'));
  await ask(node, '/mcp/', 'fails-too', rpc('crash'));
  expect(lines()).toMatchObject([
    { level: 50, request_id: 'fails', tool: 'crash' },
    { level: 50, request_id: 'fails-too', tool: 'crash' },
  ]);
});

test('nothing that proves a caller is ever written, whatever the level', async () => {
  const { node, text, lines } = await startLogged('trace');
  for (const name of ['echo', 'refuse', 'crash', SECRETS.session]) {
    await ask(node, '/v1/tools/call', 'rest', call(name, { code: 'AGENT_PAUSED' }));
    await ask(node, '/mcp/', 'mcp', rpc(name));
  }
  await ask(node, '/v1/tools/call', 'no-json', `{"client_session_id": "${SECRETS.session}"`);
  await ask(node, '/mcp/', 'session', rpc('echo'), { 'mcp-session-id': SECRETS.header });
  await ask(node, `/api/events?since=${SECRETS.session}`, 'query');
  await expect.poll(() => lines().filter(({ msg }) => msg === 'request').length).toBe(11);
  for (const [what, secret] of Object.entries(SECRETS)) expect(text(), what).not.toContain(secret);
});
