import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { StartupError } from '../startup-error.ts';

/** Fields of a process as the kernel shows them, from its state on; undefined without such a process, or without /proc. */
const statOf = (pid: number): readonly string[] | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
};

/** When a process began, in clock ticks since boot: a reused process id has another. */
const startOf = (pid: number): string => statOf(pid)?.[19] ?? '';

/** Whether a process with this id runs. One that has ended but whose parent has not asked for its end does not. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return statOf(pid)?.[0] !== 'Z';
};

const isCode = (error: unknown, code: string): boolean => (error as NodeJS.ErrnoException).code === code;

/** What a lock says; undefined when it has gone. */
const readLock = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
};

/** The process that a lock names, if it still runs and is not another one with its id. */
const livingOwner = (lock: string): number | undefined => {
  const [pidText, start] = lock.split(' ');
  const pid = Number(pidText);
  return Number.isInteger(pid) && pid > 0 && isAlive(pid) && startOf(pid) === start ? pid : undefined;
};

/**
 * Removes the lock of a dead process. It is moved aside first: of two servers that find it, only one moves it, and the
 * other must not remove the lock that the first one takes next.
 */
const clearDead = (path: string, found: string): void => {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return;
    throw error;
  }
  try {
    // Not the lock that was looked at: it is put back, unless its place is taken.
    if (readLock(aside) !== found) linkSync(aside, path);
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
  } finally {
    rmSync(aside, { force: true });
  }
};

/**
 * Takes the data folder for this process: two servers that both start and stop one PostgreSQL would stop it under each
 * other. A lock left by a dead process is taken over. Returns the release. Throws a {@link StartupError} that names the
 * process which holds it.
 */
export const lockFolder = (path: string): (() => void) => {
  const own = `${process.pid} ${startOf(process.pid)}`;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      writeFileSync(path, own, { flag: 'wx' });
      return () => {
        if (readLock(path) === own) rmSync(path, { force: true });
      };
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error;
    }
    const found = readLock(path);
    if (found === undefined) continue;
    const pid = livingOwner(found);
    if (pid !== undefined) {
      throw new StartupError(
        `Another Breakwater server (process ${pid}) uses this data directory.`,
        'Stop it, choose another BREAKWATER_DATA_DIR, or share one PostgreSQL between servers with DATABASE_URL.',
      );
    }
    clearDead(path, found);
  }
  throw new StartupError('The data directory is being taken by another server.', 'Try again in a moment.');
};
