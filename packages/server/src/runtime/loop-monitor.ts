import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock, Timer } from './clock.ts';

/** Delays seen since the last report, in milliseconds. */
export interface LoopDelay {
  readonly maxMs: number;
  readonly p99Ms: number;
  readonly meanMs: number;
}

const RESOLUTION_MS = 10;

/**
 * Measures event-loop delay and reports a delay over its limit with its size (BW-runtime.07): on one thread every other
 * promise of this runtime depends on nobody holding the loop.
 */
export class LoopMonitor {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #limitMs: number;
  readonly #onDelay: (delay: LoopDelay) => void;
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #timer: Timer | undefined;
  #last: LoopDelay = { maxMs: 0, p99Ms: 0, meanMs: 0 };

  constructor(options: { clock: Clock; everyMs: number; limitMs: number; onDelay: (delay: LoopDelay) => void }) {
    this.#clock = options.clock;
    this.#everyMs = options.everyMs;
    this.#limitMs = options.limitMs;
    this.#onDelay = options.onDelay;
  }

  start(): void {
    this.#histogram.enable();
    this.#schedule();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#histogram.disable();
  }

  /** The delays of the last full interval. */
  get last(): LoopDelay {
    return this.#last;
  }

  #schedule(): void {
    this.#timer = this.#clock.after(this.#everyMs, () => {
      // The histogram measures the time between its own ticks, so an idle loop reads as one resolution of delay.
      const ms = (ns: number) => Math.max(0, ns / 1e6 - RESOLUTION_MS);
      const { max, mean } = this.#histogram;
      this.#last = {
        maxMs: ms(max),
        p99Ms: ms(this.#histogram.percentile(99)),
        meanMs: Number.isNaN(mean) ? 0 : ms(mean),
      };
      this.#histogram.reset();
      if (this.#last.maxMs > this.#limitMs) this.#onDelay(this.#last);
      this.#schedule();
    });
  }
}
