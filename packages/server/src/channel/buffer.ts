import type { Clock, Timer } from '../runtime/index.ts';

/** Since the start; `waiting` is now. Every emission is in exactly one of stored, dropped and waiting. */
export interface BufferCounters {
  readonly emitted: number;
  readonly stored: number;
  readonly dropped: number;
  readonly waiting: number;
}

/** A bounded queue in front of PostgreSQL whose producers never wait (BW-channel.01). */
export interface Buffer<T> {
  /** Whether another item would be taken. */
  readonly hasRoom: boolean;
  readonly counters: BufferCounters;
  /** Takes an item, or counts it as dropped when there is no room. */
  push(item: T): void;
  /** Counts an emission that gave no item. */
  drop(): void;
  /** Stores what waits and ends; what PostgreSQL does not take now is counted as dropped. Never rejects. */
  stop(): Promise<void>;
}

/** While PostgreSQL is away. */
const RETRY_MS = 2_000;

/** Takes items one by one and stores them in batches, in their order. */
export const createBuffer = <T>(options: {
  clock: Clock;
  /** False: nothing is stored yet, for what stores it is not there. */
  isOpen: () => boolean;
  /** Items that may wait. */
  capacity: number;
  /** How long the first item waits for others. */
  flushMs: number;
  maxBatch: number;
  /** Stores a batch as a whole, or rejects. One whose end was not learned comes again: then `again` is true. */
  store: (items: readonly T[], again: boolean) => Promise<unknown>;
  /** Whether a batch was rejected for what one of its items says. */
  isRefusal: (error: unknown) => boolean;
  /** Hears of an item that was refused, and once per outage why items wait. */
  onError: (error: unknown) => void;
  /** All that waited is settled. */
  onFlushed: () => void;
  /** Some were lost at the stop. */
  onLost: (count: number) => void;
}): Buffer<T> => {
  const { clock, capacity, flushMs, maxBatch, onError } = options;
  let waiting: T[] = [];
  let emitted = 0;
  let stored = 0;
  let dropped = 0;
  let timer: Timer | undefined;
  let flushing: Promise<void> | undefined;
  let stopped = false;
  /** The last flush ended before all was settled. */
  let away = false;

  /** Stores a batch from its front; one that is refused for its content is halved until the bad item stands alone. */
  const store = async (items: readonly T[], settled: (count: number) => void): Promise<void> => {
    try {
      await options.store(items, away);
      stored += items.length;
      settled(items.length);
    } catch (error) {
      if (!options.isRefusal(error)) throw error;
      if (items.length === 1) {
        dropped += 1;
        settled(1);
        onError(error);
        return;
      }
      const middle = Math.ceil(items.length / 2);
      await store(items.slice(0, middle), settled);
      await store(items.slice(middle), settled);
    }
  };

  /** Stores all that waits; false when PostgreSQL did not take it, which leaves it waiting. */
  const flush = async (): Promise<boolean> => {
    if (!options.isOpen()) return false;
    while (waiting.length > 0) {
      // Not `stored + dropped`: what finds no room while the batch is on its way is dropped, too.
      let done = 0;
      try {
        await store(waiting.slice(0, maxBatch), (count) => (done += count));
      } catch (error) {
        if (!away) onError(error);
        away = true;
        return false;
      } finally {
        waiting = waiting.slice(done);
      }
    }
    away = false;
    options.onFlushed();
    return true;
  };

  const schedule = (ms: number) => {
    timer ??= clock.after(ms, () => {
      flushing = flush().then((done) => {
        timer = undefined;
        flushing = undefined;
        if (!stopped && waiting.length > 0) schedule(done ? flushMs : RETRY_MS);
      });
    });
  };

  const hasRoom = () => !stopped && waiting.length < capacity;

  return {
    get hasRoom() {
      return hasRoom();
    },
    get counters() {
      return { emitted, stored, dropped, waiting: waiting.length };
    },
    push(item) {
      emitted += 1;
      if (hasRoom()) {
        waiting.push(item);
        schedule(flushMs);
      } else dropped += 1;
    },
    drop() {
      emitted += 1;
      dropped += 1;
    },
    async stop() {
      if (stopped) return flushing;
      stopped = true;
      timer?.cancel();
      await flushing;
      await flush();
      if (waiting.length > 0) options.onLost(waiting.length);
      dropped += waiting.length;
      waiting = [];
    },
  };
};
