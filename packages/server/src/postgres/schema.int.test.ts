import { describe, expect, it } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { verifies } from '../../testing/verifies.ts';
import { onPrimary } from './primary.ts';
import type { Queryable } from './database.ts';

/** Columns that hold any JSON value by design: the value of a flag is a word, a number or a truth value. */
const ANY_JSON = new Set([
  'core.feature_flags.value',
  'core.feature_flag_history.old_value',
  'core.feature_flag_history.new_value',
]);

interface JsonColumn {
  readonly table: string;
  readonly column: string;
  readonly checks: readonly string[];
}

/** Columns that hold a list, and nothing but one. */
const LISTS = new Set([
  'core.dialectic_messages.concerns',
  'core.dialectic_messages.proposed_conditions',
  'core.identities.conditions',
]);

describe('the schema', async () => {
  const { database, open } = await testDatabase();

  it('takes nothing but an object in a JSONB object column, nor but a list in one of lists, whoever writes', async () => {
    verifies('BW-postgres.07');
    const columns = await database.query<JsonColumn>({
      text: `SELECT n.nspname || '.' || c.relname AS table, a.attname AS column,
               coalesce((SELECT json_agg(pg_get_expr(k.conbin, k.conrelid)) FROM pg_constraint k
                 WHERE k.conrelid = c.oid AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum]), '[]') AS checks
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             WHERE n.nspname IN ('core', 'audit', 'coordination') AND c.relkind IN ('r', 'p') AND a.atttypid = 'jsonb'::regtype
             ORDER BY 1, 2`,
    });
    const objects = columns.filter(({ table, column }) => !ANY_JSON.has(`${table}.${column}`));
    expect(objects.length).toBeGreaterThan(10);
    for (const { table, column, checks } of objects) {
      // Each check is judged by PostgreSQL on values that are not objects; the doubly encoded string is the usual accident.
      const other = LISTS.has(`${table}.${column}`) ? '{"a":1}' : '[1]';
      for (const value of ['"{\\"a\\":1}"', other, '1', 'true', 'null', '"x"']) {
        const [verdict] = await database.query<{ passes: boolean }>({
          text: `SELECT ${checks.length === 0 ? 'true' : checks.map((check) => `(${check}) IS NOT FALSE`).join(' AND ')} AS passes
                 FROM (SELECT $1::jsonb AS "${column}") AS row`,
          values: [value],
        });
        expect({ where: `${table}.${column}`, value, passes: verdict?.passes }).toEqual({
          where: `${table}.${column}`,
          value,
          passes: false,
        });
      }
    }
  });

  it('has no column for a time without its zone', async () => {
    verifies('BW-postgres.07');
    const zoneless = await database.query({
      text: `SELECT table_schema, table_name, column_name FROM information_schema.columns
             WHERE table_schema IN ('core', 'audit', 'coordination') AND data_type IN ('timestamp without time zone', 'date', 'time without time zone')`,
    });
    expect(zoneless).toEqual([]);
  });

  it('is written and read in UTC, whatever the default of server and database', async () => {
    verifies('BW-postgres.07');
    const [name] = await database.query<{ name: string }>({ text: 'SELECT current_database() AS name' });
    await database.query({ text: `ALTER DATABASE ${name?.name ?? ''} SET timezone = 'America/New_York'` });
    const later = open();
    const [row] = await later.query<{ zone: string; at: number; text: string }>({
      text: `SELECT current_setting('timezone') AS zone, '2026-01-01 00:00:00'::timestamptz AS at,
               '2026-01-01 00:00:00'::timestamptz::text AS text`,
    });
    expect(row).toEqual({ zone: 'UTC', at: Date.UTC(2026, 0, 1), text: '2026-01-01 00:00:00+00' });
  });

  it('gives counters as numbers and times as milliseconds', async () => {
    const [row] = await database.query<Record<string, unknown>>({
      text: `SELECT 9007199254740991::int8 AS counter, '2026-03-01T12:00:00.123Z'::timestamptz AS at,
               1.10::numeric AS exact, '{"a": 1}'::jsonb AS object, NULL::timestamptz AS never`,
    });
    expect(row).toEqual({
      counter: Number.MAX_SAFE_INTEGER,
      at: Date.UTC(2026, 2, 1, 12, 0, 0, 123),
      exact: '1.10',
      object: { a: 1 },
      never: null,
    });
  });
});

describe('a transaction', async () => {
  const { database } = await testDatabase();

  it('that an error has spoilt never counts as committed, even when the error was swallowed', async () => {
    const swallowing = database.transaction(async (tx) => {
      await tx.query({ text: `INSERT INTO core.threads (thread_id) VALUES ('lost')` });
      await tx.query({ text: 'SELECT 1 / 0' }).catch(() => undefined);
      return 'done';
    });
    await expect(swallowing).rejects.toThrow('rolled back');
    expect(await database.query({ text: `SELECT 1 FROM core.threads WHERE thread_id = 'lost'` })).toEqual([]);
  });

  it('leaves no trace when its work throws, and the connection is good for the next', async () => {
    await expect(
      database.transaction(async (tx) => {
        await tx.query({ text: `INSERT INTO core.threads (thread_id) VALUES ('x')` });
        throw new Error('changed my mind');
      }),
    ).rejects.toThrow('changed my mind');
    expect(await database.query({ text: 'SELECT 1 FROM core.threads' })).toEqual([]);
  });
});

describe('onPrimary', async () => {
  const { database } = await testDatabase();

  it('accepts the primary', async () => {
    verifies('BW-postgres.08');
    const outcome = await database.transaction((tx) => onPrimary(tx));
    expect(outcome.ok).toBe(true);
  });

  it('refuses a connection that says it is in recovery, and one that says nothing', async () => {
    verifies('BW-postgres.08');
    const answering = (rows: unknown[]): Queryable => ({ query: async <R>() => rows as R[] });
    for (const rows of [[{ recovering: true }], []]) {
      const outcome = await onPrimary(answering(rows));
      expect(outcome.ok ? 'accepted' : outcome.refusal.code).toBe('STORAGE_UNAVAILABLE');
    }
  });
});
