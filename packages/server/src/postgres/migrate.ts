import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { Database, Queryable } from './database.ts';
import { StartupError } from './startup-error.ts';

/** One migration: SQL up and down, and the checksum of both. */
export interface Migration {
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

const applied = async (db: Queryable): Promise<AppliedRow[]> => {
  // One query for the usual case: the table is there.
  const rows = await db.query<{ history: string | null; core: boolean }>({
    text: `SELECT to_regclass('${HISTORY}')::text AS history, to_regnamespace('core') IS NOT NULL AS core`,
  });
  if (rows[0]?.history == null) {
    if (rows[0]?.core === true) {
      throw new StartupError(
        'The database has a schema "core" that Breakwater did not make.',
        'Use an empty database, or another one, in DATABASE_URL.',
      );
    }
    return [];
  }
  return db.query<AppliedRow>({ text: `SELECT version, name, checksum FROM ${HISTORY} ORDER BY version` });
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

/** The steps that lead to version `to` (default: the newest), without taking them. */
export const planMigrations = async (db: Database, to?: number): Promise<MigrationPlan> => {
  const known = migrations();
  const done = await applied(db);
  check(done, known);
  return plan(done, known, to ?? known.at(-1)?.version ?? 0);
};

/**
 * Brings the schema to version `to` (default: the newest), each migration in a transaction of its own. Refuses with a
 * {@link StartupError} a newer schema, a foreign one, and one whose applied files were changed (W3-3.18).
 */
export const migrate = async (db: Database, to?: number): Promise<MigrationPlan> => {
  const planned = await planMigrations(db, to);
  const known = migrations();
  for (const { direction, version } of planned.steps) {
    const migration = known.find((candidate) => candidate.version === version);
    if (migration === undefined) continue;
    await db.transaction(async (tx) => {
      await tx.query({ text: 'SELECT pg_advisory_xact_lock($1)', values: [LOCK] });
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
              values: [version, migration.name, migration.checksum],
            }
          : { text: `DELETE FROM ${HISTORY} WHERE version = $1`, values: [version] },
      );
    });
  }
  return planned;
};
