import { Client, StreamableHTTPClientTransport, type VersionNegotiationMode } from '@modelcontextprotocol/client';
import { afterEach, describe, expect, test } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import { memorySessions, startFakeNode, type FakeNode } from './testing/fake-node.ts';
import { initialize, legacyCall, modernCall, post, type Wire } from './testing/mcp-messages.ts';

const nodes: FakeNode[] = [];
const clients: Client[] = [];
const start = async (...args: Parameters<typeof startFakeNode>) => {
  const node = await startFakeNode(...args);
  nodes.push(node);
  return node;
};
const connect = async (url: string, mode: VersionNegotiationMode) => {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
  const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp/`));
  await client.connect(transport);
  clients.push(client);
  return { client, transport };
};
const textOf = (result: unknown): Record<string, unknown> =>
  JSON.parse((result as { content: { text: string }[] }).content[0]!.text) as Record<string, unknown>;

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await Promise.all(nodes.splice(0).map((node) => node.stop()));
});

const GENERATIONS: [string, VersionNegotiationMode, string][] = [
  ['2025', 'legacy', '2025-11-25'],
  ['2026', 'auto', '2026-07-28'],
];

describe('a caller of an older revision', () => {
  test.each([
    ['none', undefined, false],
    ['2025-03-26', '2025-03-26', false],
    ['2025-06-18', '2025-06-18', true],
  ])('that names %s gets an object beside the text: %s', async (_name, revision, structured) => {
    const node = await start();
    const headers = revision === undefined ? {} : { 'mcp-protocol-version': revision };
    const { result } = (await (await post(node.url, legacyCall({ headers }))).json()) as { result: object };
    expect('structuredContent' in result).toBe(structured);
  });
});

describe.each(GENERATIONS)('MCP over HTTP, the %s protocol', (generation, mode, negotiated) => {
  test('a client connects, lists the tools and calls one', async () => {
    verifies('BW-serve.03');
    const node = await start();
    const { client, transport } = await connect(node.url, mode);
    expect(client.getNegotiatedProtocolVersion()).toBe(negotiated);
    expect(client.getServerVersion()).toEqual({ name: 'breakwater', version: '0.1.0' });
    expect(client.getInstructions()).toBe('Call onboard first.');
    expect((await client.listTools()).tools.map((tool) => tool.name)).toEqual(['echo', 'refuse']);
    const answer = textOf(await client.callTool({ name: 'echo', arguments: { client_session_id: 'secret' } }));
    expect(answer['evidence']).toMatchObject({
      clientSessionId: 'secret',
      peer: '127.0.0.1',
      ...(generation === '2025' && { mcpSessionId: transport.sessionId }),
    });
    expect(transport.sessionId === undefined).toBe(generation === '2026');
  });

  test('an answer is an object as well, the same as its text; a refusal is text alone', async () => {
    const node = await start();
    const { client } = await connect(node.url, mode);
    const answer = await client.callTool({ name: 'echo', arguments: { text: 'hi' } });
    expect(answer.structuredContent).toEqual(textOf(answer));
    expect(await client.callTool({ name: 'refuse', arguments: {} })).not.toHaveProperty('structuredContent');
  });

  test('a refused tool is an error of the result', async () => {
    verifies('BW-serve.07');
    const node = await start();
    const { client } = await connect(node.url, mode);
    const result = await client.callTool({ name: 'refuse', arguments: { code: 'AGENT_PAUSED' } });
    expect(result.isError).toBe(true);
    expect(textOf(result)['error_code']).toBe('AGENT_PAUSED');
    expect((await client.callTool({ name: 'echo', arguments: {} })).isError).toBe(false);
  });

  test.each([true, false])('clients with equal ids get their own replies (fast path: %s)', async (mcpFastPath) => {
    verifies('BW-serve.04');
    const node = await start({ mcpFastPath });
    const call = generation === '2025' ? legacyCall : modernCall;
    const one = async (who: number, round: number): Promise<string> => {
      const secret = `client-${who}-round-${round}`;
      // The delay mixes the order of the answers, so that a reply routed by id would go to the wrong caller.
      const args = { client_session_id: secret, delay_ms: (who * 7 + round * 3) % 5 };
      const response = await post(node.url, call({ message: { id: round }, params: { arguments: args } }));
      const { id, result } = (await response.json()) as { id: number; result: unknown };
      expect(id).toBe(round);
      expect((textOf(result)['args'] as typeof args).client_session_id).toBe(secret);
      return secret;
    };
    const CLIENTS = 8;
    const ROUNDS = 25;
    const answers = await Promise.all(
      Array.from({ length: CLIENTS }, async (_, who) => {
        for (let round = 0; round < ROUNDS; round += 1) await one(who, round);
      }),
    );
    expect(answers).toHaveLength(CLIENTS);
    expect(node.dispatcher.requests).toHaveLength(CLIENTS * ROUNDS);
  });

  test('a restart of the server does not end a client', async () => {
    verifies('BW-serve.05');
    const sessions = memorySessions();
    const before = await start({ sessions });
    const port = Number(new URL(before.url).port);
    const { client } = await connect(before.url, mode);
    await client.callTool({ name: 'echo', arguments: {} });
    await before.stop();
    const after = await start({ sessions, port });
    // A connection that the old server closed must have been seen closed before it can be replaced.
    await expect
      .poll(() =>
        fetch(`${after.url}/health/live`).then(
          (r) => r.status,
          () => 0,
        ),
      )
      .toBe(200);
    const answer = textOf(await client.callTool({ name: 'echo', arguments: { text: 'again' } }));
    expect(answer['args']).toEqual({ text: 'again' });
    const asked = before.dispatcher.requests[0]!.evidence.mcpSessionId;
    expect(after.dispatcher.requests[0]!.evidence.mcpSessionId).toBe(asked);
  });

  test('before readiness every call gets the 503 contract', async () => {
    verifies('W3-10.05');
    const node = await start({ ready: false });
    const call = generation === '2025' ? legacyCall() : modernCall();
    for (const wire of [call, ...(generation === '2025' ? [initialize()] : [])]) {
      const response = await post(node.url, wire);
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('5');
      expect(await response.json()).toEqual({
        ok: false,
        error: 'governance_temporarily_unavailable',
        reason: 'handler_dispatch_unavailable',
        retry_after_seconds: 5,
      });
    }
    expect(node.dispatcher.requests).toEqual([]);
    // A session that was opened before cannot be looked up yet, and must not be called unknown.
    const health = { params: { name: 'health_check' }, headers: { 'mcp-session-id': 'from-before' } };
    expect((await post(node.url, generation === '2025' ? legacyCall(health) : modernCall(health))).status).toBe(200);
    for (const part of ['flags', 'baselines']) node.readiness.report(part, true);
    expect((await post(node.url, call)).status).toBe(200);
  });
});

describe('sessions of the 2025 protocol', () => {
  const openSession = async (node: FakeNode) => (await post(node.url, initialize())).headers.get('mcp-session-id')!;
  const inSession = (id: string) => legacyCall({ headers: { 'mcp-session-id': id } });

  test.each(['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'])('initialize negotiates %s', async (version) => {
    verifies('BW-serve.03');
    const node = await start();
    const response = await post(node.url, initialize(version));
    expect(await response.json()).toMatchObject({ result: { protocolVersion: version } });
    expect(response.headers.get('mcp-session-id')).toMatch(/^[\w-]{43}$/);
  });

  test('an initialize that is refused opens no session', async () => {
    const sessions = memorySessions();
    const node = await start({ sessions });
    const response = await post(node.url, legacyCall({ message: { method: 'initialize', params: {} } }));
    expect(await response.json()).toHaveProperty('error');
    expect(sessions.ids.size).toBe(0);
  });

  test('an unknown session is 404, and so is one that was ended', async () => {
    verifies('BW-serve.05');
    const node = await start();
    expect((await post(node.url, inSession('never-issued'))).status).toBe(404);
    const id = await openSession(node);
    expect((await post(node.url, inSession(id))).status).toBe(200);
    const end = () => fetch(`${node.url}/mcp/`, { method: 'DELETE', headers: { 'mcp-session-id': id } });
    expect((await end()).status).toBe(200);
    const refused = await post(node.url, inSession(id));
    expect(refused.status).toBe(404);
    expect(await refused.json()).toMatchObject({ error: { code: -32001, message: 'Session not found' } });
    expect((await end()).status).toBe(404);
    expect(node.dispatcher.requests).toHaveLength(1);
  });

  test('a store that cannot be reached is 503, not an unknown session', async () => {
    verifies('BW-serve.05');
    const away = () => Promise.reject(new Error('connection refused'));
    const node = await start({ sessions: { create: away, known: away, revoke: away } });
    for (const wire of [inSession('any'), initialize()]) {
      const response = await post(node.url, wire);
      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({ reason: 'storage_unavailable' });
    }
  });

  test('there is no stream to open with GET, and /mcp is /mcp/', async () => {
    const node = await start();
    const get = await fetch(`${node.url}/mcp/`);
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST, DELETE']);
    const { headers, body } = initialize();
    expect((await fetch(`${node.url}/mcp`, { method: 'POST', headers, body, redirect: 'error' })).status).toBe(200);
  });
});

test('new sessions are counted by address, and the refusal says when to return', async () => {
  let left = 2;
  const asked: [string, string][] = [];
  const node = await start({
    operatorOf: (secret) => Promise.resolve(secret === 'bwo_ops' ? { name: 'ops', act: false } : undefined),
    limits: {
      take: (meter, principal) => {
        asked.push([meter, principal]);
        left -= 1;
        return left >= 0 ? undefined : { code: 'RATE_LIMIT_EXCEEDED', message: 'Too many.', retryAfterSeconds: 7.2 };
      },
    },
  });
  const sent = (wire: Wire, headers: Record<string, string>) =>
    post(node.url, { ...wire, headers: { ...wire.headers, ...headers } });
  const begin = (headers: Record<string, string>) => sent(initialize(), headers);
  const [first, second] = [await begin({ 'user-agent': 'a/1' }), await begin({ 'user-agent': 'b/1' })];
  expect([first.status, second.status]).toEqual([200, 200]);
  const refused = await begin({ 'user-agent': 'c/1' });
  expect(refused.status).toBe(429);
  expect(refused.headers.get('retry-after')).toBe('8');
  expect(await refused.json()).toMatchObject({
    success: false,
    error_code: 'RATE_LIMIT_EXCEEDED',
    retry_after_seconds: 7.2,
  });
  expect(refused.headers.get('mcp-session-id')).toBeNull();
  expect(new Set(asked.map(String))).toEqual(new Set(['sessions,peer:127.0.0.1']));
  // Neither a session that is there nor an operator is refused for it.
  const session = first.headers.get('mcp-session-id');
  expect((await sent(legacyCall(), { 'mcp-session-id': session ?? '' })).status).toBe(200);
  expect((await begin({ 'x-breakwater-operator': 'bwo_ops' })).status).toBe(200);
});
