import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { testDatabase } from '../testing/database.ts';
import { connectMcp, GENERATIONS } from '../testing/mcp.ts';
import { postgresProxy, type PostgresProxy } from '../testing/postgres-proxy.ts';
import { callTool, onboard, postJson } from '../testing/rest.ts';
import {
  freePort,
  removeDataDir,
  runCommand,
  spawnServer,
  temporaryDataDir,
  until,
  type ServerProcess,
} from '../testing/server.ts';
import { verifies } from '../testing/verifies.ts';

interface Line {
  readonly type: string;
  readonly endpoint: string | null;
  readonly tool: string | null;
  readonly count: number;
  readonly agents: number;
  readonly elapsed_ms: { readonly p50: number | null; readonly p99: number | null };
  readonly classes: Readonly<Record<string, number>>;
}
interface Report {
  readonly since: string;
  readonly until: string;
  readonly failures: { readonly no_data: boolean; readonly lines: readonly Line[] };
  readonly measurements: { readonly no_data: boolean; readonly lines: readonly Line[] };
  readonly samples_dropped: number;
}

const MAIN = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
const REQUEST = 'measurement.governance_mcp.request';
const UNAVAILABLE = 'measurement.governance_mcp.503_emission';
const ACCEPT = { accept: 'application/json, text/event-stream' };
const CALL = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'onboard', arguments: {} } };

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

const run = (...args: string[]) => runCommand(['channel', 'report', ...args], { env: { DATABASE_URL: proxy.url } });
const report = async (...args: string[]): Promise<Report> => {
  const { code, stdout, stderr } = await run('--since', '1h', '--json', ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Report;
};
const counts = ({ measurements }: Report, type: string): Record<string, number> =>
  Object.fromEntries(
    measurements.lines
      .filter((line) => line.type === type)
      .map(({ endpoint, tool, count }) => [[endpoint, tool].filter(Boolean).join(' '), count]),
  );

/** Calls a tool through `breakwater stdio`; gives the answer's text. */
const overStdio = async (): Promise<string> => {
  const child = spawn(process.execPath, [MAIN, 'stdio', '--url', url], { stdio: ['pipe', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  const ended = new Promise((resolve) => child.once('close', resolve));
  child.stdin.end(`${JSON.stringify({ ...CALL, params: { name: 'identity', arguments: {} } })}\n`);
  await ended;
  return out;
};

test('every call and every 503 of every transport stands in the report', async () => {
  verifies('W3-3.13', 'W3-6.09');
  // 503s from before there is a table.
  await callTool(url, 'onboard', {});
  await postJson(url, '/mcp/', CALL, ACCEPT);
  await postJson(url, '/v1/feature_flag/get', { name: 'x' });
  proxy.become('pass');
  await server.ready();

  const { agentId, secret } = await onboard(url, 'Ada');
  await callTool(url, 'sync_state', { client_session_id: secret, confidence: 0.7 });
  await callTool(url, 'sync_state', { client_session_id: secret, confidence: 7 });
  await callTool(url, 'no_such_tool', {});
  for (const generation of GENERATIONS) {
    const client = await connectMcp(url, generation);
    await client.call('get_governance_metrics', { agent_id: agentId });
    await client.close();
  }
  expect(await overStdio()).toContain('"result"');

  const told = await until(async () => {
    const now = await report();
    return Object.values(counts(now, REQUEST)).reduce((sum, count) => sum + count, 0) >= 9 ? now : undefined;
  }, 'all calls are stored');
  expect(counts(told, REQUEST)).toEqual({
    '/v1/tools/call onboard': 2,
    '/v1/tools/call process_agent_update': 2,
    '/v1/tools/call unknown': 1,
    '/mcp/ onboard': 1,
    '/mcp/ get_governance_metrics': 2,
    '/mcp/ identity': 1,
  });
  expect(counts(told, UNAVAILABLE)).toEqual({ '/v1/tools/call': 1, '/mcp/': 1, '/v1/feature_flag/get': 1 });
  const checkIns = told.measurements.lines.find(({ tool }) => tool === 'process_agent_update');
  expect(checkIns).toMatchObject({ agents: 1, classes: { PARAMETER_ERROR: 1 } });
  expect(checkIns?.elapsed_ms.p99).toBeGreaterThan(0);
  expect(told.samples_dropped).toBe(0);
});

test('what happened while PostgreSQL was away is stored when it is back, and the 503s are a breach', async () => {
  verifies('W3-3.14', 'BW-channel.01');
  const isReady = async () => (await fetch(`${url}/health/ready`)).status === 200;
  proxy.become('refuse');
  await until(async () => ((await isReady()) ? undefined : true), 'the server notices that PostgreSQL is away');
  for (let i = 0; i < 5; i += 1) expect((await callTool(url, 'onboard', {})).status).toBe(503);
  proxy.become('pass');
  await until(async () => ((await isReady()) ? true : undefined), 'the server is ready again');

  const failure = async (end: string) => (await report()).failures.lines.find(({ type }) => type.endsWith(end));
  const lost = await until(() => failure('.asyncpg_connect_error.runtime'), 'the loss of PostgreSQL is told');
  expect(lost).toMatchObject({ count: 1 });
  const all = await until(async () => {
    const now = counts(await report(), UNAVAILABLE);
    return (now['/v1/tools/call'] ?? 0) >= 6 ? now : undefined;
  }, 'the 503s are stored');
  expect(all).toMatchObject({ '/v1/tools/call': 6 });
  await until(() => failure('.cutover_503_rate_breach'), 'the breach is stored');
});

describe('for people', () => {
  test('it shows failures and measurements apart, and says where there is no data', async () => {
    verifies('W3-6.09');
    const { stdout } = await run('--since', '1h');
    const [failures, measurements] = stdout.split('\nMeasurements, ');
    expect(failures).toMatch(/^Failures, \S+Z to \S+Z\n/);
    expect(failures).not.toContain('measurement.');
    expect(measurements).toMatch(/\nTYPE +ENDPOINT +COUNT +AGENTS +P50 MS +P99 MS +CLASSES +FIRST +LAST\n/);
    expect(measurements).toMatch(/measurement\.governance_mcp\.503_emission +\/mcp\/ +1 /);
    expect(measurements).toContain('Nothing is known to be missing.');

    const empty = await run('--since', '2020-01-01', '--until', '2020-02-01T12:00Z');
    expect(empty.stdout).toBe(
      'Failures, 2020-01-01T00:00:00Z to 2020-02-01T12:00:00Z\nno data\n\n' +
        'Measurements, 2020-01-01T00:00:00Z to 2020-02-01T12:00:00Z\nno data\n\nNothing is known to be missing.\n',
    );
    expect(await report('--until', '59m')).toMatchObject({
      failures: { no_data: true, lines: [] },
      measurements: { no_data: true, lines: [] },
    });
  });

  test.each([
    [['--since', 'yesterday'], /--since is neither a duration nor a date; given "yesterday"/],
    [['--since', '1h', '--until', '2h'], /--since must be earlier than --until/],
    [['--until', '1x'], /--until is neither/],
  ])('%j is refused with the field that is wrong, and the way out', async (args, message) => {
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).toContain('30m, 24h, 14d');
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});
