import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { Database, Queryable } from './database.ts';
import { sqlState } from './errors.ts';
import { StartupError } from './startup-error.ts';
import { explainUnreachable } from './unreachable.ts';

/** One migration: SQL up and down, and the checksum of both. */
interface Migration {
  readonly version: number;
  readonly name: string;
  readonly up: string;
  readonly down: string;
  readonly checksum: string;
}

interface AppliedRow {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
}

/**
 * Recorded in a schema of its own, so that a migration that drops `core` does not drop the record of itself.
 * core.schema_migrations of an adopted database stays the reference's.
 */
const HISTORY = 'breakwater.schema_migrations';
/** Two nodes that start at once must not both migrate. */
const LOCK = 7_204_117_001;

/** The migrations of this code, in order. */
export const migrations = (): readonly Migration[] => {
  const folder = new URL('./migrations/', import.meta.url);
  return readdirSync(folder)
    .filter((file) => file.endsWith('.up.sql'))
    .sort()
    .map((file) => {
      const [, version, name] = /^(\d+)_(.+)\.up\.sql$/.exec(file) ?? [];
      if (version === undefined || name === undefined) throw new Error(`Misnamed migration ${file}`);
      const up = readFileSync(new URL(file, folder), 'utf8');
      const down = readFileSync(new URL(`${version}_${name}.down.sql`, folder), 'utf8');
      const checksum = createHash('sha256').update(up).update('\0').update(down).digest('hex');
      return { version: Number(version), name, up, down, checksum };
    });
};

/** What {@link migrate} would do. */
export interface MigrationPlan {
  readonly current: number;
  readonly target: number;
  readonly steps: readonly { readonly direction: 'up' | 'down'; readonly version: number; readonly name: string }[];
}

/** The SQLSTATE of a table or schema that is not there. */
const NOT_THERE = new Set(['42P01', '3F000']);
const OLDEST_SERVER = 150_000;

/** What a database without our history is, all of one moment. */
interface Stranger {
  readonly version: number;
  /** A schema of ours that somebody else made. */
  readonly taken: string | null;
  /** Another node has made the history since we asked for it. */
  readonly migrated: boolean;
}

/**
 * Reads which migrations were applied, with one query in the usual case. Refuses with a {@link StartupError} a server that
 * cannot be reached or is too old, and a database that holds somebody else's tables under our names.
 */
const applied = async (db: Queryable): Promise<AppliedRow[]> => {
  try {
    return await db.query<AppliedRow>({ text: `SELECT version, name, checksum FROM ${HISTORY} ORDER BY version` });
  } catch (error) {
    if (!NOT_THERE.has(sqlState(error) ?? '')) throw explainUnreachable(error) ?? error;
  }
  // One statement, and so one snapshot: of two, another node's first migration could commit in between, and its tables
  // would look like a stranger's.
  const [found] = await db.query<Stranger>({
    text: `SELECT current_setting('server_version_num')::int AS version,
             (SELECT min(nspname::text) FROM pg_namespace WHERE nspname IN ('core', 'audit')) AS taken,
             EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                     WHERE n.nspname = 'breakwater' AND c.relname = 'schema_migrations') AS migrated`,
  });
  if (found?.migrated === true) return applied(db);
  if (found !== undefined && found.version < OLDEST_SERVER) {
    throw new StartupError(
      `DATABASE_URL leads to PostgreSQL ${Math.floor(found.version / 10_000)}; Breakwater needs 15 or newer.`,
      'Use a newer server, or unset DATABASE_URL to use the embedded PostgreSQL.',
    );
  }
  if (found?.taken != null) {
    throw new StartupError(
      `The database has a schema "${found.taken}" that Breakwater did not make.`,
      'Use an empty database, or another one, in DATABASE_URL.',
    );
  }
  return [];
};

const check = (done: readonly AppliedRow[], known: readonly Migration[]): void => {
  for (const row of done) {
    const migration = known.find(({ version }) => version === row.version);
    if (migration === undefined) {
      throw new StartupError(
        `The database has migration ${row.version} (${row.name}), which this server does not know.`,
        'A newer server made it: upgrade this one, or use another database.',
      );
    }
    if (migration.checksum !== row.checksum) {
      throw new StartupError(
        `Migration ${row.version} (${row.name}) was applied with other contents than this server has.`,
        'Use the release that applied it; an applied migration must never be edited.',
      );
    }
  }
};

