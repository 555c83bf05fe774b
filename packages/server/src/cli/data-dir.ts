import { existsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { findHome } from '../postgres/index.ts';
import type { Config } from './settings.ts';

const PROJECT_FOLDER = '.breakwater';
/** Where the unit files and the image of deploy/ keep the data of a server that runs as a service. */
const SERVICE_FOLDER = '/var/lib/breakwater';

type Environment = Readonly<Record<string, string | undefined>>;

/** The folder of the user's data, as the system has it: of macOS, Windows, or the XDG base directories. */
const userFolder = (env: Environment, platform: NodeJS.Platform, home: string): string => {
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'breakwater');
  if (platform === 'win32') return join(env['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local'), 'breakwater');
  const named = env['XDG_DATA_HOME'] ?? '';
  // By that specification a relative path counts as none.
  return join(named.startsWith('/') ? named : join(home, '.local', 'share'), 'breakwater');
};

/** A folder that somebody else could have put in our way, as in /tmp, is not taken for the project's. */
const isOurs = (folder: string): boolean => {
  const user = process.getuid?.();
  if (!existsSync(folder) || user === undefined) return existsSync(folder);
  const { uid } = statSync(folder);
  return uid === user || uid === 0 || user === 0;
};

/** `folder` and every folder above it. */
const upwards = (folder: string): readonly string[] =>
  folder === dirname(folder) ? [folder] : [folder, ...upwards(dirname(folder))];

/**
 * The data directory where none is named: the nearest `.breakwater` with a database in it, from the working directory
 * upwards; else the user's data folder, or, where that has no database and the service's has, the service's. So the
 * same data are found from every folder of a project, and a working directory never decides where new ones begin.
 */
export const defaultDataDir = (
  place: { cwd: string; env: Environment; platform: NodeJS.Platform; home: string } = {
    cwd: process.cwd(),
    env: process.env,
    platform: process.platform,
    home: homedir(),
  },
): string => {
  const projects = upwards(resolve(place.cwd)).map((folder) => join(folder, PROJECT_FOLDER));
  const ofUser = userFolder(place.env, place.platform, place.home);
  const found = [...projects.filter(isOurs), ofUser, SERVICE_FOLDER].find((folder) => findHome(folder) !== undefined);
  return found ?? ofUser;
};

/** The data directory of a configuration; see {@link defaultDataDir} where it names none. */
export const dataDirOf = ({ dataDir }: Pick<Config, 'dataDir'>): string => dataDir ?? defaultDataDir();
