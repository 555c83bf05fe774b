import type { Clock } from '../runtime/index.ts';

/**
 * A reading that nobody waits for longer than `ms`: then, and when it fails, it is undefined. While one is under way,
 * whoever asks shares it, so that a slow PostgreSQL is not asked again and again.
 */
export const boundedReading = <T>(
  read: () => Promise<T>,
  clock: Pick<Clock, 'after'>,
  ms: number,
): (() => Promise<T | undefined>) => {
  let running: Promise<T | undefined> | undefined;
  return async () => {
    running ??= read()
      .catch(() => undefined)
      .finally(() => (running = undefined));
    const late = Promise.withResolvers<undefined>();
    const timer = clock.after(ms, () => late.resolve(undefined));
    const value = await Promise.race([running, late.promise]);
    timer.cancel();
    return value;
  };
};
