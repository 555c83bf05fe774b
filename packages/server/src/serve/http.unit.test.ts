import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../../testing/server.ts';
import { verifies } from '../../testing/verifies.ts';
import { createHttpServer, ListenError } from './http.ts';
import { createMetrics } from './metrics.ts';
import { startFakeNode } from './testing/fake-node.ts';
import { rawRequest } from './testing/raw-request.ts';

const stops: (() => Promise<void>)[] = [];
const start = async (...args: Parameters<typeof startFakeNode>) => {
  const node = await startFakeNode(...args);
  stops.push(node.stop);
  return node;
};
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

const call = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"name":"echo"}' };

describe('Host and Origin', () => {
  const ROUTES: [string, Parameters<typeof rawRequest>[1]][] = [
    ['/v1/tools/call', call],
    ['/v1/tools', {}],
    ['/mcp/', { ...call, body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' }],
    ['/health', {}],
    ['/metrics', {}],
    ['/no-such-route', {}],
  ];

  test.each(ROUTES)('a foreign Host is 421 and a foreign Origin 403 at %s', async (path, options) => {
    verifies('BW-serve.06');
    // Tokens are asked for, and not sent: the check must come before them.
    const node = await start({ tokens: ['t'] });
    const ask = (headers: Record<string, string>) =>
      rawRequest(`${node.url}${path}`, { ...options, headers: { ...options?.headers, ...headers } });
    expect((await ask({ host: 'evil.example' })).status).toBe(421);
    expect((await ask({ host: 'localhost.evil.example:8767' })).status).toBe(421);
    expect((await ask({ origin: 'https://evil.example' })).status).toBe(403);
    expect((await ask({ origin: 'http://localhost.evil.example' })).status).toBe(403);
    expect((await ask({ origin: 'null' })).status).toBe(403);
    expect([421, 403]).not.toContain((await ask({ host: 'localhost:1', origin: 'http://127.0.0.1:3000' })).status);
    expect(node.dispatcher.requests).toEqual([]);
  });

  test('/health/live answers whoever asks', async () => {
    verifies('BW-serve.06', 'BW-serve.02');
    const node = await start({ tokens: ['t'] });
    const answer = await rawRequest(`${node.url}/health/live`, {
      headers: { host: 'probe', origin: 'https://evil.example' },
    });
    expect([answer.status, answer.text]).toEqual([200, '{"status":"alive"}']);
  });

  test('what is configured passes, and only that', async () => {
    verifies('BW-serve.06');
    const node = await start({
      allowedHosts: ['bw.example', 'other.example:9000'],
      allowedOrigins: ['https://console.example'],
    });
    const status = async (headers: Record<string, string>) =>
      (await rawRequest(`${node.url}/v1/tools`, { headers })).status;
    expect(await status({ host: 'bw.example:1234' })).toBe(200);
    expect(await status({ host: 'OTHER.example:9000' })).toBe(200);
    expect(await status({ host: 'other.example:9001' })).toBe(421);
    expect(await status({ origin: 'https://console.example' })).toBe(200);
    expect(await status({ origin: 'http://console.example' })).toBe(403);
    expect(await status({ host: '[::1]:80' })).toBe(200);
  });
});

describe('a browser of an allowed origin', () => {
  const ORIGIN = 'http://localhost:6274';

  test('is answered its preflight and may read the answer and the MCP session, without a token in the preflight', async () => {
    const node = await start({ tokens: ['t'], allowedOrigins: [`${ORIGIN}/`, 'https://console.example:443'] });
    for (const path of ['/mcp/', '/v1/tools/call', '/api/agents']) {
      const preflight = await rawRequest(`${node.url}${path}`, {
        method: 'OPTIONS',
        headers: {
          origin: ORIGIN,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,content-type,mcp-protocol-version,mcp-session-id',
        },
      });
      expect(preflight.status, path).toBe(204);
      expect(preflight.headers).toMatchObject({
        'access-control-allow-origin': ORIGIN,
        'access-control-allow-methods': expect.stringContaining('POST') as string,
        'access-control-allow-headers': 'authorization,content-type,mcp-protocol-version,mcp-session-id',
        vary: 'Origin',
      });
    }
    const answer = await rawRequest(`${node.url}/v1/tools/call`, {
      ...call,
      headers: { ...call.headers, origin: 'https://console.example', authorization: 'Bearer t' },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': 'https://console.example',
      'access-control-expose-headers': expect.stringContaining('Mcp-Session-Id') as string,
    });
    // A refusal is read, too: the page must learn that its token is missing.
    const refused = await rawRequest(`${node.url}/v1/tools`, { headers: { origin: ORIGIN } });
    expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([401, ORIGIN]);
  });

  test('no other origin is: neither a foreign one nor another port of this machine may read', async () => {
    const node = await start({ allowedOrigins: [ORIGIN] });
    for (const [origin, status] of [
      ['https://evil.example', 403],
      ['http://localhost:3000', 404],
    ] as const) {
      const preflight = await rawRequest(`${node.url}/mcp/`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      });
      expect([preflight.status === 204, preflight.headers['access-control-allow-origin']]).toEqual([false, undefined]);
      expect(status === 403 ? preflight.status : 403).toBe(403);
    }
  });
});

test('probes that ask by address, or without Host, are answered; a name that leads astray is not', async () => {
  const node = await start();
  const { port } = new URL(node.url);
  for (const path of ['/health', '/health/ready', '/health/live?x=1', '/metrics']) {
    for (const host of ['10.1.2.3:8767', '[fd00::1]:8767', '10.1.2.3']) {
      expect((await rawRequest(`${node.url}${path}`, { headers: { host } })).status, `${path} ${host}`).toBe(200);
    }
    const bare = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.write(`GET ${path} HTTP/1.0\r\n\r\n`));
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.on('end', () => resolve(text));
      socket.on('error', reject);
    });
    expect(bare, path).toMatch(/^HTTP\/1\.[01] 200 /);
  }
  expect((await rawRequest(`${node.url}/health`, { headers: { host: 'evil.example' } })).status).toBe(421);
  expect((await rawRequest(`${node.url}/v1/tools`, { headers: { host: '10.1.2.3:8767' } })).status).toBe(421);
});

