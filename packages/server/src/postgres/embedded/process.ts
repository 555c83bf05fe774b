import { StartupError } from '../startup-error.ts';
import { folderError } from './folders.ts';
import type { SystemUser } from './system-user.ts';

/** The spawn options that make a child run as `user`. */
export const asUser = (user: SystemUser | undefined): { uid?: number; gid?: number } =>
  user === undefined ? {} : { uid: user.uid, gid: user.gid };

/** Turns what PostgreSQL's programs printed before they failed into an error with a way out. */
export const explainOutput = (what: string, said: string, home: string): StartupError => {
  if (/no space left|quota exceeded/i.test(said)) return folderError(home, { code: 'ENOSPC' });
  if (/permission denied|EACCES/i.test(said)) return folderError(home, { code: 'EACCES' });
  if (/read-only file system/i.test(said)) return folderError(home, { code: 'EROFS' });
  if (/could not create shared memory|could not map anonymous shared memory|Cannot allocate memory/i.test(said)) {
    return new StartupError(`${what}: there is not enough memory.`, 'Free some, or set DATABASE_URL.');
  }
  const [, holder] = /lock file ".*" already exists[^]*?\(PID (\d+)\)/.exec(said) ?? [];
  if (holder !== undefined) {
    return new StartupError(
      `${what}: process ${holder} holds its data or its socket in ${home}.`,
      'Stop that process, or choose another BREAKWATER_DATA_DIR.',
    );
  }
  return new StartupError(
    `${what}: ${said.trim().split('\n').slice(-3).join(' | ')}`,
    `The whole log is postgres.log in ${home}; DATABASE_URL uses another PostgreSQL instead.`,
  );
};
