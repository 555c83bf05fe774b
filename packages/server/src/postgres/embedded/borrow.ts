import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../runtime/index.ts';
import { StartupError } from '../startup-error.ts';
import { startEmbedded, type EmbeddedOptions, type EmbeddedServer } from './embedded.ts';
import { findHome } from './folders.ts';
import { FolderHeldError } from './lock.ts';
import { adopt } from './postmaster.ts';

/** The PostgreSQL of a data folder, for one piece of work. */
export interface BorrowedServer {
  readonly target: EmbeddedServer['target'];
  readonly dataDir: string;
  /** The process id of the server whose PostgreSQL it is; undefined when it was started for this work. */
  readonly serverPid: number | undefined;
  /** Ends the use: a PostgreSQL that was started for it is stopped, a server's own goes on. */
  end(): Promise<void>;
}

/** A command was pointed at a folder without data, where it may not begin any; says where it looked. */
export class NoDatabaseError extends StartupError {
  constructor(asked: string) {
    super(
      `There is no database in ${resolve(asked)}.`,
      'Name the data directory of your server with --data-dir or BREAKWATER_DATA_DIR, or its database with DATABASE_URL; ' +
        '"breakwater serve" begins a new one.',
    );
    this.name = 'NoDatabaseError';
  }
}

/** A server that starts or stops, and a command that works, are done within this. */
const WAIT_MS = 15_000;
const POLL_MS = 20;

/**
 * Uses the PostgreSQL of a data folder as a command does: beside the server that runs on the folder, on its PostgreSQL;
 * without one, on a PostgreSQL of its own that ends with the work. Two commands take turns, since the first would stop
 * its PostgreSQL under the second. Rejects with a {@link StartupError}.
 *
 * A folder without data is refused with a {@link NoDatabaseError} unless `mayCreate`: a mistyped one would else give a new,
 * empty database, in which every check succeeds.
 */
export const borrowEmbedded = async (
  options: EmbeddedOptions & { mayCreate?: boolean; waitMs?: number },
): Promise<BorrowedServer> => {
  if (options.mayCreate !== true && findHome(options.dataDir) === undefined) throw new NoDatabaseError(options.dataDir);
  const limit = systemClock.monotonic() + (options.waitMs ?? WAIT_MS);
  for (;;) {
    let held: FolderHeldError;
    try {
      const own = await startEmbedded({ ...options, as: 'command' });
      return { target: own.target, dataDir: own.dataDir, serverPid: undefined, end: () => own.stop() };
    } catch (error) {
      if (!(error instanceof FolderHeldError)) throw error;
      held = error;
    }
    const { folder, holder } = held;
    const running = holder.kind === 'server' ? await adopt(join(folder, 'pg')) : undefined;
    if (running !== undefined) {
      return { target: running.target, dataDir: folder, serverPid: holder.pid, end: () => Promise.resolve() };
    }
    if (systemClock.monotonic() > limit) {
      if (holder.kind === 'command') throw held;
      throw new StartupError(
        `A Breakwater server (process ${holder.pid}) holds ${folder}, but no PostgreSQL runs there.`,
        `Stop that server; postgres.log in ${folder} says what ended its PostgreSQL.`,
      );
    }
    await sleep(POLL_MS);
  }
};
