import { createHash } from 'node:crypto';
import { chmodSync, chownSync, lstatSync, mkdirSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { StartupError } from '../startup-error.ts';
import { canReach, type SystemUser } from './system-user.ts';

/** Where root puts the data when PostgreSQL's user cannot enter the folder that was asked for. */
const SHARED_HOME = '/var/lib/breakwater';
/** A socket's path may have 107 bytes; this is what PostgreSQL puts behind the folder. */
const SOCKET_NAME = '/.s.PGSQL.5432';
const MAX_SOCKET_PATH = 107;

const CANNOT_WRITE = new Set(['EACCES', 'EROFS', 'EPERM', 'ENOTDIR', 'EEXIST']);
const FULL = new Set(['ENOSPC', 'EDQUOT']);

/** Turns what the file system says about a folder into an error with a way out. */
export const folderError = (folder: string, error: unknown): StartupError => {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
  if (FULL.has(code)) {
    return new StartupError(
      `The disk of the data directory ${folder} is full.`,
      'Free some space, or choose another BREAKWATER_DATA_DIR.',
      { cause: error },
    );
  }
  return new StartupError(
    `The data directory ${folder} cannot be ${CANNOT_WRITE.has(code) ? 'written' : 'used'} (${code}).`,
    'Make it writable for this user, choose another BREAKWATER_DATA_DIR, or set DATABASE_URL.',
    { cause: error },
  );
};

/**
 * Creates a folder and proves that it can be written. When PostgreSQL runs as somebody else, that user may pass through
 * what was created, whatever the umask.
 */
const prepare = (folder: string, user: SystemUser | undefined): string => {
  try {
    const first = mkdirSync(folder, { recursive: true, mode: 0o755 });
    if (user !== undefined && first !== undefined) {
      for (let made = folder; made.length >= first.length; made = dirname(made)) chmodSync(made, 0o755);
    }
    const probe = join(folder, `.probe-${process.pid}`);
    writeFileSync(probe, Buffer.alloc(4096));
    rmSync(probe);
    return realpathSync(folder);
  } catch (error) {
    throw folderError(folder, error);
  }
};

/** Whether data are in a folder. Data of another user, which this one may not look into, are data, too. */
const hasData = (home: string): boolean => {
  try {
    statSync(join(home, 'pg', 'PG_VERSION'));
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES';
  }
};

/**
 * Where the data of a folder lie, below it or where {@link chooseHome} puts them for root; undefined when there are none
 * yet. Makes nothing.
 */
export const findHome = (asked: string): string | undefined => {
  try {
    const home = realpathSync(resolve(asked));
    return [home, join(SHARED_HOME, shortName(home))].find(hasData);
  } catch {
    return undefined;
  }
};

const shortName = (path: string): string => createHash('sha256').update(path).digest('hex').slice(0, 12);

/**
 * The folder that holds everything of ours, free of links. When root starts the server below a folder that PostgreSQL's
 * user may not enter, such as root's own home, the data goes to /var/lib/breakwater, under a name made of the folder that
 * was asked for; whoever starts it says where.
 */
export const chooseHome = (asked: string, user: SystemUser | undefined): string => {
  const home = prepare(resolve(asked), user);
  if (user === undefined || canReach(user, join(home, 'pg'))) return home;
  return prepare(join(SHARED_HOME, shortName(home)), user);
};

/**
 * A folder that only its owner may enter: whoever can reach the socket in it is let in without a password. One that
 * somebody else made in a shared place beforehand is refused.
 */
const privateFolder = (folder: string, user: SystemUser | undefined): string => {
  const owner = user?.uid ?? process.getuid?.();
  try {
    mkdirSync(folder, { mode: 0o700 });
    if (user !== undefined) chownSync(folder, user.uid, user.gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw folderError(folder, error);
  }
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== owner || (found.mode & 0o077) !== 0) {
    throw new StartupError(
      `The socket directory ${folder} is not private to the user that PostgreSQL runs as.`,
      'Remove it, or choose another BREAKWATER_DATA_DIR.',
    );
  }
  return folder;
};

/** The folder of PostgreSQL's socket: in `home`, or below the system's temporary folder when its path would be too long. */
export const socketFolder = (home: string, user: SystemUser | undefined): string => {
  const wanted = join(home, 'run');
  const fits = Buffer.byteLength(wanted + SOCKET_NAME) <= MAX_SOCKET_PATH;
  return privateFolder(fits ? wanted : join(tmpdir(), `breakwater-${shortName(home)}`), user);
};
