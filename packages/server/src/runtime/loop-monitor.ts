import { createHistogram } from 'node:perf_hooks';
import type { Clock, Timer } from './clock.ts';

/** Delays seen since the last report, in milliseconds. */
export interface LoopDelay {
  readonly maxMs: number;
  readonly p99Ms: number;
  readonly meanMs: number;
}

const SAMPLE_MS = 10;

/**
 * Measures event-loop delay and reports a delay over its limit with its size (BW-runtime.07): on one thread every other
 * promise of this runtime depends on nobody holding the loop.
 *
 * A sample is how late a timer of {@link SAMPLE_MS} fires, so a delay is seen at most that much too short. Node's own `monitorEventLoopDelay` is not used: its `reset`
 * forgets when it last ticked, so a block that begins between a reset and the next tick is never seen.
 */
export class LoopMonitor {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #limitMs: number;
  readonly #onDelay: (delay: LoopDelay) => void;
  readonly #lateness = createHistogram();
  #timer: Timer | undefined;
  #reportAt = 0;
  #last: LoopDelay = { maxMs: 0, p99Ms: 0, meanMs: 0 };

  constructor(options: { clock: Clock; everyMs: number; limitMs: number; onDelay: (delay: LoopDelay) => void }) {
    this.#clock = options.clock;
    this.#everyMs = options.everyMs;
    this.#limitMs = options.limitMs;
    this.#onDelay = options.onDelay;
  }

  start(): void {
    if (this.#timer !== undefined) return;
    this.#reportAt = this.#clock.monotonic() + this.#everyMs;
    this.#sample();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** The delays of the last full interval. */
  get last(): LoopDelay {
    return this.#last;
  }

  #sample(): void {
    const due = this.#clock.monotonic() + SAMPLE_MS;
    this.#timer = this.#clock.after(SAMPLE_MS, () => {
      const now = this.#clock.monotonic();
      // A histogram counts from 1; in microseconds that is no delay at all.
      this.#lateness.record(Math.max(1, Math.round((now - due) * 1000)));
      this.#sample();
      if (now >= this.#reportAt) this.#report(now);
    });
  }

  #report(now: number): void {
    const ms = (us: number) => us / 1000;
    this.#last = {
      maxMs: ms(this.#lateness.max),
      p99Ms: ms(this.#lateness.percentile(99)),
      meanMs: ms(this.#lateness.mean),
    };
    this.#lateness.reset();
    this.#reportAt = now + this.#everyMs;
    if (this.#last.maxMs > this.#limitMs) this.#onDelay(this.#last);
  }
}
