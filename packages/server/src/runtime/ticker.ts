import type { Clock, Timer } from './clock.ts';

/** A job that runs again and again. */
export interface Job {
  readonly name: string;
  readonly everyMs: number;
  /** Runs on one node of the cluster at a time; the others skip their turn (BW-runtime.08). */
  readonly singleton: boolean;
  run(): Promise<void>;
}

/** Takes the cluster-wide lock of a name without waiting; undefined when another node holds it. */
export type TryLock = (name: string) => Promise<(() => Promise<void>) | undefined>;

/**
 * Runs jobs at their interval, never two runs of one job at once. A singleton job tries its lock at every turn, so that
 * it moves within one interval when the node that ran it dies. A failing job is reported and tried again at its next
 * turn.
 */
export class Ticker {
  readonly #clock: Clock;
  readonly #tryLock: TryLock;
  readonly #onError: (job: string, error: unknown) => void;
  readonly #timers = new Map<string, Timer>();
  readonly #running = new Set<Promise<void>>();
  #stopped = false;

  constructor(options: { clock: Clock; tryLock: TryLock; onError: (job: string, error: unknown) => void }) {
    this.#clock = options.clock;
    this.#tryLock = options.tryLock;
    this.#onError = options.onError;
  }

  /** Schedules a job; its first run comes after one interval. */
  add(job: Job): void {
    if (this.#timers.has(job.name)) throw new Error(`Ticker: job "${job.name}" exists`);
    this.#schedule(job);
  }

  /** Cancels what waits and resolves when what runs has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers.values()) timer.cancel();
    await Promise.all(this.#running);
  }

  #schedule(job: Job): void {
    if (this.#stopped) return;
    this.#timers.set(
      job.name,
      this.#clock.after(job.everyMs, () => {
        const turn = this.#turn(job).finally(() => {
          this.#running.delete(turn);
          this.#schedule(job);
        });
        this.#running.add(turn);
      }),
    );
  }

  async #turn(job: Job): Promise<void> {
    try {
      if (job.singleton) await this.#runAlone(job);
      else await job.run();
    } catch (error) {
      this.#onError(job.name, error);
    }
  }

  async #runAlone(job: Job): Promise<void> {
    const release = await this.#tryLock(job.name);
    if (release === undefined) return;
    try {
      if (!this.#stopped) await job.run();
    } finally {
      await release();
    }
  }
}