test.each([
  ['http://localhost:1@evil.example', 403],
  ['http://localhost:1:evil', 403],
  ['http://[::1]:3000', 200],
  ['http://[::1]', 200],
  ['http://[::1]evil.example', 403],
  ['http://127.0.0.1:3000', 200],
])('an Origin of %s is %i', async (origin, status) => {
  const node = await start();
  expect((await rawRequest(`${node.url}/v1/tools`, { headers: { origin } })).status).toBe(status);
});

test('the feed is for the page that this server serves: another port of this machine may not read it', async () => {
  const node = await start();
  const { host } = new URL(node.url);
  const status = async (origin: string) =>
    (await rawRequest(`${node.url}/api/events`, { headers: { host, origin } })).status;
  expect(await status(`http://${host}`)).toBe(200);
  expect(await status('http://127.0.0.1:1')).toBe(403);
  const listed = await start({ allowedOrigins: ['http://127.0.0.1:1'] });
  expect((await rawRequest(`${listed.url}/api/events`, { headers: { origin: 'http://127.0.0.1:1' } })).status).toBe(
    200,
  );
});

describe('listening', () => {
  test.each(['0.0.0.0', '::', '192.168.1.5'])('%s without a token is refused', async (host) => {
    verifies('BW-serve.10');
    const { options } = await start();
    const listen = createHttpServer(options).listen({ host, port: 0 });
    await expect(listen).rejects.toMatchObject({ refusal: { code: 'FORBIDDEN', details: { host } } });
    await expect(listen).rejects.toHaveProperty('wayOut', expect.stringContaining('BREAKWATER_TOKENS'));
  });

  test('beyond loopback with a token is allowed', async () => {
    verifies('BW-serve.10');
    const { options } = await start();
    const server = createHttpServer({ ...options, tokens: ['t'] });
    stops.push(() => server.close());
    const url = await server.listen({ host: '0.0.0.0', port: 0 });
    expect(url).toMatch(/^http:\/\/0\.0\.0\.0:\d+$/);
    const ask = (host: string) =>
      rawRequest(`${url}/v1/tools`, { headers: { host, authorization: 'Bearer t' } }).then(({ status }) => status);
    expect([await ask('0.0.0.0'), await ask('localhost')]).toEqual([421, 200]);
  });

  test('a port in use is named, with the way out', async () => {
    const { options, url } = await start();
    const port = Number(new URL(url).port);
    const failed: unknown = await createHttpServer(options)
      .listen({ host: '127.0.0.1', port })
      .catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(ListenError);
    expect((failed as ListenError).refusal.details).toEqual({ host: '127.0.0.1', port, reason: 'EADDRINUSE' });
    expect((failed as ListenError).wayOut).toContain('--port');
  });
});

