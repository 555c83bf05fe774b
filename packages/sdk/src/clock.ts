/** Time, passed in so that tests need not wait. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Waits; ends early, without an error and with no timer left, when the signal is aborted. True: the time is over. */
  sleep(ms: number, signal?: AbortSignal): Promise<boolean>;
}

/** Longer waits would overflow a timer and end at once. */
const LONGEST_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve(false);
        return;
      }
      const stopped = () => {
        clearTimeout(timer);
        resolve(false);
      };
      const timer = setTimeout(
        () => {
          signal?.removeEventListener('abort', stopped);
          resolve(true);
        },
        Math.min(Math.max(0, ms), LONGEST_MS),
      );
      signal?.addEventListener('abort', stopped, { once: true });
    }),
};
