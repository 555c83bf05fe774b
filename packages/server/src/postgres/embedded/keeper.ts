import type { Clock } from '../../runtime/index.ts';
import { StartupError } from '../startup-error.ts';
import type { EmbeddedServer } from './embedded.ts';

/** Waits before the first restart and each one after it, while PostgreSQL keeps ending. */
const DELAYS_MS = [0, 1_000, 2_000, 4_000, 8_000] as const;
/** An end that is longer ago than this says nothing about the next one. */
const FORGET_MS = 600_000;

/**
 * How long to wait before PostgreSQL is started again, after it ended, or could not be started, at these times; undefined
 * when it has ended too often for another start to help.
 */
export const restartDelay = (ends: readonly number[], now: number): number | undefined => {
  const recent = ends.filter((at) => now - at < FORGET_MS).length;
  return recent === 0 ? 0 : DELAYS_MS[recent - 1];
};

/** What the keeper says: PostgreSQL ended and is started again, it runs again, or it was given up. */
export type KeeperNews =
  | { readonly what: 'ended'; readonly restart: number; readonly delayMs: number }
  | { readonly what: 'restarted'; readonly restart: number }
  | { readonly what: 'given_up'; readonly restart: number };

/**
 * Starts the embedded PostgreSQL again when it ends without us (the kernel's memory killer, a crash), waiting longer each
 * time; given up after five ends within ten minutes, with an error that says so, since a server that restarts a broken
 * PostgreSQL for ever hides what broke it.
 */
export class EmbeddedKeeper {
  readonly #server: Pick<EmbeddedServer, 'isRunning' | 'revive' | 'dataDir'>;
  readonly #clock: Pick<Clock, 'monotonic' | 'after'>;
  readonly #onNews: (news: KeeperNews) => void;
  readonly #onGiveUp: (error: StartupError) => void;
  readonly #ends: number[] = [];
  #isOver = false;

  constructor(options: {
    server: Pick<EmbeddedServer, 'isRunning' | 'revive' | 'dataDir'>;
    clock: Pick<Clock, 'monotonic' | 'after'>;
    onNews: (news: KeeperNews) => void;
    onGiveUp: (error: StartupError) => void;
  }) {
    this.#server = options.server;
    this.#clock = options.clock;
    this.#onNews = options.onNews;
    this.#onGiveUp = options.onGiveUp;
  }

  /** Looks whether PostgreSQL runs, and brings it back when it does not. Resolves when it runs, is given up, or `stopping`. */
  async look(stopping?: AbortSignal): Promise<void> {
    let problem: unknown;
    const isStopped = () => stopping?.aborted === true;
    while (!this.#isOver && !isStopped() && !this.#server.isRunning()) {
      const now = this.#clock.monotonic();
      this.#ends.push(now);
      const restart = this.#ends.length;
      const delayMs = restartDelay(this.#ends, now);
      if (delayMs === undefined) {
        this.#isOver = true;
        this.#onNews({ what: 'given_up', restart });
        this.#onGiveUp(givenUp(this.#server.dataDir, problem));
        return;
      }
      this.#onNews({ what: 'ended', restart, delayMs });
      await this.#pause(delayMs, stopping);
      if (isStopped()) return;
      try {
        await this.#server.revive();
        this.#onNews({ what: 'restarted', restart });
      } catch (error) {
        problem = error;
      }
    }
  }

  #pause(ms: number, stopping: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.after(ms, resolve);
      const stop = () => {
        timer.cancel();
        resolve();
      };
      stopping?.addEventListener('abort', stop, { once: true });
    });
  }
}

const givenUp = (dataDir: string, problem: unknown): StartupError =>
  new StartupError(
    `The embedded PostgreSQL ended ${DELAYS_MS.length + 1} times within ${FORGET_MS / 60_000} minutes and was given up` +
      (problem instanceof StartupError ? `: ${problem.message}` : '.'),
    `postgres.log in ${dataDir} says why it ended; "breakwater doctor" looks at disk and data. Start the server again when it is mended.`,
    { cause: problem },
  );
