import { chownSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openDatabase } from '../src/postgres/index.ts';
import { callTool, onboard, type Json } from '../testing/rest.ts';
import { NO_LIMITS, postmasterPid, removeDataDir, spawnServer, temporaryDataDir, until } from '../testing/server.ts';
import { verifies } from '../testing/verifies.ts';

const folders: string[] = [];
const dataDir = (): string => {
  const folder = temporaryDataDir({ empty: true });
  folders.push(folder);
  return folder;
};
afterEach(async () => {
  await Promise.all(folders.splice(0).map(removeDataDir));
});

/** What an agent reads of itself, without the time of reading. */
const stateOf = async (url: string, secret: string): Promise<Json> => {
  const { result } = await callTool(url, 'get_governance_metrics', { client_session_id: secret });
  const { server_time: _, ...rest } = result;
  return rest;
};

test('a second start on the same data directory goes on where the first one ended', async () => {
  verifies('BW-postgres.01');
  const folder = dataDir();
  const first = spawnServer(folder);
  const firstUrl = await first.ready();
  const { secret } = await onboard(firstUrl, 'Ada');
  await callTool(firstUrl, 'sync_state', { client_session_id: secret, response_text: 'One piece.', confidence: 0.7 });
  const before = await stateOf(firstUrl, secret);
  expect(before['success']).toBe(true);
  expect(await first.stop()).toMatchObject({ code: 0, signal: null });
  expect(postmasterPid(folder), 'PostgreSQL goes with its server').toBeUndefined();

  const second = spawnServer(folder);
  expect(await stateOf(await second.ready(), secret)).toEqual(before);
  const { result } = await callTool(await second.ready(), 'sync_state', {
    client_session_id: secret,
    response_text: 'Another piece.',
  });
  expect(result).toMatchObject({ success: true, update: 2 });
  expect(await second.stop()).toMatchObject({ code: 0 });
  expect(second.stderr(), 'an orderly life leaves no warning in the log').toBe('');
});

test('after SIGKILL the next server adopts the PostgreSQL that still runs, and ends it when it stops', async () => {
  verifies('BW-postgres.01');
  const folder = dataDir();
  const first = spawnServer(folder);
  const { secret } = await onboard(await first.ready(), 'Ada');
  await first.kill();
  const orphan = postmasterPid(folder);
  expect(orphan).toBeDefined();

  const second = spawnServer(folder);
  const { result } = await callTool(await second.ready(), 'identity', { client_session_id: secret });
  expect(result).toMatchObject({ identity_status: 'bound', display_name: 'Ada' });
  expect(postmasterPid(folder)).toBe(orphan);
  expect(await second.stop()).toMatchObject({ code: 0 });
  expect(postmasterPid(folder)).toBeUndefined();
});

test.skipIf(process.getuid?.() !== 0)('an ordinary user runs it on a directory of their own', async () => {
  verifies('BW-postgres.01');
  const user = { uid: 65534, gid: 65534 };
  const folder = dataDir();
  chownSync(folder, user.uid, user.gid);
  const server = spawnServer(folder, user);
  const { secret } = await onboard(await server.ready(), 'Ada');
  const { result } = await callTool(await server.ready(), 'sync_state', { client_session_id: secret });
  expect(result).toMatchObject({ success: true, update: 1 });
  expect(await server.stop()).toMatchObject({ code: 0 });
  expect(postmasterPid(folder)).toBeUndefined();
});

test('SIGTERM while it starts: it gives up in order and leaves no PostgreSQL behind', async () => {
  verifies('BW-runtime.09');
  const folder = dataDir();
  const server = spawnServer(folder);
  await until(() => postmasterPid(folder), 'PostgreSQL starts');
  expect(server.stdout()).toBe('');
  expect(await server.stop()).toMatchObject({ code: 0, signal: null });
  expect(server.stdout(), 'it never became ready').toBe('');
  expect(server.stderr()).toBe('');
  expect(postmasterPid(folder)).toBeUndefined();
});

