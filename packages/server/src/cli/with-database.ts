import { Option, type Command } from 'commander';
import {
  borrowEmbedded,
  classifyError,
  ensurePartitions,
  explainUnreachable,
  migrate,
  openDatabase,
  planMigrations,
  StartupError,
  type Database,
} from '../postgres/index.ts';
import { systemClock } from '../runtime/index.ts';
import { configOf } from './config.ts';
import { dataDirOf } from './data-dir.ts';
import { SETTINGS, type SettingName } from './settings.ts';

/** The settings that a command on the database takes. */
export type DatabaseFlags = Partial<Record<Extract<SettingName, 'dataDir' | 'databaseUrl'>, string>>;

/** Adds the flags that say which database a command works on. */
export const withDatabaseFlags = (command: Command): Command => {
  const { dataDir, databaseUrl } = SETTINGS;
  const add = (flag: string, text: string) => command.addOption(new Option(flag, text));
  add('--data-dir <path>', `${dataDir.description} (${dataDir.env})`);
  return add('--database-url <url>', `${databaseUrl.description} (${databaseUrl.env})`);
};

/** The database that a command works on. */
interface Place {
  /** Process id of the server whose embedded PostgreSQL it is; undefined when none runs, or with DATABASE_URL. */
  readonly serverPid: number | undefined;
  /** PostgreSQL runs for this command only: no server uses it meanwhile. */
  readonly isAlone: boolean;
  /** Where it is, for a person; never the URL, which may hold a password. */
  readonly name: string;
}

/**
 * Opens the database that a server with this configuration uses, for one piece of work. An embedded PostgreSQL that a
 * server runs is worked on beside it and goes on; without one, PostgreSQL is started, and stopped when the work is done.
 * Only work that `mayCreate` begins a database where there is none.
 */
export const withDatabase = async <T>(
  flags: DatabaseFlags,
  work: (database: Database, place: Place) => Promise<T>,
  { mayCreate = false }: { mayCreate?: boolean } = {},
): Promise<T> => {
  const config = configOf(flags, 'command');
  const { databaseUrl } = config;
  const embedded =
    databaseUrl === undefined ? await borrowEmbedded({ dataDir: dataDirOf(config), mayCreate }) : undefined;
  const place: Place = {
    serverPid: embedded?.serverPid,
    isAlone: embedded !== undefined && embedded.serverPid === undefined,
    name: embedded === undefined ? 'the database of DATABASE_URL' : `the embedded PostgreSQL in ${embedded.dataDir}`,
  };
  const database = openDatabase({
    target: embedded?.target ?? { url: databaseUrl ?? '' },
    onError: () => undefined,
  });
  try {
    return await work(database, place);
  } catch (error) {
    throw explained(error, place);
  } finally {
    await database.close();
    await embedded?.end();
  }
};

/** PostgreSQL that went away under the work is a known cause, with a way out. */
const explained = (error: unknown, { serverPid, name }: Place): unknown => {
  if (error instanceof StartupError) return error;
  if (serverPid !== undefined && classifyError(error) === 'connection') {
    return new StartupError(
      `The server (process ${serverPid}) stopped ${name} under this command, which may or may not have done its work.`,
      'Look whether it did, and else run it again.',
      { cause: error },
    );
  }
  return explainUnreachable(error) ?? error;
};

/**
 * {@link withDatabase} for work on the tables of this release. In a PostgreSQL that was started for the work they are
 * made as a server's start would make them; in one that servers may use they are not touched, and must be there.
 */
export const withTables: typeof withDatabase = (flags, work) =>
  withDatabase(flags, async (database, place) => {
    const { steps, current, target } = await planMigrations(database);
    if (steps.length > 0) {
      if (!place.isAlone) {
        throw new StartupError(
          `The schema is at version ${current}; this command needs ${target}.`,
          'Start a server of this release, which migrates it, or run "breakwater db migrate".',
        );
      }
      await migrate(database);
    }
    await ensurePartitions(database, systemClock.now());
    return work(database, place);
  });
