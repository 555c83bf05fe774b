import { randomUUID } from 'node:crypto';
import { openDatabase } from './connect.ts';
import type { Connection, Database } from './database.ts';
import { sqlState } from './errors.ts';
import { StartupError } from './startup-error.ts';
import { explainUnreachable } from './unreachable.ts';

/** A notification travels in a millisecond; what takes longer than this does not come. */
const HEARD_MS = 2_000;
/** Duplicate, and unknown, prepared statement: a pooler gave the statement to another connection than the one before. */
const LOST_STATEMENT = new Set(['42P05', '26000']);

const POOLED =
  'Set BREAKWATER_DIRECT_URL to the URL of PostgreSQL itself: LISTEN, locks and commits need a session of their own. The ' +
  'rest goes on through the pooler.';

const wrong = (message: string, wayOut: string, cause?: unknown): StartupError =>
  new StartupError(message, wayOut, { cause });

/** Why statements cannot be prepared through this address, or undefined when they can. */
const preparedProblem = async (one: Database, other: Database): Promise<StartupError | undefined> => {
  const statement = { name: `breakwater_start_${randomUUID()}`, text: 'SELECT 1' };
  try {
    // Two clients with one name: behind a pooler that does not know of it, the second meets what the first has prepared.
    for (const client of [one, other, one]) await client.query(statement);
    return undefined;
  } catch (error) {
    if (!LOST_STATEMENT.has(sqlState(error) ?? '')) throw error;
    return wrong(
      'DATABASE_URL leads to a pooler that gives each transaction another connection and forgets prepared statements.',
      'Let it carry them (PgBouncer 1.21 or newer: max_prepared_statements = 200), put it into session mode, or name ' +
        'PostgreSQL itself in DATABASE_URL.',
      error,
    );
  }
};

/** Whether a connection to `direct` hears what is said through `pooled`. */
const hears = async (direct: Database, pooled: Database): Promise<boolean> => {
  const channel = `breakwater_start_${randomUUID().replaceAll('-', '')}`;
  const listener: Connection = await direct.connect();
  try {
    const heard = new Promise<true>((resolve) => listener.onNotification((name) => name === channel && resolve(true)));
    await listener.query({ text: `LISTEN ${channel}` });
    await pooled.query({ text: `NOTIFY ${channel}` });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), HEARD_MS)));
    return await Promise.race([heard, late]).finally(() => clearTimeout(timer));
  } finally {
    await listener.close().catch(() => undefined);
  }
};

/**
 * Finds out at the start what an address does not carry, since a server behind it would else start without a word and fail
 * later (BW-nodes.04): a pooler in transaction mode hears no notification, keeps no lock and loses prepared statements, and
 * may drop the settings of a session. Rejects with a {@link StartupError} that says how to set it up.
 */
export const checkAddress = async (url: string, directUrl: string = url): Promise<void> => {
  const opened: Database[] = [];
  const open = (to: string): Database => {
    const database = openDatabase({
      target: { url: to },
      poolSize: 1,
      onError: () => undefined,
      name: 'breakwater-start',
    });
    opened.push(database);
    return database;
  };
  const [one, other, apart] = [open(url), open(url), open(directUrl)];
  try {
    const [session] = await one.query<{ zone: string }>({ text: `SELECT current_setting('TimeZone') AS zone` });
    if (session?.zone !== 'UTC') {
      throw wrong(
        'DATABASE_URL leads to a pooler that drops the settings with which a session begins (options).',
        'Set the one that matters for the user (ALTER ROLE <user> SET timezone = UTC), or name PostgreSQL itself in ' +
          'DATABASE_URL.',
      );
    }
    const unprepared = await preparedProblem(one, other);
    if (unprepared !== undefined) throw unprepared;
    if (await hears(apart, one)) return;
    throw directUrl === url
      ? wrong('DATABASE_URL leads to a pooler in transaction mode, which hears no notification.', POOLED)
      : wrong(
          'What is said through DATABASE_URL is not heard over BREAKWATER_DIRECT_URL.',
          'Both must lead to one database, and the second to PostgreSQL itself, not to a pooler in transaction mode.',
        );
  } catch (error) {
    throw error instanceof StartupError ? error : (explainUnreachable(error) ?? error);
  } finally {
    await Promise.all(opened.map((database) => database.close().catch(() => undefined)));
  }
};
