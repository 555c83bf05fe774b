import { spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openDatabase } from '../src/postgres/index.ts';
import { callTool, onboard } from '../testing/rest.ts';
import { NO_LIMITS, postmasterPid, removeDataDir, spawnServer, temporaryDataDir, until } from '../testing/server.ts';
import { verifies } from '../testing/verifies.ts';

const folder = temporaryDataDir();
afterAll(() => removeDataDir(folder));

/** The command and user of a process, to start it again as it was. */
const recipe = (pid: number) => {
  const [command = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  const { uid, gid } = statSync(`/proc/${pid}`);
  return { command, args, uid, gid };
};

test('PostgreSQL killed and started again under load: refusals in between, service after, nothing lost', async () => {
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
  const { command, args, uid, gid } = recipe(old);
  process.kill(old, 'SIGQUIT');
  await until(() => (postmasterPid(folder) === undefined && refused > 20 ? true : undefined), 'calls are refused');
  expect((await fetch(`${url}/health/live`)).status).toBe(200);

  spawn(command, args, { uid, gid, cwd: join(folder, 'pg'), detached: true, stdio: 'ignore' }).unref();
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
  const gaps = await database.query({
    text: `SELECT agent_id FROM core.identities i JOIN core.agent_state s USING (identity_id)
           GROUP BY agent_id, i.update_count
           HAVING count(*) <> i.update_count OR max(update_index) <> count(*) OR min(update_index) <> 1`,
  });
  expect(gaps, 'update numbers are 1..n').toEqual([]);
  await database.close();
  await server.stop();
});
