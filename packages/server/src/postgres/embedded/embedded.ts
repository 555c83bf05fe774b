import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase, SUPERUSER, type ConnectionTarget } from '../connect.ts';
import { StartupError } from '../startup-error.ts';
import { findBinaries, type Binaries } from './binaries.ts';
import { isAlive, lockFolder } from './lock.ts';
import { canReach, serverUser, type SystemUser } from './system-user.ts';

const MAJOR = '18';
const DATABASE = 'breakwater';
const START_LIMIT_MS = 30_000;
/** A socket's path may have 107 bytes; this is what PostgreSQL puts behind the folder. */
const SOCKET_NAME = '/.s.PGSQL.5432';

/** A PostgreSQL of our own, running. */
export interface EmbeddedServer {
  readonly target: ConnectionTarget;
  /** Where its data lies. */
  readonly dataDir: string;
  /** It was already running: an earlier server died without stopping it. */
  readonly adopted: boolean;
  readonly pid: number;
  /** Stops PostgreSQL (fast shutdown) and gives the data folder free. */
  stop(): Promise<void>;
}

export interface EmbeddedOptions {
  dataDir: string;
  /** Settings that override the defaults below. */
  settings?: Readonly<Record<string, string>>;
}

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '',
  shared_buffers: '128MB',
  max_connections: '100',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  max_wal_size: '1GB',
  checkpoint_timeout: '15min',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/**
 * Starts PostgreSQL on a folder of ours, or adopts the one that still runs there.
 *
 * It listens on a Unix socket in a folder that only its user may enter, and on no network address; whoever may enter
 * needs no password. It runs in a process group of its own, so that Ctrl-C in a terminal reaches only our process, which
 * drains first and stops it afterwards. Errors are {@link StartupError}s that name the way out (BW-postgres.01, .02).
 */
export const startEmbedded = async (options: EmbeddedOptions): Promise<EmbeddedServer> => {
  const user = serverUser();
  const home = chooseHome(resolve(options.dataDir), user);
  const data = join(home, 'pg');
  const release = lockFolder(join(home, 'server.lock'));
  try {
    const binaries = findBinaries(user, join(home, 'postgres-binaries'));
    const version = readIfThere(join(data, 'PG_VERSION'))?.trim();
    if (version !== undefined && version !== MAJOR) {
      throw new StartupError(
        `${data} belongs to PostgreSQL ${version}; this server brings ${MAJOR}.`,
        'Dump it with its own version and restore it here, or choose another BREAKWATER_DATA_DIR.',
      );
    }
    const socketDir = makeSocketDir(home, user);
    const target = { socketDir, database: DATABASE };
    const running = runningPostmaster(data);
    if (running !== undefined) {
      await answers(target, () => undefined);
      return serverOf({ target, dataDir: home, adopted: true, pid: running }, release);
    }
    if (version === undefined) initialise(binaries, data, home, user);
    const pid = await launch(binaries, data, socketDir, user, options.settings ?? {}, target, home);
    return serverOf({ target, dataDir: home, adopted: false, pid }, release);
  } catch (error) {
    release();
    throw error;
  }
};

const serverOf = (server: Omit<EmbeddedServer, 'stop'>, release: () => void): EmbeddedServer => {
  let stopping: Promise<void> | undefined;
  const stop = async () => {
    signal(server.pid, 'SIGINT');
    for (let waited = 0; isAlive(server.pid); waited += 20) {
      if (waited === 4_000) signal(server.pid, 'SIGQUIT');
      if (waited > 10_000) break;
      await sleep(20);
    }
    release();
  };
  return { ...server, stop: () => (stopping ??= stop()) };
};

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended already, which is what the signal is for.
  }
};

const readIfThere = (path: string): string | undefined => (existsSync(path) ? readFileSync(path, 'utf8') : undefined);

const CANNOT_WRITE = new Set(['EACCES', 'EROFS', 'EPERM', 'ENOTDIR', 'EEXIST']);

/** Turns what the file system says about a folder into an error with a way out. */
const folderError = (folder: string, error: unknown): StartupError => {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new StartupError(
      `The disk of the data directory ${folder} is full.`,
      'Free some space, or choose another BREAKWATER_DATA_DIR.',
      { cause: error },
    );
  }
  if (CANNOT_WRITE.has(code)) {
    return new StartupError(
      `The data directory ${folder} cannot be written (${code}).`,
      'Make it writable for this user, choose another BREAKWATER_DATA_DIR, or set DATABASE_URL.',
      { cause: error },
    );
  }
  return new StartupError(
    `The data directory ${folder} cannot be used (${code}).`,
    'Choose another BREAKWATER_DATA_DIR.',
    {
      cause: error,
    },
  );
};

/**
 * The folder that holds everything of ours. When root starts the server below a folder that PostgreSQL's user may not
 * enter, such as root's own home, the data goes to /var/lib/breakwater, under a name made of the folder that was asked
 * for; the server says where.
 */