const plan = (done: readonly AppliedRow[], known: readonly Migration[], to: number): MigrationPlan => {
  const current = done.at(-1)?.version ?? 0;
  const have = new Set(done.map((row) => row.version));
  const step = (direction: 'up' | 'down') => (migration: Migration) => ({
    direction,
    version: migration.version,
    name: migration.name,
  });
  return {
    current,
    target: to,
    steps: [
      ...known
        .filter(({ version }) => version > to && have.has(version))
        .reverse()
        .map(step('down')),
      ...known.filter(({ version }) => version <= to && !have.has(version)).map(step('up')),
    ],
  };
};

/** The steps that lead to version `to` (default: the newest; 0: none), without taking them. */
export const planMigrations = async (db: Database, to?: number): Promise<MigrationPlan> => {
  const known = migrations();
  const newest = known.at(-1)?.version ?? 0;
  if (to !== undefined && to !== 0 && !known.some(({ version }) => version === to)) {
    throw new StartupError(`There is no migration ${to}.`, `Choose a version from 0 to ${newest}.`);
  }
  const done = await applied(db);
  check(done, known);
  return plan(done, known, to ?? newest);
};

/** Refuses what cannot be written, whether or not it has our schema: everything after would fail, and say less. */
const refuseReadOnly = async (db: Queryable): Promise<void> => {
  const [found] = await db
    .query<{ standby: boolean; read_only: boolean }>({
      text: `SELECT pg_is_in_recovery() AS standby, current_setting('transaction_read_only')::bool AS read_only`,
    })
    .catch((error: unknown) => {
      throw explainUnreachable(error) ?? error;
    });
  if (found?.standby === true) {
    throw new StartupError(
      'DATABASE_URL leads to a standby, which cannot be written.',
      'Point it at the primary, or at an address that follows the primary.',
    );
  }
  if (found?.read_only === true) {
    throw new StartupError(
      'Transactions are read-only for this user or database.',
      'Take default_transaction_read_only back: ALTER DATABASE … RESET default_transaction_read_only, or ALTER ROLE ….',
    );
  }
};

/**
 * Brings the schema to version `to` (default: the newest), each migration in a transaction of its own. Refuses with a
 * {@link StartupError} a newer schema, a foreign one, and one whose applied files were changed (W3-3.18), and a server that
 * cannot be written.
 */
export const migrate = async (db: Database, to?: number): Promise<MigrationPlan> => {
  await refuseReadOnly(db);
  const planned = await planMigrations(db, to);
  if (planned.steps.length === 0) return planned;
  const known = new Map(migrations().map((migration) => [migration.version, migration]));
  for (const { direction, version } of planned.steps) {
    const migration = known.get(version);
    if (migration !== undefined) await db.transaction((tx) => takeStep(tx, direction, migration));
  }
  return planned;
};

const takeStep = async (tx: Queryable, direction: 'up' | 'down', migration: Migration): Promise<void> => {
  const { version, name, checksum } = migration;
  try {
    // Waiting for another node's migration, and rewriting a large table, may take longer than any other statement.
    await tx.query({ text: 'SET LOCAL statement_timeout = 0' });
    await tx.query({ text: 'SELECT pg_advisory_xact_lock($1)', values: [LOCK] });
    // A backend that waited for an advisory lock has not heard of what was committed meanwhile, and would make a schema that it
    // remembers to be absent; reading any table makes it listen.
    await tx.query({ text: 'SELECT FROM pg_catalog.pg_namespace LIMIT 1' });
    await tx.query({ text: 'CREATE SCHEMA IF NOT EXISTS breakwater' });
    await tx.query({
      text: `CREATE TABLE IF NOT EXISTS ${HISTORY} (version int PRIMARY KEY, name text NOT NULL,
             applied_at timestamptz NOT NULL DEFAULT now(), checksum text NOT NULL)`,
    });
    const there = await tx.query({ text: `SELECT 1 FROM ${HISTORY} WHERE version = $1`, values: [version] });
    // Another node may have taken this step while we waited for the lock.
    if (there.length > 0 === (direction === 'up')) return;
    await tx.query({ text: migration[direction] });
    await tx.query(
      direction === 'up'
        ? {
            text: `INSERT INTO ${HISTORY} (version, name, checksum) VALUES ($1, $2, $3)`,
            values: [version, name, checksum],
          }
        : { text: `DELETE FROM ${HISTORY} WHERE version = $1`, values: [version] },
    );
  } catch (error) {
    if (sqlState(error) !== '42501') throw error;
    throw new StartupError(
      'The user in DATABASE_URL may not create schemas in this database.',
      'Grant it: GRANT CREATE ON DATABASE <database> TO <user>; or make that user the owner of the database.',
      { cause: error },
    );
  }
};
