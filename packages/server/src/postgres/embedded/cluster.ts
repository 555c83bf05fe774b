import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SUPERUSER } from '../connect.ts';
import { StartupError } from '../startup-error.ts';
import type { Binaries } from './binaries.ts';
import { folderError } from './folders.ts';
import { asUser, explainOutput } from './process.ts';
import type { SystemUser } from './system-user.ts';

const MAJOR = '18';
const HALF_MADE = 'pg.new';

/** Whether the data folder holds a cluster of our version; throws a {@link StartupError} when it holds anything else. */
const hasCluster = (data: string): boolean => {
  if (!existsSync(data)) return false;
  let version: string;
  try {
    version = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw folderError(data, error);
    if (readdirSync(data).length === 0) return false;
    throw new StartupError(
      `${data} holds files, but no PostgreSQL data.`,
      'Move them away, or choose another BREAKWATER_DATA_DIR.',
    );
  }
  if (version === MAJOR) return true;
  throw new StartupError(
    `${data} belongs to PostgreSQL ${version}; this server brings ${MAJOR}.`,
    'Dump it with its own version and restore it here, or choose another BREAKWATER_DATA_DIR.',
  );
};

/**
 * Makes the cluster on the first start. It is made under another name and renamed when it is whole, so that an interrupted
 * start never leaves half a cluster, and clearing that away never touches data.
 */
export const ensureCluster = (binaries: Binaries, data: string, user: SystemUser | undefined): void => {
  if (hasCluster(data)) return;
  const home = dirname(data);
  const making = join(home, HALF_MADE);
  try {
    rmSync(making, { recursive: true, force: true });
    mkdirSync(making, { mode: 0o700 });
    if (user !== undefined) chownSync(making, user.uid, user.gid);
  } catch (error) {
    throw folderError(home, error);
  }
  const result = spawnSync(
    binaries.initdb,
    // prettier-ignore
    ['-D', making, '-U', SUPERUSER, '-E', 'UTF8', '--locale-provider=builtin', '--locale=C.UTF-8', '--auth-local=trust',
      '--auth-host=reject', '--no-instructions'],
    { ...asUser(user), cwd: making, encoding: 'utf8', env: { PATH: process.env['PATH'], LC_ALL: 'C' } },
  );
  if (result.status === 0) {
    renameSync(making, data);
    return;
  }
  rmSync(making, { recursive: true, force: true });
  const said = result.error === undefined ? `${result.stdout}\n${result.stderr}` : String(result.error);
  throw explainOutput('PostgreSQL could not be initialised', said, home);
};
