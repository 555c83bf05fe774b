import { readDropped } from '../../channel/index.ts';
import { countOpenWork, readOutbox } from '../../dialectic/index.ts';
import {
  compareShadows,
  compareTables,
  compareWithManifest,
  planMigrations,
  readRetention,
  StartupError,
  type Database,
} from '../../postgres/index.ts';
import { DAY_MS, type Clock } from '../../runtime/index.ts';
import type { DatabaseFacts, TableFacts } from './facts.ts';

const SKEW_LOOKS = 3;

/** The clock of PostgreSQL against ours: of some looks the one with the shortest way, which is the surest. */
const readSkew = async (database: Database, clock: Clock): Promise<DatabaseFacts['skew']> => {
  const looks: DatabaseFacts['skew'][] = [];
  for (let i = 0; i < SKEW_LOOKS; i += 1) {
    const before = clock.now();
    const sent = clock.monotonic();
    const [row] = await database.query<{ ms: number }>({
      text: 'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms',
    });
    const took = clock.monotonic() - sent;
    if (row !== undefined) looks.push({ ms: row.ms - (before + took / 2), uncertainty: took / 2 + 1 });
  }
  return looks.reduce((best, one) => (one.uncertainty < best.uncertainty ? one : best));
};

const readMigrations = async (database: Database): Promise<DatabaseFacts['migrations']> => {
  try {
    const { current, target, steps } = await planMigrations(database);
    return { current, target, pending: steps.map(({ version, name }) => `${version} ${name}`) };
  } catch (error) {
    if (error instanceof StartupError) return { message: error.message, wayOut: error.wayOut };
    throw error;
  }
};

const readTables = async (database: Database, now: number): Promise<TableFacts[]> => {
  const date = new Date(now);
  const start = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  const end = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
  return (await readRetention(database, now)).map(({ table, partitions, ahead, overdue }) => ({
    table,
    thisMonth: partitions.some(({ from, to }) => (from ?? -Infinity) <= start && (to ?? Infinity) >= end),
    nextMonth: ahead > 0,
    overdue: overdue.map(({ name }) => name),
  }));
};

const readDrift = async (database: Database): Promise<DatabaseFacts['drift']> => {
  const { missing, stray } = await compareTables(database);
  const lines = [...(await compareWithManifest(database)), ...(await compareShadows(database))];
  return { lines, missingTables: missing, strayTables: stray };
};

/** Looks at a database and changes nothing. Rejects when PostgreSQL does not answer, or does not answer any more. */
export const lookAtDatabase = async (database: Database, name: string, clock: Clock): Promise<DatabaseFacts> => {
  const [server] = await database.query<{ version: number }>({
    text: `SELECT current_setting('server_version_num')::int AS version`,
  });
  const migrations = await readMigrations(database);
  const facts = { name, version: server?.version ?? 0, migrations, skew: await readSkew(database, clock) };
  // Of another schema than this release's, nothing can be said.
  if (!('pending' in migrations) || migrations.pending.length > 0) {
    return {
      ...facts,
      drift: undefined,
      tables: undefined,
      deadLetters: undefined,
      outbox: undefined,
      dropped: undefined,
    };
  }
  const now = clock.now();
  const drift = await readDrift(database);
  // A table that is gone or changed may be one of those that the rest is read from.
  const unlessDrifted = async <T>(read: Promise<T>): Promise<T | undefined> => {
    if (drift?.lines.length === 0) return read;
    return read.catch(() => undefined);
  };
  return {
    ...facts,
    drift,
    tables: await unlessDrifted(readTables(database, now)),
    deadLetters: await unlessDrifted(countOpenWork(database).then((work) => work.deadLetters)),
    outbox: await unlessDrifted(readOutbox(database)),
    dropped: await unlessDrifted(readDropped(database, { from: now - DAY_MS, to: now })),
  };
};
