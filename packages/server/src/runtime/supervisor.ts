import type { Clock, Timer } from './clock.ts';

/** A long-lived part of the process. Both calls are idempotent; `stop` drains. */
export interface Part {
  readonly name: string;
  /** Its stop is waited for however long it takes: what it holds would outlive the process. */
  readonly essential?: boolean;
  start?(): Promise<void> | void;
  stop?(): Promise<void> | void;
}

/** A part that is still stopping gets this long after the time of all parts is used up, ms. */
const LAST_MS = 100;

/**
 * Starts parts in order and stops them in reverse. A part that fails to start stops those before it, and its error
 * reaches the caller; a part that fails to stop is reported and does not keep the others from stopping. One part is started
 * at a time; a stop that comes meanwhile waits for that part and stops it too.
 *
 * All stops together get `stopMs`: a part that waits for a network that swallows its packets is reported and left behind, and
 * the next one is stopped (BW-nodes.05).
 */
export class Supervisor {
  readonly #started: Part[] = [];
  readonly #options: { clock: Clock; stopMs: number; onError: (part: string, error: unknown) => void };
  /** The part that is starting now; settles without an error. */
  #starting: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;

  constructor(options: { clock: Clock; stopMs: number; onError: (part: string, error: unknown) => void }) {
    this.#options = options;
  }

  async start(part: Part): Promise<void> {
    this.#refuseWhileStopping(part);
    const started = (async () => part.start?.())();
    this.#starting = started.then(
      () => void this.#started.push(part),
      () => undefined,
    );
    try {
      await started;
    } catch (error) {
      await this.stop();
      throw error;
    }
    await this.#starting;
    this.#refuseWhileStopping(part);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  #refuseWhileStopping(part: Part): void {
    if (this.#stopping !== undefined) throw new Error(`Cannot start ${part.name}: the process is stopping`);
  }

  async #stopAll(): Promise<void> {
    const { clock, stopMs, onError } = this.#options;
    const end = clock.monotonic() + stopMs;
    const left = () => Math.max(LAST_MS, end - clock.monotonic());
    // A part that is half started when the signal comes would otherwise outlive the process's end; one that never gets
    // started must not keep those before it from stopping.
    await this.#within(left(), 'the part that was starting', this.#starting);
    for (let part = this.#started.pop(); part !== undefined; part = this.#started.pop()) {
      try {
        const stopped = Promise.resolve(part.stop?.());
        await (part.essential === true ? stopped : this.#within(left(), part.name, stopped));
      } catch (error) {
        onError(part.name, error);
      }
    }
  }

  /** Waits for `work`, and no longer than `ms`: then it is reported, and goes on by itself. */
  async #within(ms: number, name: string, work: Promise<void>): Promise<void> {
    const { clock, onError } = this.#options;
    let timer: Timer | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = clock.after(ms, () => {
        onError(name, new Error(`did not stop within ${Math.round(ms)} ms`));
        // Its failure, when it comes at last, has been told already.
        work.catch(() => undefined);
        resolve();
      });
    });
    try {
      await Promise.race([work, limit]);
    } finally {
      timer?.cancel();
    }
  }
}
