import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { privatePostgres } from '../../testing/private-postgres.ts';
import { testDatabase } from '../../testing/database.ts';
import { verifies } from '../../testing/verifies.ts';
import { openDatabase } from './connect.ts';
import { migrate } from './migrate.ts';

/** Where a URL of a test leads. */
const urlOf = (target: object, database: string, user = 'breakwater', rest = '') =>
  `postgres://${user}:s3cret@/${database}?host=${encodeURIComponent((target as { socketDir: string }).socketDir)}${rest}`;

describe('a wrong DATABASE_URL', async () => {
  const { target, database } = await testDatabase({ empty: true });
  const name = (target as { database: string }).database;

  const problemOf = async (url: string) => {
    const reached = openDatabase({ target: { url }, onError: () => undefined });
    try {
      await migrate(reached);
    } catch (error) {
      return error as { name: string; message: string; wayOut: string };
    } finally {
      await reached.close();
    }
    throw new Error('it was accepted');
  };

  it.each([
    ['is no URL', 'localhost:5432/x', 'is not the URL of a PostgreSQL database'],
    ['is of another kind', 'mysql://localhost/x', 'is not the URL of a PostgreSQL database'],
    ['names a host that does not exist', 'postgres://u:s3cret@no-such-host.invalid/x', 'does not answer'],
    ['names a port where nobody listens', 'postgres://u:s3cret@127.0.0.1:1/x', 'at 127.0.0.1:1 does not answer'],
    ['names a database that does not exist', urlOf(target, 'no_such_database'), 'does not exist'],
    ['names a user that does not exist', urlOf(target, name, 'nobody'), 'refuses the user'],
  ])('that %s gets one clear error with the way out', async (_, url, message) => {
    verifies('BW-postgres.02');
    const problem = await problemOf(url);
    expect(problem.name).toBe('StartupError');
    expect(problem.message).toContain(message);
    expect(problem.wayOut.length).toBeGreaterThan(20);
    expect(problem.message + problem.wayOut).not.toContain('s3cret');
  });

  it('that leads to something else than PostgreSQL is told in time', async () => {
    verifies('BW-postgres.02');
    const other = createServer((socket) => socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => new Promise<void>((resolve) => other.close(() => resolve())));
    const { port } = other.address() as AddressInfo;
    const problem = await problemOf(`postgres://u:s3cret@127.0.0.1:${port}/x`);
    expect(problem.name).toBe('StartupError');
  });

  it('whose user may not create schemas is told how to allow it', async () => {
    verifies('BW-postgres.02');
    await database.query({ text: 'CREATE ROLE guest LOGIN' });
    onTestFinished(async () => {
      await database.query({ text: 'DROP ROLE guest' });
    });
    const problem = await problemOf(urlOf(target, name, 'guest'));
    expect(problem.message).toContain('may not create schemas');
    expect(problem.wayOut).toContain('GRANT CREATE ON DATABASE');
  });

  it('keeps its own options beside ours', async () => {
    const reached = openDatabase({
      target: {
        url: urlOf(
          target,
          name,
          'breakwater',
          `&options=${encodeURIComponent('-c work_mem=5MB -c timezone=Asia/Tokyo')}`,
        ),
      },
      onError: () => undefined,
    });
    onTestFinished(() => reached.close());
    expect(
      await reached.query({
        text: `SELECT current_setting('work_mem') AS memory, current_setting('timezone') AS zone`,
      }),
    ).toEqual([{ memory: '5MB', zone: 'UTC' }]);
  });
});

describe('a pool', () => {
  it('outlives a restart of PostgreSQL, and its idle connections do not end the process', async () => {
    const postgres = privatePostgres();
    await postgres.start();
    const database = postgres.open();
    await Promise.all(Array.from({ length: 5 }, () => database.query({ text: 'SELECT 1' })));
    await postgres.stop();
    await expect(database.query({ text: 'SELECT 1' })).rejects.toBeDefined();
    await postgres.start();
    expect(await database.query({ text: 'SELECT 1 AS one' })).toEqual([{ one: 1 }]);
  });
});
