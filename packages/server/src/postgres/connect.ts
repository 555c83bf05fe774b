import pg from 'pg';
import type { Connection, Database, Queryable, Statement } from './database.ts';

/** Where PostgreSQL is: a URL, or the embedded server's socket. */
export type ConnectionTarget = { readonly url: string } | { readonly socketDir: string; readonly database: string };

export const SUPERUSER = 'breakwater';

const INT8 = 20;
const TIMESTAMPTZ = 1184;

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
    return pg.types.getTypeParser(oid, format as 'text') as (value: string) => unknown;
  },
};

const clientConfig = (target: ConnectionTarget): pg.ClientConfig => ({
  ...('url' in target
    ? { connectionString: target.url }
    : { host: target.socketDir, port: 5432, user: SUPERUSER, database: target.database }),
  application_name: 'breakwater',
  connectionTimeoutMillis: 5_000,
  // UTC whatever the server's default is: month partitions and stored times must not move with a setting.
  options: '-c timezone=UTC -c jit=off',
  types,
});

const run = async <R>(client: Pick<pg.ClientBase, 'query'>, statement: Statement): Promise<R[]> => {
  const result = await client.query(statement as pg.QueryConfig);
  return result.rows as R[];
};

/**
 * Opens PostgreSQL. Nothing connects before the first query. `onError` hears of connections lost while idle; without a
 * listener on pool and clients such a loss would end the process.
 */
export const openDatabase = (options: {
  /** A function when the target is known only later, but before the first query. */
  target: ConnectionTarget | (() => ConnectionTarget);
  poolSize?: number;
  onError: (error: Error) => void;
}): Database => {
  const config = () => clientConfig(typeof options.target === 'function' ? options.target() : options.target);
  const openPool = () => {
    const opened = new pg.Pool({ ...config(), max: options.poolSize ?? 10, idleTimeoutMillis: 30_000 });
    opened.on('error', options.onError);
    opened.on('connect', (client) => client.on('error', options.onError));
    return opened;
  };
  let pool: pg.Pool | undefined;
  const connections = (): pg.Pool => (pool ??= openPool());

  return {
    query: async (statement) => run(connections(), statement),
    async transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
      const client = await connections().connect();
      let broken: Error | undefined;
      try {
        await client.query('BEGIN');
        const value = await work({ query: (statement) => run(client, statement) });
        await client.query('COMMIT');
        return value;
      } catch (error) {
        try {
          await client.query('ROLLBACK');
        } catch (lost) {
          broken = lost as Error;
        }
        throw error;
      } finally {
        client.release(broken);
      }
    },
    async connect(): Promise<Connection> {
      const client = new pg.Client(config());
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
        query: (statement) => run(client, statement),
        close: () => client.end(),
        onNotification: (listener) => void listeners.add(listener),
        onClosed: (listener) => void closers.add(listener),
      };
    },
    close: async () => pool?.end(),
  };
};
