import { userInfo } from 'node:os';

/** Who runs this command, for records: the name of the OS user, or its number where it has no name. */
export const osUser = (): string => {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
};
