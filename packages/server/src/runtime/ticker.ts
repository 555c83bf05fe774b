import type { Clock, Timer } from './clock.ts';

/** A job that runs again and again. */
export interface Job {
  readonly name: string;
  readonly everyMs: number;
  /**
   * Its turns come at whole multiples of `everyMs` since the epoch plus this much: with a day and two hours, at 02:00 UTC. An
   * instant that passes while no server runs brings no turn; whoever must not miss one asks at its start what is due.
   */
  readonly atUtcMs?: number;
  /** How long after {@link Ticker.start} the first turn comes; an interval when not given. */
  readonly firstMs?: number;
  /** Runs on one node of the cluster at a time; the others skip their turn (BW-runtime.08). */
  readonly singleton: boolean;
  /** `stopping` is aborted when the ticker stops: long work ends at its next good place. */
  run(stopping?: AbortSignal): Promise<void>;
}

/** A timer counts the time that the machine runs, not the time of day: it is asked for no longer than this at once. */
const LONGEST_WAIT_MS = 600_000;

/** When the turn after `now` comes; ms since the epoch, UTC. */
const turnAfter = ({ everyMs, atUtcMs }: Job, now: number): number =>
  atUtcMs === undefined ? now + everyMs : (Math.floor((now - atUtcMs) / everyMs) + 1) * everyMs + atUtcMs;

/** Takes the cluster-wide lock of a name without waiting; undefined when another node holds it. */
export type TryLock = (name: string) => Promise<(() => Promise<void>) | undefined>;

/**
 * Runs jobs at their interval or their time of day, never two runs of one job at once. A singleton job tries its lock at every turn, so that
 * it moves within one interval when the node that ran it dies. A failing job is reported and tried again at its next
 * turn.
 */
export class Ticker {
  readonly #clock: Clock;
  readonly #tryLock: TryLock;
  readonly #onError: (job: string, error: unknown) => void;
  readonly #jobs = new Map<string, Job>();
  readonly #timers = new Map<string, Timer>();
  readonly #running = new Set<Promise<void>>();
  readonly #stopping = new AbortController();

  constructor(options: { clock: Clock; tryLock: TryLock; onError: (job: string, error: unknown) => void }) {
    this.#clock = options.clock;
    this.#tryLock = options.tryLock;
    this.#onError = options.onError;
  }

  /** Takes a job; its turns come once the ticker is started. Throws when another job has its name. */
  add(job: Job): void {
    if (this.#jobs.has(job.name)) throw new Error(`Ticker: job "${job.name}" exists`);
    this.#jobs.set(job.name, job);
  }

  /**
   * Schedules every job. Called once, when what the jobs work on is there: a job that ran before the schema was accepted
   * would work on one that this server refuses.
   */
  start(): void {
    const now = this.#clock.now();
    for (const job of this.#jobs.values()) {
      this.#schedule(job, job.firstMs === undefined ? turnAfter(job, now) : now + job.firstMs);
    }
  }

  /** Cancels what waits, tells what runs, and resolves when that has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const timer of this.#timers.values()) timer.cancel();
    await Promise.all(this.#running);
  }

  #schedule(job: Job, at: number): void {
    if (this.#stopping.signal.aborted) return;
    const wait = at - this.#clock.now();
    this.#timers.set(
      job.name,
      this.#clock.after(job.atUtcMs === undefined ? wait : Math.min(wait, LONGEST_WAIT_MS), () => {
        // A timer may fire a little early by the time of day; the turn would then come twice.
        if (job.atUtcMs !== undefined && this.#clock.now() < at) {
          this.#schedule(job, at);
          return;
        }
        const turn = this.#turn(job).finally(() => {
          this.#running.delete(turn);
          this.#schedule(job, turnAfter(job, this.#clock.now()));
        });
        this.#running.add(turn);
      }),
    );
  }

  async #turn(job: Job): Promise<void> {
    try {
      if (job.singleton) await this.#runAlone(job);
      else await job.run(this.#stopping.signal);
    } catch (error) {
      this.#onError(job.name, error);
    }
  }

  async #runAlone(job: Job): Promise<void> {
    const release = await this.#tryLock(job.name);
    if (release === undefined) return;
    try {
      if (!this.#stopping.signal.aborted) await job.run(this.#stopping.signal);
    } finally {
      await release();
    }
  }
}
