import type { Clock } from '../runtime/index.ts';

/** The look at the last minute comes every 15 s; when two did not come, what was counted is no longer of the last minute. */
const FRESH_MS = 30_000;

/** What a minute had: requests, and those of them that got a 503. */
export interface RequestCounts {
  readonly requests: number;
  readonly unavailable: number;
}

/** The requests of the last minute, as long as somebody on this node counts them. */
export interface LastMinute {
  /** Hears what was counted just now. */
  hear(counts: RequestCounts): void;
  /** What was counted last; undefined when that is 30 s ago, since an old number would pass for a new one (BW-console.03). */
  read(): RequestCounts | undefined;
}

export const createLastMinute = (clock: Pick<Clock, 'monotonic'>): LastMinute => {
  let heard: { readonly at: number; readonly counts: RequestCounts } | undefined;
  return {
    hear: (counts) => void (heard = { at: clock.monotonic(), counts }),
    read: () => (heard !== undefined && clock.monotonic() - heard.at < FRESH_MS ? heard.counts : undefined),
  };
};
