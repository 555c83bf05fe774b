import { ERRORS, refuse, type ErrorCode } from '@breakwater/contract';
import { afterEach, describe, expect, test } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import { readCallBody } from './call-body.ts';
import { startFakeNode } from './testing/fake-node.ts';

let stop: (() => Promise<void>) | undefined;
const start = async (...args: Parameters<typeof startFakeNode>) => {
  const node = await startFakeNode(...args);
  stop = node.stop;
  return node;
};
afterEach(async () => {
  await stop?.();
  stop = undefined;
});

const json = { 'content-type': 'application/json' };
const send = async (url: string, body: unknown, headers: Record<string, string> = {}) => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...json, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
};

/** What answers for the transport itself; all else is said by a tool. */
const OF_THE_TRANSPORT: ReadonlySet<string> = new Set<ErrorCode>([
  'BAD_REQUEST',
  'METHOD_NOT_ALLOWED',
  'PAYLOAD_TOO_LARGE',
  'ROUTE_NOT_FOUND',
  'UNAUTHORIZED',
  'UNSUPPORTED_MEDIA_TYPE',
  'OVERLOADED',
  'NOT_READY',
  'STORAGE_UNAVAILABLE',
]);
const REFUSED_BY_TOOLS = Object.keys(ERRORS).filter((code) => !OF_THE_TRANSPORT.has(code));

