import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, inject, type RunnerTestSuite } from 'vitest';
import { ensurePartitions, openDatabase, type ConnectionTarget, type Database } from '../src/postgres/index.ts';
import { guardedPool } from './pool-guard.ts';

/** Databases to copy from: migrated and without partitions, and with those that a server makes when it starts today. */
export const TEMPLATES = { bare: 'breakwater_bare', today: 'breakwater_today' } as const;

/** A database of a test file's own. */
interface TestDatabase {
  readonly database: Database;
  readonly target: ConnectionTarget;
  /** Ends every connection to it, as a failing network or an operator would, and waits until their pools have been told. */
  killConnections(): Promise<void>;
  /** Opens another pool on it: a second node, or one with a different time limit. */
  open(options?: { statementTimeoutMs?: number; poolSize?: number }): Database;
}

const hasFailed = (task: RunnerTestSuite['tasks'][number]): boolean =>
  task.result?.state === 'fail' || ('tasks' in task && task.tasks.some(hasFailed));

interface TestDatabaseOptions {
  /** Nothing in it, not even our schemas. */
  readonly empty?: boolean;
  /**
   * The times of the test's own clock, ms: it has partitions for their months and the next three, and for no others. So a
   * test that names its days sees the same on every day that it runs. Without it, the test lives by the system's clock, and
   * has what a server makes that starts today.
   */
  readonly at?: number | readonly number[];
}

/**
 * Creates a database, migrated unless it shall be empty, and drops it when the file's tests have ended,
 * unless one of them failed: then it stays, and the run says where. Call it at the top of a test file or of a `describe`; from
 * within a hook the runner would not hear of the drop.
 */
export const testDatabase = async ({ empty = false, at }: TestDatabaseOptions = {}): Promise<TestDatabase> => {
  const server = inject('postgres');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const admin = openDatabase({ target: server, poolSize: 2, onError: () => undefined });
  const template = empty ? 'template0' : at === undefined ? TEMPLATES.today : TEMPLATES.bare;
  await admin.query({ text: `CREATE DATABASE ${name} TEMPLATE ${template}` });
  const target = { ...server, database: name };
  const pools: Database[] = [];
  const open: TestDatabase['open'] = (options) => {
    const pool = guardedPool(openDatabase({ ...options, target, onError: () => undefined }));
    pools.push(pool);
    return pool;
  };
  const killConnections = async () => {
    await admin.query({
      // With a time it waits for their end: what this process is told of it comes before the answer.
      text: 'SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1',
      values: [name],
    });
    await nextTurn();
  };
  // The runner reads the first parameter's pattern to learn which fixtures it needs.
  // eslint-disable-next-line no-empty-pattern
  afterAll(async ({}, suite) => {
    await Promise.all(pools.map((pool) => pool.close()));
    if (!hasFailed(suite)) await admin.query({ text: `DROP DATABASE IF EXISTS ${name} WITH (FORCE)` });
    await admin.close();
  });
  const database = open();
  for (const time of at === undefined ? [] : [at].flat()) await ensurePartitions(database, time);
  return { database, target, killConnections, open };
};
