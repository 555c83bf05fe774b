import { AsyncLocalStorage } from 'node:async_hooks';
import { NO_GROUNDS, type Ground } from './grounds.ts';
import type { Trace } from './trace.ts';

/** Where the crossings of a piece of work are counted. */
export interface Tally {
  crossings: number;
  /** Where they are shown; undefined: nowhere. */
  readonly trace?: Trace | undefined;
  /** What lets the work act; see {@link standOn}. */
  grounds?: readonly Ground[];
}

const tallies = new AsyncLocalStorage<Tally | undefined>();

/** Runs work whose crossings, its own and those of what it waits for, are counted in `tally` (W3-6.10). */
export const countCrossings = <T>(tally: Tally, work: () => T): T => tallies.run(tally, work);

/** The trace of the request that is served now. */
export const currentTrace = (): Trace | undefined => tallies.getStore()?.trace;

/** States what lets the request that is served now act: whatever it writes from here on stands on these. */
export const standOn = (grounds: readonly Ground[]): void => {
  const tally = tallies.getStore();
  if (tally !== undefined) tally.grounds = grounds;
};

/** Runs work that stands on these, for a request that counts no crossings. */
export const standing = <T>(grounds: readonly Ground[], work: () => T): T =>
  tallies.run({ crossings: 0, trace: currentTrace(), grounds }, work);

/** What the request that is served now stands on. Work of the server's own stands on nothing. */
export const currentGrounds = (): readonly Ground[] => tallies.getStore()?.grounds ?? NO_GROUNDS;

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
