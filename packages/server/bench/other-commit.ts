import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Where `npm ci` lays packages, and what it builds. */
const INSTALLED = ['node_modules', 'packages/server/node_modules', 'packages/console/dist', 'packages/sdk/dist'];

/** Another commit of this repository, checked out beside this one. */
export interface OtherCommit {
  /** Its short hash. */
  readonly name: string;
  /** Its command line. */
  readonly cli: string;
  remove(): void;
}

/**
 * Checks `ref` out into `folder` and links the installed packages of this checkout into it; links of workspaces lead into the
 * other checkout then. Throws when git does not know `ref`, or when the two commits want different packages: then each must
 * be installed by itself.
 */
export const checkOut = (ref: string, folder: string): OtherCommit => {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  const name = git('rev-parse', '--short', '--verify', `${ref}^{commit}`);
  git('worktree', 'add', '--quiet', '--detach', folder, name);
  for (const path of INSTALLED) {
    // Hard links: a copy of the packages would take longer than the comparison.
    if (existsSync(join(ROOT, path))) execFileSync('cp', ['-al', join(ROOT, path), join(folder, path)]);
  }
  return {
    name,
    cli: join(folder, 'packages/server/src/cli/main.ts'),
    remove: () => void git('worktree', 'remove', '--force', folder),
  };
};
