import pg from 'pg';
import type { Connection, Database, Queryable, Statement } from './database.ts';
import { classifyError } from './errors.ts';
import { StartupError } from './startup-error.ts';
import { Watchdog } from './watchdog.ts';

/** Where PostgreSQL is: a URL, or the embedded server's socket. */
export type ConnectionTarget = { readonly url: string } | { readonly socketDir: string; readonly database: string };

export const SUPERUSER = 'breakwater';

const INT8 = 20;
const TIMESTAMPTZ = 1184;

/** The driver's own parsers; its types know them by an enumeration that lacks most oids. */
const driverParser = pg.types.getTypeParser as (oid: number, format?: 'text' | 'binary') => (value: string) => unknown;

/**
 * Counters arrive as numbers (they stay far below 2^53) and times as milliseconds since the epoch, UTC; everything else
 * as the driver has it.
 */
const types: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (format !== 'binary') {
      if (oid === INT8) return Number;
      if (oid === TIMESTAMPTZ) return (text: string) => new Date(text).getTime();
    }
    return driverParser(oid, format);
  },
};

const STATEMENT_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 5_000;

const SETTINGS = (statementTimeoutMs: number) =>
  // UTC whatever the server's default is: month partitions and stored times must not move with a setting.
  `-c timezone=UTC -c jit=off -c statement_timeout=${statementTimeoutMs}`;

/** Where a URL leads, with the parts that a client needs; what it says in `options` comes first, ours after it. */
const urlConfig = (text: string, settings: string): pg.ClientConfig => {
  // A URL without a host, whose socket is named by ?host=, is good for PostgreSQL and not for the URL standard.
  const whole = text.replace('@/', '@localhost/');
  const url = URL.canParse(whole) ? new URL(whole) : undefined;
  if (url === undefined || !['postgres:', 'postgresql:'].includes(url.protocol)) {
    throw new StartupError(
      'DATABASE_URL is not the URL of a PostgreSQL database.',
      'Write it as postgres://user:password@host:5432/database, or unset it to use the embedded PostgreSQL.',
    );
  }
  // The driver lets the URL's own `options` replace ours, so both go into the URL.
  url.searchParams.set('options', [url.searchParams.get('options'), settings].filter(Boolean).join(' '));
  return { connectionString: url.href };
};

/**
 * Everything that the driver would else take from the environment (PGSSLMODE, PGREPLICATION and the like), stated: those
 * variables lead to some other database of the user's, and would keep us from our own. The driver reads an empty value as
 * none given, so that each has one.
 */
const EMBEDDED = {
  port: 5432,
  user: SUPERUSER,
  // Asked for only by a server that wants a password; ours does not.
  password: () => '',
  ssl: false,
  sslnegotiation: 'postgres',
  client_encoding: 'UTF8',
  replication: 'off',
} as const;

const clientConfig = (target: ConnectionTarget, statementTimeoutMs: number, name: string): pg.ClientConfig => ({
  ...('url' in target
    ? urlConfig(target.url, SETTINGS(statementTimeoutMs))
    : {
        ...EMBEDDED,
        host: target.socketDir,
        database: target.database,
        options: SETTINGS(statementTimeoutMs),
      }),
  application_name: name,
  connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  keepAlive: true,
  types,
});

/** Every connection of a pool was lent out for longer than somebody would wait for one. */
export class PoolExhaustedError extends Error {
  /** Connections of the pool, those of them that nobody uses now, and who else waits. */
  readonly pool: { readonly size: number; readonly idle: number; readonly waiting: number };
  readonly timeoutMs = CONNECT_TIMEOUT_MS;

  constructor(pool: PoolExhaustedError['pool'], cause: Error) {
    super(cause.message, { cause });
    this.name = 'PoolExhaustedError';
    this.pool = pool;
  }
}

/** The driver tells this case from a server that does not answer by its words alone. */
const explained = (error: unknown, { totalCount, idleCount, waitingCount }: pg.Pool): unknown =>
  error instanceof Error && error.message === 'timeout exceeded when trying to connect'
    ? new PoolExhaustedError({ size: totalCount, idle: idleCount, waiting: waitingCount }, error)
    : error;