describe('closing', () => {
  test('answers what is in flight, refuses what is new, and closes idle connections', async () => {
    const node = await start();
    const agent = new Agent({ keepAlive: true });
    await new Promise<void>((resolve, reject) => {
      const probe = request(`${node.url}/health/live`, { agent }, (response) => response.resume().on('end', resolve));
      probe.on('error', reject);
      probe.end();
    });
    const slow = fetch(`${node.url}/v1/tools/call`, { ...call, body: '{"name":"echo","arguments":{"delay_ms":300}}' });
    await expect.poll(() => node.dispatcher.requests.length).toBe(1);
    const began = performance.now();
    const closed = node.server.close();
    await expect(fetch(`${node.url}/health/live`)).rejects.toThrow();
    expect((await slow).status).toBe(200);
    await closed;
    // Either idle connection, the agent's or the one that fetch leaves, would have held it until the grace was over.
    expect(performance.now() - began).toBeLessThan(4000);
    expect(node.server.close()).toBe(node.server.close());
    agent.destroy();
  });

  test('what does not end is cut off after the grace', async () => {
    const node = await start();
    const stuck = fetch(`${node.url}/v1/tools/call`, {
      ...call,
      body: '{"name":"echo","arguments":{"delay_ms":60000}}',
    });
    const failed = expect(stuck).rejects.toThrow();
    await expect.poll(() => node.dispatcher.requests.length).toBe(1);
    await node.server.close({ graceMs: 100 });
    await failed;
  });
});

