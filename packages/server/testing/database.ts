import { randomUUID } from 'node:crypto';
import { afterAll, inject } from 'vitest';
import { openDatabase, type ConnectionTarget, type Database } from '../src/postgres/index.ts';

export const TEMPLATE = 'breakwater_template';

/** A database of a test file's own. */
export interface TestDatabase {
  readonly database: Database;
  readonly target: ConnectionTarget;
  /** Ends every other connection to it, as a failing network or an operator would. */
  killConnections(): Promise<void>;
  /** Opens another pool on it: a second node. */
  open(): Database;
}

/**
 * Creates a database from the migrated template (`empty`: from nothing) and drops it when the file's tests have ended.
 * Call it at the top of a test file or in a `beforeAll`.
 */
export const testDatabase = async (kind: 'migrated' | 'empty' = 'migrated'): Promise<TestDatabase> => {
  const server = inject('postgres');
  if (!('socketDir' in server)) throw new Error('tests run on the embedded server');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const admin = openDatabase({ target: server, poolSize: 2, onError: () => undefined });
  await admin.query({ text: `CREATE DATABASE ${name} TEMPLATE ${kind === 'migrated' ? TEMPLATE : 'template0'}` });
  const target = { ...server, database: name };
  const pools: Database[] = [];
  const open = () => {
    const pool = openDatabase({ target, onError: () => undefined });
    pools.push(pool);
    return pool;
  };
  const killConnections = async () => {
    await admin.query({
      text: 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1',
      values: [name],
    });
  };
  afterAll(async () => {
    await Promise.all(pools.map((pool) => pool.close()));
    await admin.query({ text: `DROP DATABASE IF EXISTS ${name} WITH (FORCE)` });
    await admin.close();
  });
  return { database: open(), target, killConnections, open };
};