describe('POST /v1/tools/call', () => {
  test('answers name, result and success, under either name of the tool field', async () => {
    verifies('BW-serve.01');
    const node = await start();
    for (const field of ['name', 'tool_name']) {
      const { status, headers, body } = await send(`${node.url}/v1/tools/call`, {
        [field]: 'echo',
        arguments: { a: 1 },
      });
      expect(status).toBe(200);
      expect(headers.get('content-type')).toMatch(/^application\/json/);
      expect(body).toMatchObject({ name: 'echo', result: { success: true, args: { a: 1 } }, success: true });
      expect(Object.keys(body).sort()).toEqual(['name', 'result', 'success']);
    }
    expect((await send(`${node.url}/v1/tools/call`, { name: 'echo' })).body).toMatchObject({ result: { args: {} } });
  });

  test('a tool that refuses is a call that worked, with the refusal in its result', async () => {
    verifies('BW-serve.01', 'BW-serve.07');
    const node = await start();
    for (const code of REFUSED_BY_TOOLS) {
      const { status, body } = await send(`${node.url}/v1/tools/call`, { name: 'refuse', arguments: { code } });
      expect(status).toBe(200);
      expect(body).toMatchObject({ success: true, result: { success: false, error_code: code } });
    }
  });

  test('unavailability is the 503 contract, and no conflict is ever taken for it', async () => {
    verifies('BW-serve.01');
    const node = await start();
    const call = (code: string) => send(`${node.url}/v1/tools/call`, { name: 'refuse', arguments: { code } });
    expect((await call('SEQUENCE_CONFLICT')).status).toBe(200);
    const reasons = {
      NOT_READY: 'handler_dispatch_unavailable',
      OVERLOADED: 'overloaded',
      STORAGE_UNAVAILABLE: 'storage_unavailable',
    };
    for (const [code, reason] of Object.entries(reasons)) {
      const { status, headers, body } = await call(code);
      expect([status, headers.get('retry-after')]).toEqual([503, '5']);
      expect(body).toEqual({ ok: false, error: 'governance_temporarily_unavailable', reason, retry_after_seconds: 5 });
    }
  });

  test.each([
    ['not JSON', '{"name":'],
    ['an empty body', ''],
    ['an array', '[]'],
    ['null', 'null'],
    ['no name', '{"arguments":{}}'],
    ['a name that is no string', '{"name":7}'],
    ['a name over 100 characters', JSON.stringify({ name: 'x'.repeat(101) })],
    ['arguments that are no object', '{"name":"echo","arguments":[1]}'],
    [
      'over 100 arguments',
      JSON.stringify({
        name: 'echo',
        arguments: Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`a${i}`, i])),
      }),
    ],
    ['a poisoned prototype', '{"name":"echo","arguments":{"__proto__":{"client_session_id":"x"}}}'],
  ])('%s is 400 with the way out', async (_what, text) => {
    verifies('BW-serve.01');
    const node = await start();
    const { status, body } = await send(`${node.url}/v1/tools/call`, text);
    expect(status).toBe(400);
    expect(body).toMatchObject({ success: false, error_code: 'BAD_REQUEST', error: expect.any(String) as string });
    expect(body).toHaveProperty('recovery.action');
    expect(node.dispatcher.requests).toEqual([]);
  });

  test('another media type is 400', async () => {
    verifies('BW-serve.01');
    const node = await start();
    const { status } = await send(`${node.url}/v1/tools/call`, '{"name":"echo"}', { 'content-type': 'text/plain' });
    expect(status).toBe(400);
  });

  test('a body over 1 MB is 413 and names the limit; one just below passes', async () => {
    verifies('BW-serve.01');
    const node = await start();
    const call = (bytes: number) =>
      send(`${node.url}/v1/tools/call`, { name: 'echo', arguments: { text: 'x'.repeat(bytes) } });
    const refused = await call(1024 * 1024);
    expect(refused.status).toBe(413);
    expect(refused.body).toMatchObject({ success: false, error_code: 'PAYLOAD_TOO_LARGE', max_size_mb: 1 });
    expect((await call(1024 * 1024 - 1000)).status).toBe(200);
  });

  test('without the token it is 401 with a hint; with one of the tokens it passes', async () => {
    verifies('BW-serve.01');
    const node = await start({ tokens: ['first', 'second'] });
    const call = (headers: Record<string, string>) => send(`${node.url}/v1/tools/call`, { name: 'echo' }, headers);
    for (const headers of [
      {},
      { authorization: 'Bearer firs' },
      { authorization: 'Basic first' },
      { authorization: 'Bearer' },
    ]) {
      const { status, body, headers: answer } = await call(headers);
      expect(status).toBe(401);
      expect(answer.get('www-authenticate')).toMatch(/^Bearer/);
      expect(body).toMatchObject({
        success: false,
        error: 'Unauthorized',
        hint: expect.stringContaining('Bearer') as string,
      });
    }
    for (const token of ['first', 'second'])
      expect((await call({ authorization: `Bearer ${token}` })).status).toBe(200);
    expect((await fetch(`${node.url}/metrics`)).status).toBe(401);
    expect((await fetch(`${node.url}/mcp/`, { method: 'POST', headers: json, body: '{}' })).status).toBe(401);
    expect((await fetch(`${node.url}/health`)).status).toBe(200);
  });

  test('evidence comes from the argument, the header and the socket, never from a forwarding header', async () => {
    const node = await start();
    const headers = { 'x-session-id': 'by-header', 'x-forwarded-for': '203.0.113.9', 'user-agent': 'agent/1' };
    await send(`${node.url}/v1/tools/call`, { name: 'echo', arguments: { client_session_id: 'by-argument' } }, headers);
    await send(
      `${node.url}/v1/tools/call`,
      { name: 'echo', arguments: { client_session_id: 7 } },
      { 'user-agent': 'agent/2' },
    );
    const [first, second] = node.dispatcher.requests.map((request) => request.evidence);
    expect(first).toEqual({
      clientSessionId: 'by-argument',
      sessionHeader: 'by-header',
      userAgent: 'agent/1',
      address: '127.0.0.1',
      peer: '127.0.0.1',
    });
    expect(Object.keys(second!)).toEqual(['userAgent', 'address', 'peer']);
    // Whatever program it says it is, it is the same place.
    expect(second!.peer).toBe(first!.peer);
  });

  test('a request id is taken when it is one, and comes back', async () => {
    const node = await start();
    const call = (id: string) => send(`${node.url}/v1/tools/call`, { name: 'echo' }, { 'x-request-id': id });
    expect((await call('trace-1')).headers.get('x-request-id')).toBe('trace-1');
    expect((await call('a b')).headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(node.dispatcher.requests[0]!.requestId).toBe('trace-1');
  });

  test('a bug below is INTERNAL_ERROR with the incident, and nothing of the bug', async () => {
    const node = await start();
    const { status, body } = await send(
      `${node.url}/v1/tools/call`,
      { name: 'crash' },
      { 'x-request-id': 'incident-2' },
    );
    expect(status).toBe(200);
    expect(body).toMatchObject({ result: { success: false, error_code: 'INTERNAL_ERROR', incident_id: 'incident-2' } });
    expect(JSON.stringify(body)).not.toContain('secret detail');
  });
});