describe('errors of the HTTP framework', () => {
  const JSON_TYPE = { 'content-type': 'application/json' };
  const post = (headers: Record<string, string>, body = '{}') => ({ method: 'POST', headers, body });
  const CASES: [string, string, Parameters<typeof rawRequest>[1], number, string, string | undefined][] = [
    ['a body that is no JSON', '/v1/tools/call', post(JSON_TYPE, '{"a":'), 400, 'BAD_REQUEST', 'body'],
    ['no body', '/v1/tools/call', post(JSON_TYPE, ''), 400, 'BAD_REQUEST', 'body'],
    [
      'too large a body',
      '/v1/tools/call',
      post(JSON_TYPE, `"${'x'.repeat(1_048_577)}"`),
      413,
      'PAYLOAD_TOO_LARGE',
      'body',
    ],
    [
      'another media type',
      '/v1/tools/call',
      post({ 'content-type': 'text/csv' }),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      'content-type',
    ],
    [
      'a compressed body',
      '/v1/tools/call',
      post({ ...JSON_TYPE, 'content-encoding': 'gzip' }),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      'content-encoding',
    ],
    [
      'a compressed MCP message',
      '/mcp/',
      post({ ...JSON_TYPE, 'content-encoding': 'br' }),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      'content-encoding',
    ],
    ['an address that is none', '/api/agents/%zz', {}, 400, 'BAD_REQUEST', 'url'],
    ['a part of an address that is too long', `/api/agents/${'x'.repeat(3000)}`, {}, 400, 'BAD_REQUEST', 'url'],
    ['a wrong method', '/v1/tools/call', {}, 405, 'METHOD_NOT_ALLOWED', 'method'],
    ['a wrong method about one agent', '/api/agents/Ada', { method: 'DELETE' }, 405, 'METHOD_NOT_ALLOWED', 'method'],
    ['no such route', '/v1/tools/call/it', post(JSON_TYPE), 404, 'ROUTE_NOT_FOUND', undefined],
    ['U+0000 in a query', '/v1/calibration/diagram.svg?agent_id=a%00b', {}, 400, 'BAD_REQUEST', 'agent_id'],
    ['U+0000 in a path', '/api/agents/a%00b/states', {}, 400, 'BAD_REQUEST', 'id'],
    ['U+0000 in a name of a query', '/api/findings?a%00b=1', {}, 400, 'BAD_REQUEST', 'a\ufffdb'],
  ];

  test.each(CASES)('%s is refused with code, field and way out', async (_what, path, options, status, code, field) => {
    verifies('BW-dispatch.09');
    const node = await start();
    const answer = await rawRequest(`${node.url}${path}`, options);
    const body = JSON.parse(answer.text) as Record<string, unknown>;
    expect([answer.status, body['success'], body['error_code'], body['field']]).toEqual([status, false, code, field]);
    expect((body['recovery'] as { action: string }).action).not.toBe('');
    expect(body['error']).toEqual(expect.any(String));
    expect(node.dispatcher.requests).toEqual([]);
  });

  test('405 names the methods that there are', async () => {
    const node = await start();
    expect((await rawRequest(`${node.url}/v1/metrics`, {})).headers.allow).toBe('POST');
    expect((await rawRequest(`${node.url}/api/findings`, { method: 'PUT' })).headers.allow).toBe('GET, HEAD, POST');
  });

  test('identity is no encoding', async () => {
    const node = await start();
    const headers = { ...call.headers, 'content-encoding': 'identity' };
    expect((await rawRequest(`${node.url}/v1/tools/call`, { ...call, headers })).status).toBe(200);
  });

  test('bytes that are no request are answered in the same form', async () => {
    const node = await start();
    const { port } = new URL(node.url);
    const ask = (bytes: string) =>
      new Promise<string>((resolve, reject) => {
        let text = '';
        const socket = connect(Number(port), '127.0.0.1', () => socket.write(bytes));
        socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        socket.on('end', () => resolve(text)).on('error', reject);
      });
    const nonsense = await ask('GARBAGE\r\n\r\n');
    expect(nonsense).toMatch(/^HTTP\/1.1 400 /);
    expect(JSON.parse(nonsense.split('\r\n\r\n')[1] ?? '')).toMatchObject({
      success: false,
      error_code: 'BAD_REQUEST',
    });
    const large = await ask(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(large).toMatch(/^HTTP\/1.1 431 /);
    expect(JSON.parse(large.split('\r\n\r\n')[1] ?? '')).toMatchObject({ success: false });
  });
});

test('an unknown route is 404 as JSON, and / names the endpoints', async () => {
  const node = await start();
  const missing = await fetch(`${node.url}/sse`);
  expect([missing.status, ((await missing.json()) as { success: boolean }).success]).toEqual([404, false]);
  expect(await (await fetch(node.url)).json()).toMatchObject({ endpoints: { mcp: '/mcp/' } });
});

describe('a flood', () => {
  test('of requests for the metrics makes them once a second, and nothing of it is done for clients that have gone', async () => {
    let made = 0;
    const gate = Promise.withResolvers<string>();
    const metrics = {
      ...createMetrics(),
      expose: () => {
        made += 1;
        return made === 1 ? gate.promise : Promise.resolve('second');
      },
    };
    const node = await start({ metrics });
    const { port } = new URL(node.url);
    const get = `GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`.repeat(20);
    await Promise.all(
      Array.from(
        { length: 20 },
        () =>
          new Promise<void>((resolve, reject) => {
            const socket = connect({ port: Number(port), host: '127.0.0.1' }, () => {
              socket.write(get, () => {
                socket.destroy();
                resolve();
              });
            });
            socket.once('error', reject);
          }),
      ),
    );
    const waiting = fetch(`${node.url}/metrics`);
    expect((await fetch(`${node.url}/health/live`)).status).toBe(200);
    gate.resolve('first');
    expect(await (await waiting).text()).toBe('first');
    expect(made).toBe(1);
  });

  test('begins requests of one connection in their turn, and none whose client has gone', async () => {
    const gates = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    const asked: string[] = [];
    const node = await start({
      operatorOf: () => Promise.resolve({ name: 'ops', act: false }),
      calibrationDiagram: async (agent) => {
        asked.push(agent ?? '');
        await gates[asked.length - 1]?.promise;
        return { ok: true, value: '<svg/>' };
      },
    });
    const { port } = new URL(node.url);
    const get = (agent: string) =>
      `GET /v1/calibration/diagram.svg?agent_id=${agent} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
    const socket = connect({ port: Number(port), host: '127.0.0.1' });
    socket.on('error', () => undefined);
    socket.resume().write(['a', 'b', 'c', 'd'].map(get).join(''));
    const both = (agents: string) => until(() => (asked.join('') === agents ? true : undefined), `${agents} began`);
    await both('a');
    gates[0]?.resolve(undefined);
    await both('ab');
    socket.destroy();
    // Once another connection is answered, the end of this one is known.
    await fetch(`${node.url}/health/live`);
    gates[1]?.resolve(undefined);
    await fetch(`${node.url}/health/live`);
    expect(asked).toEqual(['a', 'b']);
  });
});
