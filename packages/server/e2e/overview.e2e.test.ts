import type { AgentsPage, AgentView, NowView, SystemView } from '@breakwater/contract/overview';
import { afterAll, expect, inject, test } from 'vitest';
import { testDatabase } from '../testing/database.ts';
import { postgresProxy } from '../testing/postgres-proxy.ts';
import { callTool, onboard, type Json } from '../testing/rest.ts';
import {
  freePort,
  NO_LIMITS,
  removeDataDir,
  runCommand,
  spawnServer,
  temporaryDataDir,
  until,
} from '../testing/server.ts';
import { verifies } from '../testing/verifies.ts';

const folder = temporaryDataDir();
const { target } = await testDatabase({ empty: true });
if (!('database' in target) || !('socketDir' in inject('postgres'))) throw new Error('tests run on a socket');
// A PostgreSQL that the server does not own: it would start its own again while the test looks at what is left without it.
const postgres = await postgresProxy(target, 'pass');
afterAll(async () => {
  await postgres.close();
  await removeDataDir(folder);
});

const env = { DATABASE_URL: postgres.url };
const options = { env: { ...NO_LIMITS, BREAKWATER_LOG_LEVEL: 'error', ...env } };
const here = ['--data-dir', folder];

const newOperator = async (name: string, scope: 'read' | 'act'): Promise<string> => {
  const made = await runCommand(['operator', 'create', '--name', name, '--scope', scope, '--json', ...here], { env });
  return (JSON.parse(made.stdout) as { secret: string }).secret;
};

interface Read<T> {
  readonly status: number;
  readonly body: T;
}

const reader =
  (url: string, secret: string) =>
  async <T>(path: string): Promise<Read<T>> => {
    const answer = await fetch(`${url}/api/${path}`, { headers: { authorization: `Bearer ${secret}` } });
    return { status: answer.status, body: (await answer.json()) as T };
  };

test('an operator sees the fleet, also while PostgreSQL is away; nobody else does', async () => {
  verifies('BW-console.02', 'BW-console.03');
  const server = spawnServer(folder, options);
  const url = await server.ready();
  const secret = await newOperator('ada', 'read');
  const get = reader(url, secret);
  const { agentId, secret: session } = await onboard(url, 'Max');
  const checkIn = await callTool(url, 'sync_state', {
    client_session_id: session,
    response_text: 'x',
    confidence: 0.6,
  });
  const result: Json = { prediction_id: checkIn.result['prediction_id'], outcome_type: 'test_passed' };
  await callTool(url, 'record_result', { client_session_id: session, ...result });

  const now = await get<NowView>('now');
  expect(now.body).toMatchObject({ ready: true, needs: [], agents: { active: 1 }, reviews: { open: 0, waiting: 0 } });
  const checkIns = now.body.activity.reduce((sum, { proceed, guide, pause }) => sum + proceed + guide + pause, 0);
  expect(checkIns).toBe(1);
  const system = await get<SystemView>('system');
  expect(system.body.nodes).toMatchObject([{ self: true }]);
  expect(Object.values(system.body.parts)).not.toContain(false);
  expect((await get<AgentView>('agents/Max')).body).toMatchObject({ agent_id: agentId, check_ins: 1 });

  // The console and the command line hold claims against results in the same way.
  const printed = await runCommand(['calibration', 'report', '--json', ...here], { env });
  const withoutTime = ({ window: _, ...report }: Json): Json => report;
  const shown = await get<Json>('calibration');
  expect(shown.body).toMatchObject({ scope: 'fleet', total_samples: 1 });
  expect(withoutTime(shown.body)).toEqual(withoutTime(JSON.parse(printed.stdout) as Json));

  // Who may only see, may not act (the tools say so); who is revoked sees nothing any more.
  const act = await callTool(
    url,
    'agent',
    { action: 'pause', target_agent_id: agentId, reason: 'x' },
    { authorization: `Bearer ${secret}` },
  );
  expect(act.result).toMatchObject({ success: false, error_code: 'OPERATOR_REQUIRED' });
  const gone = await newOperator('gone', 'act');
  expect((await reader(url, gone)('agents')).status).toBe(200);
  expect((await runCommand(['operator', 'revoke', 'gone', '--reason', 'x', ...here], { env })).code).toBe(0);
  await until(async () => ((await reader(url, gone)('agents')).status === 401 ? true : undefined), 'it is revoked');

  postgres.become('refuse');
  const cold = await until(async () => {
    const { status, body } = await get<NowView>('now');
    expect(status).toBe(200);
    return body.ready ? undefined : body;
  }, 'the server notices');
  expect(cold.needs[0]).toMatchObject({ kind: 'not_ready', severity: 'critical' });
  expect(cold).toMatchObject({ agents: { active: 1 }, reviews: null });
  expect((await get<AgentsPage>('agents')).body).toMatchObject({ matching: 1, rows: [{ agent_id: agentId }] });
  expect((await get<SystemView>('system')).body).toMatchObject({
    ready: false,
    parts: { postgres: false },
    database: { version: null, bytes: null },
    nodes: [],
  });
  for (const path of ['reviews', 'agents/Max', 'agents/Max/trail', 'operators', 'calibration', 'channel']) {
    expect((await get(path)).status, path).toBe(503);
  }
  expect((await reader(url, `bwo_${'x'.repeat(30)}`)('now')).status, 'who cannot be judged').toBe(503);
  expect((await fetch(`${url}/api/now`)).status).toBe(401);
  await server.stop();
  postgres.become('pass');

  // From the first moment of a start on: not yet, and then the fleet; never a fault, and never an empty fleet.
  const port = await freePort();
  const again = spawnServer(folder, { ...options, port });
  const getAgain = reader(`http://127.0.0.1:${port}`, secret);
  const first = await until(async () => {
    const answer = await getAgain<NowView>('now').catch(() => undefined);
    if (answer === undefined) return undefined;
    expect([200, 503]).toContain(answer.status);
    return answer.status === 200 ? answer.body : undefined;
  }, 'the overview answers');
  expect(first.agents).toMatchObject({ active: 1 });
  await again.ready();
  await again.stop();
});