test('SIGTERM while PostgreSQL holds calls up: every call in flight is finished and answered', async () => {
  verifies('BW-runtime.09');
  const folder = dataDir();
  const server = spawnServer(folder, { env: NO_LIMITS });
  const url = await server.ready();
  const agents = await Promise.all(Array.from({ length: 16 }, (_, i) => onboard(url, `Agent ${i}`)));
  const database = openDatabase({
    target: { socketDir: join(folder, 'run'), database: 'breakwater' },
    onError: () => undefined,
  });
  const blocker = await database.connect();
  await blocker.query({ text: 'BEGIN' });
  await blocker.query({ text: 'SELECT 1 FROM core.identities ORDER BY agent_id FOR UPDATE' });
  const calls = agents.map(({ secret }) => callTool(url, 'sync_state', { client_session_id: secret }));
  const blocked = { text: `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'` };
  await until(
    async () => ((await database.query(blocked)).length > 0 ? true : undefined),
    'a commit waits for the lock',
  );
  // What is answered now was received after those calls.
  await callTool(url, 'health_check', {});

  const stopping = server.stop();
  await until(
    () =>
      fetch(`${url}/v1/tools`).then(
        ({ status }) => (status === 503 ? true : undefined),
        () => true,
      ),
    'the server takes no new calls',
  );
  await blocker.query({ text: 'COMMIT' });
  await blocker.close();
  for (const { status, result } of await Promise.all(calls)) {
    expect({ status, result }).toMatchObject({ status: 200, result: { success: true, update: 1 } });
  }
  await database.close();
  const { code, ms } = await stopping;
  expect(code).toBe(0);
  expect(ms).toBeLessThan(5_000);
});

test('SIGTERM under load: what was answered is durable, the rest is refused, and it ends with 0 within 5 s', async () => {
  verifies('BW-runtime.09');
  const folder = dataDir();
  const server = spawnServer(folder, { env: NO_LIMITS });
  const url = await server.ready();
  const agents = await Promise.all(Array.from({ length: 16 }, (_, i) => onboard(url, `Agent ${i}`)));
  const acknowledged = new Map<string, string>();
  const refused: number[] = [];
  let answered = 0;
  let stopping: ReturnType<typeof server.stop> | undefined;
  await Promise.all(
    agents.map(async ({ agentId, secret }) => {
      for (let i = 0; ; i += 1) {
        const args = { client_session_id: secret, response_text: `Piece ${i}.` };
        const answer = await callTool(url, 'sync_state', args).catch(() => undefined);
        if (answer === undefined) return;
        if (answer.status !== 200) {
          refused.push(answer.status);
          expect(answer.headers.get('retry-after')).toBe('5');
          return;
        }
        expect(answer.result['success'], JSON.stringify(answer.result)).toBe(true);
        acknowledged.set(agentId, String(answer.result['prediction_id']));
        answered += 1;
        if (answered === 100) stopping = server.stop();
      }
    }),
  );
  const { code, signal, ms } = await stopping!;
  expect({ code, signal }).toEqual({ code: 0, signal: null });
  expect(ms).toBeLessThan(5_000);
  expect(refused.every((status) => status === 503)).toBe(true);
  expect(answered).toBeGreaterThanOrEqual(100);

  const second = spawnServer(folder);
  const again = await second.ready();
  let updates = 0;
  for (const { agentId, secret } of agents) {
    const { result } = await callTool(again, 'record_result', {
      client_session_id: secret,
      outcome_type: 'test_passed',
      prediction_id: acknowledged.get(agentId),
    });
    // Only a claim that is on record settles as one.
    expect(result).toMatchObject({ success: true, prediction_source: 'registry' });
    updates += Number(result['update']);
  }
  expect(updates, 'every answered check-in of every agent is on record').toBe(answered);
  await second.stop();
});
