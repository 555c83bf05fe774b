import type { ActivityBucket } from '@breakwater/contract/overview';
import { MINUTE_MS } from '../runtime/index.ts';

const MINUTES = 60;
/** Places of one minute: which minute it is, and its check-ins that went on, were guided, or were paused. */
const WIDTH = 4;

/** Check-ins of the last hour by verdict, minute by minute, as this node committed them. */
export interface Activity {
  /** Hears of a check-in at `now`, in ms since the epoch. Allocates nothing. */
  observe(verdict: string, now: number): void;
  /** The minutes of the hour before `now` that were watched, the oldest first; the last one is not over. */
  read(now: number): readonly ActivityBucket[];
  /** Since when it watches, in ms since the epoch. */
  readonly since: number;
}

export const createActivity = (since: number): Activity => {
  const ring = new Float64Array(MINUTES * WIDTH);
  return {
    since,
    observe(verdict, now) {
      const minute = Math.floor(now / MINUTE_MS);
      const place = (minute % MINUTES) * WIDTH;
      if (ring[place] !== minute) ring.fill(0, place, place + WIDTH);
      ring[place] = minute;
      const kind = verdict === 'proceed' ? 1 : verdict === 'guide' ? 2 : 3;
      ring[place + kind] = (ring[place + kind] ?? 0) + 1;
    },
    read(now) {
      const last = Math.floor(now / MINUTE_MS);
      const first = Math.max(last - MINUTES + 1, Math.floor(since / MINUTE_MS));
      const buckets: ActivityBucket[] = [];
      for (let minute = first; minute <= last; minute += 1) {
        const place = (minute % MINUTES) * WIDTH;
        const count = (kind: number): number => (ring[place] === minute ? (ring[place + kind] ?? 0) : 0);
        const from = new Date(minute * MINUTE_MS).toISOString();
        buckets.push({ from, proceed: count(1), guide: count(2), pause: count(3) });
      }
      return buckets;
    },
  };
};
