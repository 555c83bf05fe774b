import { randomBytes, randomInt } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../runtime/index.ts';
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

/** What a folder is held for: as long as a server runs, or for the moments of a command. */
export type LockKind = 'server' | 'command';

/** The process that holds a folder. */
interface LockHolder {
  readonly pid: number;
  readonly kind: LockKind;
}

/** A living process holds the folder. */
export class FolderHeldError extends StartupError {
  readonly folder: string;
  readonly holder: LockHolder;

  constructor(folder: string, holder: LockHolder) {
    super(
      holder.kind === 'server'
        ? `Another Breakwater server (process ${holder.pid}) uses this data directory.`
        : `A Breakwater command (process ${holder.pid}) works on this data directory.`,
      holder.kind === 'server'
        ? 'Stop it, choose another BREAKWATER_DATA_DIR, or share one PostgreSQL between servers with DATABASE_URL.'
        : 'It takes moments only: try again when it has ended.',
    );
    this.folder = folder;
    this.holder = holder;
  }
}

/** What a lock says; undefined when it has gone. */
const readLock = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};

/** Whether the process that bears this id began at `start`, and still runs. */
const runsSince = (pid: number, start: string | undefined): boolean =>
  Number.isInteger(pid) && pid > 0 && isAlive(pid) && startOf(pid) === start;

/** The process that a lock names, if it still runs and is not another one with its id. */
const livingHolder = (lock: string): LockHolder | undefined => {
  const [pidText, start, kind] = lock.split(' ');
  const pid = Number(pidText);
  return runsSince(pid, start) ? { pid, kind: kind === 'command' ? 'command' : 'server' } : undefined;
};

/**
 * Whether another living process has laid a claim. Claims of dead ones are cleared away: their names are never used
 * again, so that this cannot meet the claim of somebody who came meanwhile.
 */
const isContested = (path: string, own: string): boolean => {
  const folder = dirname(path);
  const prefix = `${basename(path)}.`;
  let contested = false;
  for (const name of readdirSync(folder)) {
    const [pid, start, nonce] = name.startsWith(prefix) ? name.slice(prefix.length).split('.') : [];
    if (nonce === undefined || join(folder, name) === own) continue;
    if (runsSince(Number(pid), start)) contested = true;
    else rmSync(join(folder, name), { force: true });
  }
  return contested;
};

/** How long somebody who takes the folder waits for a command to end, and for others who take it at the same time. */
const WAIT_MS = 5_000;
const MAX_PAUSE_MS = 20;

/**
 * Takes the data folder for this process: two servers that both start and stop one PostgreSQL would stop it under each
 * other. A lock left by a dead process is taken over; one of a command is waited for. Resolves to the release; rejects with
 * a {@link FolderHeldError} that names the process which holds it.
 *
 * Nobody ever removes or replaces the lock at a moment when somebody else might, which a look at the lock alone could not
 * tell. Each process first lays a claim, a file of a name that only it bears, and looks for others afterwards: of two at
 * once at least one sees the other, and whoever does withdraws and tries again. Who sees none is alone until its claim is
 * gone, and makes it the lock, whole, by renaming it.
 */
export const lockFolder = async (path: string, kind: LockKind, waitMs = WAIT_MS): Promise<() => void> => {
  const start = startOf(process.pid);
  const own = `${process.pid} ${start} ${kind}`;
  const limit = systemClock.monotonic() + waitMs;
  for (;;) {
    const isLast = systemClock.monotonic() >= limit;
    const claim = `${path}.${process.pid}.${start}.${randomBytes(4).toString('hex')}`;
    writeFileSync(claim, own, { flag: 'wx' });
    try {
      if (!isContested(path, claim)) {
        const holder = livingHolder(readLock(path) ?? '');
        if (holder === undefined) {
          renameSync(claim, path);
          return () => {
            // While we live nobody else touches a lock of ours.
            if (readLock(path) === own) rmSync(path, { force: true });
          };
        }
        if (isLast || holder.kind === 'server') throw new FolderHeldError(dirname(path), holder);
      } else if (isLast) {
        throw new StartupError('The data directory is being taken by another process.', 'Try again in a moment.');
      }
    } finally {
      rmSync(claim, { force: true });
    }
    await sleep(randomInt(1, MAX_PAUSE_MS));
  }
};
