import { join, resolve } from 'node:path';
import type { ConnectionTarget } from '../connect.ts';
import { findBinaries } from './binaries.ts';
import { ensureCluster } from './cluster.ts';
import { chooseHome, folderError, socketFolder } from './folders.ts';
import { isAlive, lockFolder, type LockKind } from './lock.ts';
import { adopt, launch, stopPostmaster } from './postmaster.ts';
import { StartupError } from '../startup-error.ts';
import { ownerOf, serverUser } from './system-user.ts';

/** A PostgreSQL of our own, running. */
export interface EmbeddedServer {
  readonly target: ConnectionTarget & { readonly socketDir: string };
  /** Where its data lies; not where it was asked to be when PostgreSQL's user cannot enter that folder. */
  readonly dataDir: string;
  /** It was already running: an earlier server died without stopping it. */
  readonly adopted: boolean;
  /** Process id of the PostgreSQL that runs now. */
  readonly pid: number;
  /** Whether its PostgreSQL still runs. */
  isRunning(): boolean;
  /**
   * Starts PostgreSQL again after it ended without us, on the same folder and socket; does nothing once `stop` was called.
   * Rejects with a {@link StartupError}.
   */
  revive(): Promise<void>;
  /** Stops PostgreSQL, started or adopted, and gives the data folder free; idempotent. */
  stop(): Promise<void>;
}

export interface EmbeddedOptions {
  dataDir: string;
  /** Settings that override ours. */
  settings?: Readonly<Record<string, string>>;
  /** What the folder is held for; a server when absent. */
  as?: LockKind;
}

/**
 * Starts PostgreSQL on a folder of ours, or adopts the one that still runs there.
 *
 * It listens on a Unix socket in a folder that only its user may enter, and on no network address; whoever may enter
 * needs no password. One server process per folder: the lock is held from here to `stop`, since two that share one
 * PostgreSQL would stop it under each other. Errors are {@link StartupError}s that name the way out (BW-postgres.01, .02).
 *
 * In the folder: `pg` the data, `run` the socket, `postgres.log`, `server.lock`, and `postgres-binaries-<version>` when the
 * installed ones cannot be used where they are.
 */
export const startEmbedded = async (options: EmbeddedOptions): Promise<EmbeddedServer> => {
  // Data that is there already stays there: root must not begin anew elsewhere because its own PostgreSQL could not enter.
  const home = chooseHome(options.dataDir, ownerOf(join(resolve(options.dataDir), 'pg'), serverUser()));
  const data = join(home, 'pg');
  const release = await lock(home, options.as ?? 'server');
  try {
    const user = ownerOf(data, serverUser());
    const binaries = findBinaries(user, home);
    ensureCluster(binaries, data, user);
    const running = await adopt(data);
    const begin = () => launch(binaries, data, socketFolder(home, user), user, options.settings ?? {});
    let server = running ?? (await begin());
    let stopping: Promise<void> | undefined;
    let reviving: Promise<void> = Promise.resolve();
    const end = async () => {
      // What is being started would outlive a stop that did not wait for it.
      await reviving.catch(() => undefined);
      await stopPostmaster(server);
    };
    return {
      target: server.target,
      dataDir: home,
      adopted: running !== undefined,
      get pid() {
        return server.pid;
      },
      isRunning: () => isAlive(server.pid),
      revive: () =>
        (reviving = (async () => {
          if (stopping === undefined) server = (await adopt(data)) ?? (await begin());
        })()),
      stop: () => (stopping ??= end().finally(release)),
    };
  } catch (error) {
    release();
    throw error;
  }
};

const lock = async (home: string, kind: LockKind): Promise<() => void> => {
  try {
    return await lockFolder(join(home, 'server.lock'), kind);
  } catch (error) {
    throw error instanceof StartupError ? error : folderError(home, error);
  }
};
