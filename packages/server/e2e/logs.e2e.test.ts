import { afterAll, expect, test } from 'vitest';
import { testDatabase } from '../testing/database.ts';
import { postgresProxy } from '../testing/postgres-proxy.ts';
import { callTool, postJson } from '../testing/rest.ts';
import { NO_LIMITS, removeDataDir, runCommand, spawnServer, temporaryDataDir, until } from '../testing/server.ts';

type Line = Record<string, unknown>;

const folder = temporaryDataDir();
const { target, database } = await testDatabase();
afterAll(() => removeDataDir(folder));

const TOKEN = 'the-bearer-token';
const PASSWORD = 'the-password-of-the-database';

test('a log at its most talkative has the id of each request, whatever fails, and no secret', async () => {
  if (!('socketDir' in target)) throw new Error('tests run on a socket');
  const proxy = await postgresProxy(target, 'pass');
  const url = proxy.url.replace('breakwater@', `breakwater:${PASSWORD}@`);
  const env = { ...NO_LIMITS, DATABASE_URL: url, BREAKWATER_TOKENS: TOKEN, BREAKWATER_LOG_LEVEL: 'trace' };
  const server = spawnServer(folder, { env });
  const lines = (): Line[] =>
    server
      .stderr()
      .split('\n')
      .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Line] : []));
  const said = (id: string): Line[] => lines().filter(({ request_id }) => request_id === id);
  try {
    const at = await server.ready();
    const made = await runCommand(['operator', 'create', '--name', 'ada', '--scope', 'act', '--json'], {
      env: { DATABASE_URL: url },
    });
    const operator = (JSON.parse(made.stdout) as { secret: string }).secret;
    const bearer = { authorization: `Bearer ${TOKEN}` };
    const headers = (id: string): Record<string, string> => ({ ...bearer, 'x-request-id': id });

    const born = await callTool(at, 'onboard', { name: 'Max' }, bearer);
    const { uuid, client_session_id: session } = born.result as { uuid: string; client_session_id: string };
    await callTool(at, 'sync_state', { client_session_id: session, response_text: 'Work.' }, headers('works'));
    await callTool(at, 'sync_state', { client_session_id: `${session}x`, response_text: 'Work.' }, headers('forged'));
    await callTool(
      at,
      'operators',
      { action: 'revoke', name: 'nobody', reason: 'x' },
      { ...headers('acts'), 'x-breakwater-operator': operator },
    );
    await fetch(`${at}/api/agents`, { headers: { authorization: `Bearer ${operator}`, 'x-request-id': 'reads' } });
    await fetch(`${at}/api/agents`, { headers: { authorization: `Bearer ${operator}x`, 'x-request-id': 'dead' } });
    await fetch(`${at}/metrics?token=${TOKEN}`, { headers: { 'x-request-id': 'query' } });
    await postJson(at, '/v1/harness/outcome', { secret: operator }, headers('harness'));

    // A bug, as far as the server can tell: its caller is told an incident, and the log ties that to the request. PostgreSQL's
    // own words for it repeat the row.
    await database.query({ text: 'ALTER TABLE knowledge.discoveries ADD CONSTRAINT broken CHECK (false) NOT VALID' });
    const failed = await callTool(
      at,
      'knowledge',
      { action: 'store', summary: `Found ${session}.`, client_session_id: session },
      headers('fails'),
    );
    await database.query({ text: 'ALTER TABLE knowledge.discoveries DROP CONSTRAINT broken' });
    expect(failed.result).toMatchObject({ error_code: 'INTERNAL_ERROR' });

    const checkIn = (id: string) =>
      callTool(at, 'sync_state', { client_session_id: session, response_text: 'More.' }, headers(id));
    const isReady = async (): Promise<boolean> => (await fetch(`${at}/health/ready`)).ok;
    proxy.become('refuse');
    await until(async () => ((await isReady()) ? undefined : true), 'PostgreSQL is missed');
    expect((await checkIn('away')).status).toBe(503);
    proxy.become('pass');
    await until(async () => ((await isReady()) ? true : undefined), 'there is service again');
    expect((await checkIn('back')).status).toBe(200);

    // Its lines are all read once it has ended.
    expect((await server.stop()).code).toBe(0);
    const answered = ['works', 'forged', 'acts', 'reads', 'dead', 'query', 'harness', 'away', 'back'];
    for (const id of answered) {
      expect(said(id).filter(({ msg }) => msg === 'request').length, id).toBeGreaterThan(0);
    }
    expect(said('works')).toMatchObject([
      { method: 'POST', route: '/v1/tools/call', tool: 'process_agent_update', agent_id: uuid },
    ]);
    expect(said('fails')).toMatchObject([
      { level: 50, incident_id: failed.result['incident_id'], tool: 'knowledge' },
      { level: 30, msg: 'request', status: 200, tool: 'knowledge', agent_id: uuid, error_code: 'INTERNAL_ERROR' },
    ]);
    const crash = lines().find(({ msg }) => msg === 'a call about knowledge crashed');
    expect(crash).toMatchObject({ err: { code: '23514', table: 'discoveries', constraint: 'broken' } });
    expect(said('dead')).toMatchObject([{ status: 401 }]);
    expect(lines().some(({ msg }) => msg === 'a connection to PostgreSQL was lost')).toBe(true);
    for (const line of lines().filter(({ msg }) => msg === 'request')) {
      expect(line).toMatchObject({ request_id: expect.any(String) as string, ms: expect.any(Number) as number });
    }
    const secrets = { TOKEN, PASSWORD, operator, session };
    for (const [what, secret] of Object.entries(secrets)) {
      expect(server.stderr() + server.stdout(), what).not.toContain(secret);
    }
  } finally {
    await proxy.close();
  }
});
