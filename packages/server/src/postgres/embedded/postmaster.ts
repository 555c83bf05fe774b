import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../runtime/index.ts';
import { openDatabase, type ConnectionTarget } from '../connect.ts';
import { StartupError } from '../startup-error.ts';
import type { Binaries } from './binaries.ts';
import { folderError } from './folders.ts';
import { isAlive } from './lock.ts';
import { asUser, explainOutput } from './process.ts';
import type { SystemUser } from './system-user.ts';

const DATABASE = 'breakwater';
const START_LIMIT_MS = 30_000;
/** A fast shutdown writes a checkpoint; after this long it is cut short, and the next start recovers from the log. */
const FAST_STOP_MS = 4_000;
const STOP_LIMIT_MS = 10_000;
const POLL_MS = 10;
const SOCKET_FILE = '.s.PGSQL.5432';

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '',
  shared_buffers: '128MB',
  max_connections: '100',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  wal_compression: 'off',
  max_wal_size: '1GB',
  checkpoint_timeout: '15min',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/** A PostgreSQL that runs: its process, and how to reach it. */
interface Postmaster {
  readonly pid: number;
  readonly target: ConnectionTarget & { readonly socketDir: string };
}

const readIfThere = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw folderError(dirname(path), error);
  }
};

const targetIn = (socketDir: string) => ({ socketDir, database: DATABASE });

/**
 * The postmaster that its pid file says runs on this very folder, if there is one: the process exists and is PostgreSQL.
 * PostgreSQL clears a stale file itself.
 */
const namedByPidFile = (data: string): Postmaster | undefined => {
  const [pidText, folder, , , socketDir] = (readIfThere(join(data, 'postmaster.pid')) ?? '').split('\n');
  const pid = Number(pidText);
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid) || !folder || !socketDir) return undefined;
  if (realpathSync(folder) !== data) return undefined;
  // The id may belong to another program by now.
  const command = readIfThere(`/proc/${pid}/cmdline`);
  if (command !== undefined && !command.includes('postgres')) return undefined;
  return { pid, target: targetIn(socketDir) };
};

/** Adopts the postmaster that runs on this folder; undefined when none does, also when it ends while we wait for it. */
export const adopt = async (data: string): Promise<Postmaster | undefined> => {
  const found = namedByPidFile(data);
  if (found === undefined) return undefined;
  return (await answers(found, data, () => !isAlive(found.pid))) ? found : undefined;
};

/** Processes that work in the data folder, as all of a PostgreSQL's do; none where the system has no /proc. */
const workersOf = (data: string): number[] => {
  const entries = existsSync('/proc/self/cwd') ? readdirSync('/proc') : [];
  return entries.map(Number).filter((pid) => {
    try {
      return pid > 0 && readlinkSync(`/proc/${pid}/cwd`) === data;
    } catch {
      // It has ended, or belongs to somebody else and so not to this PostgreSQL.
      return false;
    }
  });
};

/**
 * Clears up after a postmaster that was killed. Its backends end by themselves within moments, and a new one must not
 * start beside them. The pid file of a process that has ended but was never asked for its end (in a container whose first
 * process does not do that) would keep PostgreSQL from starting for ever; any other is left for PostgreSQL to judge.
 */
const clearKilled = async (data: string, socketDir: string): Promise<void> => {
  const locks = [join(data, 'postmaster.pid'), join(socketDir, `${SOCKET_FILE}.lock`)];
  const [pid = 0] = locks.map((path) => Number.parseInt(readIfThere(path) ?? '', 10)).filter((found) => found > 0);
  if (pid !== 0 && isAlive(pid)) return;
  const limit = systemClock.monotonic() + STOP_LIMIT_MS;
  while (workersOf(data).length > 0) {
    if (systemClock.monotonic() > limit) return;
    await sleep(POLL_MS);
  }
  if (existsSync(`/proc/${pid}`)) for (const path of locks) rmSync(path, { force: true });
  // A file that names no process, as a full disk or a power cut leaves it, is one that PostgreSQL waits for in vain.
  if (await isAnswered(join(socketDir, SOCKET_FILE))) return;
  for (const path of locks) if (isUnreadable(readIfThere(path))) rmSync(path, { force: true });
};

