import { inject, afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase } from '../testing/database.ts';
import { postgresProxy, type PostgresProxy } from '../testing/postgres-proxy.ts';
import { callTool, onboard, postJson } from '../testing/rest.ts';
import {
  freePort,
  spawnServer,
  temporaryDataDir,
  removeDataDir,
  until,
  type ServerProcess,
} from '../testing/server.ts';
import { verifies } from '../testing/verifies.ts';

const CONTRACT = {
  ok: false,
  error: 'governance_temporarily_unavailable',
  reason: 'handler_dispatch_unavailable',
  retry_after_seconds: 5,
};
const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};

const folder = temporaryDataDir();
let proxy: PostgresProxy;
let server: ServerProcess;
let url: string;
const { target } = await testDatabase({ empty: true });
beforeAll(async () => {
  if (!('database' in target) || !('socketDir' in inject('postgres'))) throw new Error('tests run on a socket');
  proxy = await postgresProxy(target, 'hang');
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  server = spawnServer(folder, { port, env: { DATABASE_URL: proxy.url } });
  await until(() => (proxy.connections > 0 ? true : undefined), 'the server asks for PostgreSQL');
});
afterAll(async () => {
  await server.stop();
  await proxy.close();
  await removeDataDir(folder);
});

const accept = { accept: 'application/json, text/event-stream' };
const readiness = async () => {
  const response = await fetch(`${url}/health/ready`);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

test('until every part is warm, every transport answers the 503 contract, and dispatch opens when they are', async () => {
  verifies('W3-10.05', 'BW-serve.02');
  const early = [
    await callTool(url, 'onboard', { name: 'Early' }),
    await postJson(url, '/mcp/', INITIALIZE, accept),
    await postJson(
      url,
      '/mcp/',
      { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'onboard', arguments: {} } },
      accept,
    ),
    await postJson(url, '/v1/feature_flag/get', { name: 'identity_strict_mode' }),
    await postJson(url, '/v1/baseline/get', { agent_id: 'x' }),
  ];
  for (const { status, headers, body } of early) {
    expect({ status, body, retry: headers.get('retry-after') }).toEqual({ status: 503, body: CONTRACT, retry: '5' });
  }
  expect((await fetch(`${url}/health/live`)).status).toBe(200);
  const { status, body } = await readiness();
  expect(status).toBe(503);
  expect(body['not_ready']).toEqual(expect.arrayContaining(['postgres', 'flags', 'baselines']));
  const { result } = await callTool(url, 'health_check', {});
  expect(result, 'a tool that needs no warm part says what is missing').toMatchObject({ status: 'degraded' });

  proxy.become('pass');
  await server.ready();
  expect(await readiness()).toMatchObject({ status: 200, body: { status: 'ready' } });
  expect((await postJson(url, '/mcp/', INITIALIZE, accept)).status).toBe(200);
  await onboard(url, 'On time');
});

test('with PostgreSQL away: alive, not ready and which part, the 503 contract; and service again by itself', async () => {
  verifies('BW-serve.02', 'BW-postgres.06');
  const { secret } = await onboard(url, 'Ada');
  proxy.become('refuse');
  const away = await until(async () => {
    const now = await readiness();
    return now.status === 503 ? now : undefined;
  }, 'the server notices that PostgreSQL is away');
  expect(away.body).toMatchObject({ status: 'warming_up', not_ready: ['postgres'] });
  expect((await fetch(`${url}/health/live`)).status).toBe(200);
  expect((await fetch(`${url}/health`)).status).toBe(503);
  const refused = await callTool(url, 'sync_state', { client_session_id: secret });
  expect(refused).toMatchObject({ status: 503, body: { ok: false, retry_after_seconds: 5 } });
  expect(refused.headers.get('retry-after')).toBe('5');

  proxy.become('pass');
  await until(async () => ((await readiness()).status === 200 ? true : undefined), 'the server is ready again');
  const { result } = await callTool(url, 'sync_state', { client_session_id: secret });
  expect(result).toMatchObject({ success: true, update: 1 });
});

test('flags and baselines are read from the live tables, and an absent key is cold', async () => {
  verifies('W3-10.11');
  const flag = (name: string) => postJson(url, '/v1/feature_flag/get', { name });
  const baseline = (agent_id: string) => postJson(url, '/v1/baseline/get', { agent_id });
  const { body: known } = await flag('identity_strict_mode');
  expect(known).toEqual({ name: 'identity_strict_mode', ok: true, value: 'observe' });
  expect((await flag('no_such_flag')).body).toEqual({ name: 'no_such_flag', ok: false, cold: true });

  const { agentId, secret } = await onboard(url, 'Ada');
  expect((await baseline(agentId)).body).toEqual({ agent_id: agentId, ok: false, cold: true });
  await callTool(url, 'sync_state', { client_session_id: secret, confidence: 0.7 });
  const { status, body } = await baseline(agentId);
  expect({ status, body }).toEqual({
    status: 200,
    body: { agent_id: agentId, ok: true, value: expect.any(Object) as object },
  });
  expect((await postJson(url, '/v1/baseline/get', {})).status).toBe(400);
});
