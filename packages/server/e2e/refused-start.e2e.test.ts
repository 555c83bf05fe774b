import { expect, test } from 'vitest';
import { testDatabase } from '../testing/database.ts';
import { runCommand, spawnServer, temporaryDataDir, removeDataDir } from '../testing/server.ts';
import { verifies } from '../testing/verifies.ts';

const urlOf = (target: { readonly socketDir: string; readonly database: string }): string =>
  `postgres://breakwater@localhost/${target.database}?host=${encodeURIComponent(target.socketDir)}`;

const { database, target } = await testDatabase();
if ('url' in target) throw new Error('the tests run on a socket');
const env = { DATABASE_URL: urlOf(target) };
/** Within this time a refused start is over, whatever refused it. */
const ENDS_MS = 5_000;

test('a start on a newer schema is refused, and ends by itself with every connection that it had', async () => {
  verifies('BW-nodes.05');
  const folder = temporaryDataDir();
  const first = spawnServer(folder, { env });
  await first.ready();
  expect((await first.stop()).code).toBe(0);
  await database.query({
    text: `INSERT INTO breakwater.schema_migrations (version, name, checksum) VALUES (9999, 'later', 'x')`,
  });
  const started = performance.now();
  const refused = await runCommand(['serve', '--port', '0', '--data-dir', folder], { env });
  expect(performance.now() - started).toBeLessThan(ENDS_MS);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('migration 9999 (later)');
  const sessions = await database.query({
    text: `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'breakwater %'`,
  });
  expect(sessions, 'no connection of it is left').toEqual([]);
  await removeDataDir(folder);
});