const send = async <R>(client: pg.ClientBase, statement: Statement): Promise<R[]> => {
  const result: pg.QueryResult | pg.QueryResult[] = await client.query(statement as pg.QueryConfig);
  // A text of several statements, as in a migration, gives several results and no rows of interest.
  return Array.isArray(result) ? [] : (result.rows as R[]);
};

/**
 * Commits, and makes sure that PostgreSQL did: in a transaction that an error has spoilt, COMMIT rolls back and reports
 * success, which would acknowledge writes that are gone.
 */
const commit = async (client: pg.PoolClient): Promise<void> => {
  const { command } = await client.query('COMMIT');
  if (command !== 'COMMIT') throw new Error('The transaction was rolled back: a statement in it had failed.');
};

/**
 * Opens PostgreSQL. Nothing connects before the first query. `onError` hears of connections lost while idle; without a
 * listener on pool and clients such a loss would end the process.
 */
export const openDatabase = (options: {
  /** A function when the target is known only later, but before the first query. */
  target: ConnectionTarget | (() => ConnectionTarget);
  /**
   * Where connections of their own lead ({@link Database.connect}), when `target` is a pooler that keeps no session: LISTEN,
   * locks and the commit lane need one.
   */
  direct?: ConnectionTarget | undefined;
  poolSize?: number;
  /** How long a statement may run before PostgreSQL cancels it; 0 is for ever. Migrations are exempt. */
  statementTimeoutMs?: number;
  onError: (error: Error) => void;
  /** Hears how each statement failed that did; its caller gets the error all the same. */
  onFailedStatement?: (error: unknown) => void;
  /** The name under which PostgreSQL shows the connections. */
  name?: string;
}): Database => {
  const { target } = options;
  const configOf = (to: ConnectionTarget): pg.ClientConfig =>
    clientConfig(to, options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS, options.name ?? 'breakwater');
  const config = () => configOf(typeof target === 'function' ? target() : target);
  const ownConfig = () => (options.direct === undefined ? config() : configOf(options.direct));
  const openPool = () => {
    const opened = new pg.Pool({ ...config(), max: options.poolSize ?? 10, idleTimeoutMillis: 30_000 });
    opened.on('error', options.onError);
    // While a client is lent out its user hears of the loss from the next query; without a listener it would end the process.
    opened.on('connect', (client) => client.on('error', () => undefined));
    return opened;
  };
  const heard = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      options.onFailedStatement?.(error);
      throw error;
    }
  };
  let pool: pg.Pool | undefined;
  const connections = (): pg.Pool => (pool ??= openPool());
  const watchdog = new Watchdog(config);
  const run = <R>(client: pg.ClientBase, statement: Statement): Promise<R[]> =>
    watchdog.during(client, () => send<R>(client, statement));
  const borrow = (): Promise<pg.PoolClient> => {
    const lender = connections();
    return lender.connect().catch((error: unknown) => {
      throw explained(error, lender);
    });
  };

  return {
    async query<R>(statement: Statement) {
      const client = await borrow();
      let broken: Error | undefined;
      try {
        return await heard(run<R>(client, statement));
      } catch (error) {
        if (classifyError(error) === 'connection') broken = error as Error;
        throw error;
      } finally {
        client.release(broken);
      }
    },
    async transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
      const client = await borrow();
      let broken: Error | undefined;
      try {
        await run(client, { text: 'BEGIN' });
        const value = await work({ query: (statement) => heard(run(client, statement)) });
        await heard(watchdog.during(client, () => commit(client)));
        return value;
      } catch (error) {
        try {
          await run(client, { text: 'ROLLBACK' });
        } catch (lost) {
          broken = lost as Error;
        }
        throw error;
      } finally {
        client.release(broken);
      }
    },
    async connect(): Promise<Connection> {
      const client = new pg.Client(ownConfig());
      client.on('error', options.onError);
      await client.connect();
      const listeners = new Set<(channel: string, payload: string) => void>();
      const closers = new Set<() => void>();
      client.on('notification', ({ channel, payload }) => {
        for (const listener of listeners) listener(channel, payload ?? '');
      });
      client.on('end', () => {
        for (const closed of closers) closed();
      });
      return {
        query: (statement) => heard(run(client, statement)),
        close: () => client.end(),
        onNotification: (listener) => void listeners.add(listener),
        onClosed: (listener) => void closers.add(listener),
      };
    },
    close: async () => {
      await pool?.end();
      watchdog.stop();
    },
  };
};