const chooseHome = (asked: string, user: SystemUser | undefined): string => {
  const prepare = (folder: string) => {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o755 });
      const probe = join(folder, `.probe-${process.pid}`);
      writeFileSync(probe, 'x'.repeat(4096));
      rmSync(probe);
    } catch (error) {
      throw folderError(folder, error);
    }
    return folder;
  };
  const home = prepare(asked);
  if (user === undefined || canReach(user, join(realpathSync(home), 'pg'))) return home;
  const name = createHash('sha256').update(asked).digest('hex').slice(0, 12);
  return prepare(join('/var/lib/breakwater', name));
};

const makeSocketDir = (home: string, user: SystemUser | undefined): string => {
  const wanted = join(home, 'run');
  const short = join(tmpdir(), `breakwater-${createHash('sha256').update(home).digest('hex').slice(0, 12)}`);
  const folder = Buffer.byteLength(wanted + SOCKET_NAME) <= 107 ? wanted : short;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (user !== undefined) chownSync(folder, user.uid, user.gid);
  } catch (error) {
    throw folderError(folder, error);
  }
  return folder;
};

/** The process id of a postmaster that runs on this very folder. */
const runningPostmaster = (data: string): number | undefined => {
  const [pidText, folder] = (readIfThere(join(data, 'postmaster.pid')) ?? '').split('\n');
  const pid = Number(pidText);
  if (!Number.isInteger(pid) || pid <= 0 || folder !== data || !isAlive(pid)) return undefined;
  // The id may have been given to another program since; PostgreSQL clears the stale file itself.
  const command = readIfThere(`/proc/${pid}/cmdline`);
  return command === undefined || command.includes('postgres') ? pid : undefined;
};

const asUser = (user: SystemUser | undefined) => (user === undefined ? {} : { uid: user.uid, gid: user.gid });

const initialise = (binaries: Binaries, data: string, home: string, user: SystemUser | undefined): void => {
  try {
    mkdirSync(data, { recursive: true, mode: 0o700 });
    if (user !== undefined) chownSync(data, user.uid, user.gid);
  } catch (error) {
    throw folderError(home, error);
  }
  const result = spawnSync(
    binaries.initdb,
    // prettier-ignore
    ['-D', data, '-U', SUPERUSER, '-E', 'UTF8', '--locale-provider=builtin', '--locale=C.UTF-8', '--auth-local=trust',
      '--auth-host=reject', '--no-instructions'],
    { ...asUser(user), cwd: data, encoding: 'utf8', env: { PATH: process.env['PATH'], LC_ALL: 'C' } },
  );
  if (result.status === 0) return;
  // A half-made cluster would look like a finished one next time.
  rmSync(data, { recursive: true, force: true });
  const said = `${result.stderr}\n${result.stdout}`;
  throw explain(said, home) ?? failed('PostgreSQL could not be initialised', said || String(result.error));
};

const explain = (said: string, home: string): StartupError | undefined => {
  if (/no space left/i.test(said)) return folderError(home, { code: 'ENOSPC' });
  if (/permission denied|read-only file system/i.test(said)) return folderError(home, { code: 'EACCES' });
  return undefined;
};

const failed = (what: string, said: string): StartupError =>
  new StartupError(
    `${what}: ${said.trim().split('\n').slice(-3).join(' | ')}`,
    'The whole log is postgres.log in the data directory; DATABASE_URL uses another PostgreSQL instead.',
  );

const launch = async (
  binaries: Binaries,
  data: string,
  socketDir: string,
  user: SystemUser | undefined,
  overrides: Readonly<Record<string, string>>,
  target: ConnectionTarget,
  home: string,
): Promise<number> => {
  const settings = { ...SETTINGS, ...overrides, unix_socket_directories: socketDir };
  const logPath = join(home, 'postgres.log');
  const log = openSync(logPath, 'w');
  const child = spawn(
    binaries.postgres,
    ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    {
      ...asUser(user),
      cwd: data,
      detached: true,
      stdio: ['ignore', log, log],
      env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    },
  );
  closeSync(log);
  child.unref();
  let problem: string | undefined;
  child.on('error', (error) => (problem = error.message));
  child.on('exit', () => (problem ??= readIfThere(logPath) ?? 'it ended at once'));
  await answers(target, () => {
    if (problem === undefined) return undefined;
    return explain(problem, home) ?? failed('PostgreSQL did not start', problem);
  });
  return child.pid ?? 0;
};

/** Waits until PostgreSQL answers and our database exists; `dead` gives the reason to stop waiting. */
const answers = async (target: ConnectionTarget, dead: () => StartupError | undefined): Promise<void> => {
  if (!('socketDir' in target)) return;
  const admin = openDatabase({ target: { ...target, database: 'postgres' }, poolSize: 1, onError: () => undefined });
  try {
    const limit = Date.now() + START_LIMIT_MS;
    for (;;) {
      const reason = dead();
      if (reason !== undefined) throw reason;
      try {
        const found = await admin.query({
          text: 'SELECT 1 FROM pg_database WHERE datname = $1',
          values: [target.database],
        });
        if (found.length === 0) await admin.query({ text: `CREATE DATABASE ${target.database}` });
        return;
      } catch (error) {
        if (Date.now() > limit) throw failed('PostgreSQL does not answer', String(error));
        await sleep(10);
      }
    }
  } finally {
    await admin.close();
  }
};
