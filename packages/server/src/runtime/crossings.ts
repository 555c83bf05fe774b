import { AsyncLocalStorage } from 'node:async_hooks';
import type { Trace } from './trace.ts';

/** Where the crossings of a piece of work are counted. */
export interface Tally {
  crossings: number;
  /** Where they are shown; undefined: nowhere. */
  readonly trace?: Trace | undefined;
}

const tallies = new AsyncLocalStorage<Tally | undefined>();

/** Runs work whose crossings, its own and those of what it waits for, are counted in `tally` (W3-6.10). */
export const countCrossings = <T>(tally: Tally, work: () => T): T => tallies.run(tally, work);

/** The trace of the request that is served now. */
export const currentTrace = (): Trace | undefined => tallies.getStore()?.trace;

/** Counts one call over a boundary, there and back, for the request that makes it; outside of a request for none. */
export const crossed = (): void => {
  const tally = tallies.getStore();
  if (tally !== undefined) tally.crossings += 1;
};

/**
 * The function, so that whoever runs it runs it for the request that is served now: what empties a queue was started by
 * another. AsyncLocalStorage.bind() does the same for more than this one store, at a hundred times the price.
 */
export const forThisRequest = <A extends unknown[], R>(work: (...args: A) => R): ((...args: A) => R) => {
  const tally = tallies.getStore();
  return (...args) => tallies.run(tally, work, ...args);
};
