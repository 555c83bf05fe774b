import { userInfo } from 'node:os';
import type { Command } from 'commander';

/** Who runs this command, for records: the name of the OS user, or its number where it has no name. */
export const osUser = (): string => {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
};

/** Who acts, where the database is worked on without a server: nothing proves a name there, so it may be given. */
export interface ActorFlags {
  readonly as?: string | undefined;
}

/** Adds `--as`. Where a server is asked, the credential says who acts, and the option is not there or is refused. */
export const withActor = (command: Command): Command =>
  command.option('--as <name>', 'Who acts, for the record (default: the OS user)');

/** Who acts: the name that `--as` gives, else the OS user. */
export const actorOf = ({ as: name }: ActorFlags): string => {
  const given = name?.trim() ?? '';
  return given === '' ? osUser() : given;
};
