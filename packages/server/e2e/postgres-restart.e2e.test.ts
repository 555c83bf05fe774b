import { spawnSync } from 'node:child_process';
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openDatabase } from '../src/postgres/index.ts';
import { callTool, onboard } from '../testing/rest.ts';
import { NO_LIMITS, postmasterPid, removeDataDir, spawnServer, temporaryDataDir, until } from '../testing/server.ts';
import { verifies } from '../testing/verifies.ts';

const folder = temporaryDataDir();
/** A file system of a few megabytes that a test may fill takes the rights to mount one. */
const canMount = ((): boolean => {
  const place = temporaryDataDir();
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'breakwater-test', place]).status === 0;
  if (mounted) spawnSync('umount', [place]);
  rmSync(place, { recursive: true });
  return mounted;
})();

afterAll(() => removeDataDir(folder));

test('PostgreSQL killed under load and started again by the server: refusals in between, service after, nothing lost', async () => {
  verifies('BW-postgres.06', 'BW-checkin.02');
  const server = spawnServer(folder, { env: { ...NO_LIMITS, BREAKWATER_LOG_LEVEL: 'error' } });
  const url = await server.ready();
  const agents = await Promise.all(Array.from({ length: 8 }, (_, i) => onboard(url, `Agent ${i}`)));
  const acknowledged: string[] = [];
  let refused = 0;
  let done = false;
  const load = Promise.all(
    agents.map(async ({ secret }, a) => {
      for (let i = 0; !done; i += 1) {
        const args = { client_session_id: secret, response_text: `Piece ${a} ${i}.` };
        const { status, headers, body, result } = await callTool(url, 'sync_state', args);
        if (status === 200 && result['success'] === true) acknowledged.push(String(result['prediction_id']));
        else {
          expect(status, JSON.stringify(body)).toBe(503);
          expect(headers.get('retry-after')).toBe('5');
          refused += 1;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    }),
  );

  await until(() => (acknowledged.length > 200 ? true : undefined), 'there is load');
  const old = postmasterPid(folder)!;
  process.kill(old, 'SIGKILL');
  const again = await until(() => (postmasterPid(folder) === old ? undefined : postmasterPid(folder)), 'it runs again');
  expect(again).not.toBe(old);
  expect((await fetch(`${url}/health/live`)).status).toBe(200);

  const before = acknowledged.length;
  await until(() => (acknowledged.length > before + 200 ? true : undefined), 'there is service again');
  done = true;
  await load;
  const { result } = await callTool(url, 'health_check', {});
  expect(result).toMatchObject({ status: 'healthy' });

  const database = openDatabase({
    target: { socketDir: join(folder, 'run'), database: 'breakwater' },
    onError: () => undefined,
  });
  const found = await database.query({
    text: 'SELECT 1 FROM core.predictions WHERE prediction_id = ANY($1::uuid[])',
    values: [acknowledged],
  });
  expect(found.length, 'every acknowledged check-in is on record').toBe(acknowledged.length);
  const told = await database.query({
    text: `SELECT payload->>'error' AS error, payload->>'done' AS done FROM audit.coordination_events
           WHERE payload->>'error' = 'embedded_postgres_ended'`,
  });
  expect(told, 'the channel has it').toEqual([{ error: 'embedded_postgres_ended', done: 'restart' }]);
  const gaps = await database.query({
    text: `SELECT agent_id FROM core.identities i JOIN core.agent_state s USING (identity_id)
           GROUP BY agent_id, i.update_count
           HAVING count(*) <> i.update_count OR max(update_index) <> count(*) OR min(update_index) <> 1`,
  });
  expect(refused, 'calls were refused while it was away').toBeGreaterThan(0);
  expect(gaps, 'update numbers are 1..n').toEqual([]);
  await database.close();
  await server.stop();
});

test('a PostgreSQL that cannot be started again ends the server, which says why', async () => {
  const own = temporaryDataDir();
  try {
    const server = spawnServer(own, { env: { BREAKWATER_LOG_LEVEL: 'error' } });
    await server.ready();
    renameSync(join(own, 'pg', 'global', 'pg_control'), join(own, 'pg', 'global', 'gone'));
    process.kill(postmasterPid(own)!, 'SIGKILL');
    expect((await server.exited).code).toBe(1);
    expect(server.stderr()).toContain('The embedded PostgreSQL ended 6 times within 10 minutes and was given up');
    expect(server.stderr()).toContain(`postgres.log in ${own}`);
    expect(postmasterPid(own)).toBeUndefined();
  } finally {
    await removeDataDir(own);
  }
});

test.skipIf(!canMount)('a full disk: writes are refused, /health says so, and both mend themselves', async () => {
  const own = temporaryDataDir();
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=400m,mode=755', 'breakwater-test', own]);
  try {
    const server = spawnServer(own, { env: { ...NO_LIMITS, BREAKWATER_LOG_LEVEL: 'error' } });
    const url = await server.ready();
    const { secret } = await onboard(url, 'Writer');
    const checkIn = async (i: number) =>
      (await callTool(url, 'sync_state', { client_session_id: secret, response_text: `${i} `.repeat(4000) })).status;
    expect(await checkIn(0)).toBe(200);
    const health = async () => {
      const response = await fetch(`${url}/health`);
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    expect(await health()).toMatchObject({ status: 200, body: { status: 'ok' } });

    const ballast = join(own, 'ballast');
    spawnSync('dd', ['if=/dev/zero', `of=${ballast}`, 'bs=4096']);
    let i = 1;
    await until(async () => ((await checkIn((i += 1))) === 503 ? true : undefined), 'a write is refused');
    const full = await until(async () => {
      const found = await health();
      return found.body['status'] === 'degraded' ? found : undefined;
    }, '/health tells it');
    expect(full).toMatchObject({ status: 503, body: { writes: 'disk_full' } });
    expect((await fetch(`${url}/health/ready`)).status, 'no work is to be sent here').toBe(503);
    expect((await callTool(url, 'list_tools', {})).status, 'reads are answered').toBe(200);

    rmSync(ballast);
    await until(async () => ((await health()).status === 200 ? true : undefined), '/health is well again');
    expect(await checkIn(i + 1)).toBe(200);
    await server.stop();
  } finally {
    spawnSync('sh', ['-c', `kill -QUIT ${postmasterPid(own) ?? ''} 2>/dev/null; sleep 0.5`]);
    spawnSync('umount', ['-l', own]);
    await removeDataDir(own);
  }
});
