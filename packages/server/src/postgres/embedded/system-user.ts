import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** The operating-system user that PostgreSQL runs as. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * PostgreSQL refuses to run as root. Root hands it to the user `postgres` if there is one, else to `nobody`; anybody else
 * runs it as themselves (undefined).
 */
export const serverUser = (): SystemUser | undefined => {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const wanted of ['postgres', 'nobody']) {
    const entry = users.find(([name]) => name === wanted);
    if (entry !== undefined) return { uid: Number(entry[2]), gid: Number(entry[3]) };
  }
  return undefined;
};

/**
 * The user for data that exists already: its owner, since PostgreSQL insists on owning its data. So root can take over
 * what an ordinary user began.
 */
export const ownerOf = (data: string, user: SystemUser | undefined): SystemUser | undefined => {
  const found = user === undefined ? undefined : statSync(data, { throwIfNoEntry: false });
  return found === undefined || found.uid === 0 ? user : { uid: found.uid, gid: found.gid };
};

/** Whether `user` may walk down to `path`: every folder above it lets that user through. */
export const canReach = (user: SystemUser, path: string): boolean => {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const { mode, uid, gid } = statSync(folder);
    const shift = uid === user.uid ? 6 : gid === user.gid ? 3 : 0;
    if (((mode >> shift) & 0o1) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
};
