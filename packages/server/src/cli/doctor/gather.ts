import { VERSION } from '@breakwater/contract';
import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findHome, StartupError } from '../../postgres/index.ts';
import type { Clock } from '../../runtime/index.ts';
import { assertSafeBinding } from '../../serve/index.ts';
import { dataDirOf } from '../data-dir.ts';
import { UsageError } from '../fail.ts';
import { serverPlace, type ServerPlace } from '../server-url.ts';
import { readConfig, type Config } from '../settings.ts';
import { withDatabase, type DatabaseFlags } from '../with-database.ts';
import type { DataDirFacts, DiskFacts, Facts, Problem } from './facts.ts';
import { lookAtDatabase } from './look-at-database.ts';
import { lookAtServer } from './look-at-server.ts';

/** What `breakwater doctor` may be told. */
export type DoctorFlags = DatabaseFlags & { readonly server?: string };

const CONSOLE = fileURLToPath(new URL('../../../../console/dist', import.meta.url));

/** The path itself, or the nearest folder above it that exists. */
const standing = (path: string): string => {
  let found = resolve(path);
  while (!existsSync(found) && found !== dirname(found)) found = dirname(found);
  return found;
};

const mayWrite = (path: string): boolean => {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
};

/** What the system says about the folder of an embedded PostgreSQL. */
export const lookAtDataDir = (asked: string): DataDirFacts => {
  const home = findHome(asked);
  return {
    asked: resolve(asked),
    home,
    isWritable: mayWrite(home ?? standing(asked)),
    owner: home === undefined ? undefined : statSync(join(home, 'pg')).uid,
    user: process.getuid?.(),
  };
};

/** Free and total bytes of the file system of a path, as a program without special rights may use them. */
export const lookAtDisk = (path: string): DiskFacts | undefined => {
  const place = standing(path);
  try {
    const { bavail, blocks, bsize } = statfsSync(place);
    return { path: place, free: bavail * bsize, total: blocks * bsize };
  } catch {
    return undefined;
  }
};

const problemOf = (error: unknown): Problem => {
  if (error instanceof StartupError) return { message: error.message, wayOut: error.wayOut };
  return {
    message: `The database could not be looked at: ${error instanceof Error ? error.message : String(error)}.`,
    wayOut: 'Mend what PostgreSQL says, and look again.',
  };
};

const lookInside = async (
  flags: DoctorFlags,
  clock: Clock,
): Promise<{ database: Facts['database']; holder: number | undefined }> => {
  let holder: number | undefined;
  try {
    const database = await withDatabase(flags, (opened, place) => {
      holder = place.serverPid;
      return lookAtDatabase(opened, place.name, clock);
    });
    return { database, holder };
  } catch (error) {
    return { database: { unreachable: problemOf(error) }, holder };
  }
};

const quoted = (text: string): string => (/^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

const placeText = ({ dataDir, databaseUrl }: DoctorFlags): string =>
  (dataDir === undefined ? '' : ` --data-dir ${quoted(dataDir)}`) +
  // The URL may hold a password; whoever gave it has it.
  (databaseUrl === undefined ? '' : ' --database-url <the same URL>');

/** Everything that is wrong with the configuration, and the configuration where nothing is. */
const readAll = (
  env: Readonly<Record<string, string | undefined>>,
  flags: DoctorFlags,
): { problems: string[] } | { config: Config; server: ServerPlace } => {
  const { server, ...settings } = flags;
  const read = readConfig(env, settings, 'command');
  if (!read.ok) return { problems: read.refusal.message.split('\n') };
  const safe = assertSafeBinding(read.value.host, read.value.tokens);
  if (!safe.ok) return { problems: [`${safe.refusal.message} ${safe.refusal.recovery?.action ?? ''}`.trim()] };
  try {
    return { config: read.value, server: serverPlace(server, read.value, env) };
  } catch (error) {
    if (error instanceof UsageError) return { problems: [error.message] };
    throw error;
  }
};

/** Looks at this machine, the database and the server, and changes nothing; says on `progress` what it looks at. */
export const gather = async (
  flags: DoctorFlags,
  env: Readonly<Record<string, string | undefined>>,
  clock: Clock,
  progress: (what: string) => void,
): Promise<Facts> => {
  const read = readAll(env, flags);
  const base = { version: VERSION, node: process.version, place: placeText(flags) };
  if ('problems' in read) {
    return {
      ...base,
      now: clock.now(),
      configuration: read.problems,
      dataDir: undefined,
      disk: undefined,
      database: undefined,
      server: undefined,
      console: { folder: CONSOLE, isBuilt: existsSync(join(CONSOLE, 'index.html')) },
    };
  }
  const { config, server } = read;
  const isElsewhere = !server.isHere && config.databaseUrl === undefined && flags.dataDir === undefined;
  const isEmbedded = !isElsewhere && config.databaseUrl === undefined;
  const dataDir = isEmbedded ? lookAtDataDir(dataDirOf(config)) : undefined;
  progress(`the server at ${server.url}`);
  const found = await lookAtServer(server.url);
  progress('the database');
  const { database, holder } = isElsewhere
    ? { database: 'elsewhere' as const, holder: undefined }
    : isEmbedded && dataDir?.home === undefined
      ? { database: 'none' as const, holder: undefined }
      : await lookInside(flags, clock);
  return {
    ...base,
    now: clock.now(),
    configuration: [],
    dataDir,
    disk: dataDir === undefined ? undefined : lookAtDisk(dataDir.home ?? dataDir.asked),
    database,
    server: { url: server.url, isAsked: server.isAsked, holder, found },
    console: server.isHere ? { folder: CONSOLE, isBuilt: existsSync(join(CONSOLE, 'index.html')) } : undefined,
  };
};