/** Whether a file is there and does not begin with the id of a process. */
const isUnreadable = (lock: string | undefined): boolean => lock !== undefined && !(Number.parseInt(lock, 10) > 0);

/** Whether anybody accepts connections on a Unix socket. */
const isAnswered = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });

/**
 * Starts PostgreSQL on the folder and waits until it answers. It runs in a process group of its own, so that Ctrl-C in a
 * terminal reaches only our process, which drains first and stops it afterwards.
 */
export const launch = async (
  binaries: Binaries,
  data: string,
  socketDir: string,
  user: SystemUser | undefined,
  overrides: Readonly<Record<string, string>>,
): Promise<Postmaster> => {
  await clearKilled(data, socketDir);
  const home = dirname(data);
  const settings = { ...SETTINGS, ...overrides, unix_socket_directories: socketDir };
  const logPath = join(home, 'postgres.log');
  const log = openLog(logPath, home);
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
  child.on('error', (error) => (problem = String(error)));
  child.on('exit', () => (problem ??= readIfThere(logPath) ?? ''));
  const started = { pid: child.pid ?? 0, target: targetIn(socketDir) };
  try {
    if (await answers(started, data, () => problem !== undefined)) return started;
  } catch (error) {
    // What is of no use to us must not stay behind and hold the folder.
    await stopPostmaster(started);
    throw error;
  }
  throw explainOutput('PostgreSQL did not start', problem ?? 'it ended at once', home);
};

const openLog = (path: string, home: string): number => {
  try {
    return openSync(path, 'w', 0o600);
  } catch (error) {
    throw folderError(home, error);
  }
};

/**
 * Waits until PostgreSQL answers from our data folder and our database exists; false when `dead` says that it never
 * will.
 */
const answers = async ({ target }: Postmaster, data: string, dead: () => boolean): Promise<boolean> => {
  const admin = openDatabase({ target: { ...target, database: 'postgres' }, poolSize: 1, onError: () => undefined });
  const limit = systemClock.monotonic() + START_LIMIT_MS;
  try {
    while (!dead()) {
      try {
        const [row] = await admin.query<{ folder: string; there: boolean }>({
          text: `SELECT current_setting('data_directory') AS folder,
                   EXISTS (SELECT FROM pg_database WHERE datname = $1) AS there`,
          values: [DATABASE],
        });
        if (row === undefined || realpathSync(row.folder) !== data) {
          throw new StartupError(
            `Another PostgreSQL (of ${row?.folder ?? 'unknown data'}) answers on the socket in ${target.socketDir}.`,
            'Stop it, or choose another BREAKWATER_DATA_DIR.',
          );
        }
        if (!row.there) await admin.query({ text: `CREATE DATABASE ${DATABASE}` });
        return true;
      } catch (error) {
        if (error instanceof StartupError) throw error;
        if (systemClock.monotonic() > limit) {
          throw explainOutput('PostgreSQL does not answer', String(error), dirname(data));
        }
        await sleep(POLL_MS);
      }
    }
    return false;
  } finally {
    await admin.close();
  }
};

/** Stops PostgreSQL: fast shutdown, then an immediate one. Resolves when it has ended. */
export const stopPostmaster = async ({ pid }: Postmaster): Promise<void> => {
  signal(pid, 'SIGINT');
  const started = systemClock.monotonic();
  let cutShort = false;
  while (isAlive(pid)) {
    const waited = systemClock.monotonic() - started;
    if (waited > STOP_LIMIT_MS) return;
    if (waited > FAST_STOP_MS && !cutShort) {
      signal(pid, 'SIGQUIT');
      cutShort = true;
    }
    await sleep(POLL_MS);
  }
};

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended already, which is what the signal is for.
  }
};