test('GET /v1/tools gives the tools as functions', async () => {
  verifies('BW-serve.01');
  const node = await start();
  const list = async (query: string) =>
    (await (await fetch(`${node.url}/v1/tools${query}`)).json()) as Record<string, unknown>;
  const body = await list('');
  expect(body).toMatchObject({ count: 2, mode: 'default', total_available: 2 });
  expect(await list('?mode=lite')).toMatchObject({ count: 2, mode: 'lite' });
  expect(await list('?mode=minimal')).toMatchObject({ count: 1, mode: 'minimal', total_available: 2 });
  expect(await list('?mode=all')).toMatchObject({
    error_code: 'BAD_REQUEST',
    valid_values: ['minimal', 'default', 'lite', 'full'],
  });
  expect((body['tools'] as unknown[])[0]).toEqual({
    type: 'function',
    function: {
      name: 'echo',
      description: 'Gives back what it was sent.',
      parameters: { type: 'object', properties: { text: { type: 'string' } } },
    },
  });
});

test.each([
  ['/v1/feature_flag/get', 'name'],
  ['/v1/baseline/get', 'agent_id'],
])('%s answers from the live table, and says when a key is cold', async (path, field) => {
  verifies('W3-10.11', 'W3-10.05');
  const node = await start({ ready: false });
  const read = (key: unknown) => send(`${node.url}${path}`, { [field]: key });
  expect((await read('known')).status).toBe(503);
  for (const part of ['flags', 'baselines']) node.readiness.report(part, true);
  expect((await read('known')).body).toEqual({ [field]: 'known', ok: true, value: { enabled: true } });
  const cold = await read('unknown');
  expect([cold.status, cold.body]).toEqual([200, { [field]: 'unknown', ok: false, cold: true }]);
  expect((await read('')).status).toBe(400);
});

describe('POST /v1/dialectic/compute', () => {
  const offer = (agent_id: string) => ({
    agent_id,
    proposed_conditions: ['add logging'],
    root_cause: 'a broken runner',
  });
  const body = {
    mode: 'synthesize',
    session_id: 's1',
    round: 1,
    input: { message_a: offer('a'), message_b: offer('b'), transcript: [], session_type: 'recovery' },
  };

  test('answers result, elapsed_ms and cache_hit, once computed', async () => {
    verifies('W3-5.04', 'W3-5.05');
    const node = await start({ ready: false });
    for (const cache_hit of [false, true]) {
      const answer = await send(`${node.url}/v1/dialectic/compute`, body);
      expect([answer.status, answer.body]).toEqual([
        200,
        {
          ok: true,
          result: {
            conditions: ['add logging'],
            root_cause: 'a broken runner',
            reasoning: '',
            safe: true,
            violation: null,
          },
          elapsed_ms: expect.any(Number) as number,
          cache_hit,
        },
      ]);
    }
  });

  test('is 400 for a bad input, 504 past the budget, and the 503 contract without room', async () => {
    verifies('W3-5.04', 'W3-5.06');
    const codes: ErrorCode[] = ['TIMEOUT', 'OVERLOADED'];
    const node = await start();
    const bad = await send(`${node.url}/v1/dialectic/compute`, { ...body, round: 'one' });
    expect([bad.status, bad.body]).toMatchObject([400, { success: false, error_code: 'BAD_REQUEST', field: 'round' }]);
    expect((await send(`${node.url}/v1/dialectic/compute`, '[]')).status).toBe(400);
    await node.stop();
    const refusing = await start({ compute: async () => refuse(codes.shift() ?? 'INTERNAL_ERROR', 'Refused.') });
    const late = await send(`${refusing.url}/v1/dialectic/compute`, body);
    expect([late.status, late.body]).toMatchObject([504, { success: false, error_code: 'TIMEOUT' }]);
    const full = await send(`${refusing.url}/v1/dialectic/compute`, body);
    expect([full.status, full.body]).toMatchObject([503, { ok: false, reason: 'overloaded', retry_after_seconds: 5 }]);
  });
});

describe('reading a call', () => {
  test('the name wins over tool_name', () => {
    expect(readCallBody({ name: 'a', tool_name: 'b' })).toMatchObject({ ok: true, value: { name: 'a' } });
  });
});
