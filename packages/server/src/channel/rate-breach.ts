import { FAILURE_EVENTS } from '@breakwater/contract';
import { onPrimary, type Database } from '../postgres/index.ts';
import type { Clock, Job } from '../runtime/index.ts';
import type { Json } from './failure-event.ts';
import type { Channel } from './service.ts';
import { countRequests } from './sql.ts';

const EVERY_MS = 15_000;
const WINDOW_MS = 60_000;
const THRESHOLD = 0.01;

/** What was stored in the window. */
interface Counts {
  readonly requests: number;
  readonly unavailable: number;
}

/**
 * The breach that the counts of a window show: more than 1 % of the requests got a 503 (W3-3.14). Without any request there
 * is no rate, and so no breach (W3-3.15).
 */
export const breachOf = ({ requests, unavailable }: Counts): Json | undefined => {
  const rate = unavailable / requests;
  return requests > 0 && rate > THRESHOLD
    ? {
        window_seconds: WINDOW_MS / 1000,
        rate,
        threshold: THRESHOLD,
        count_503: unavailable,
        count_request: requests,
      }
    : undefined;
};

/**
 * Looks at the last minute every 15 s, on one node for all (W3-3.14). It remembers nothing: the rows alone give the rate,
 * so that a restart gives the same, and they tell whether a breach goes on, which is one incident then (BW-channel.02).
 */
export const rateBreachJob = (options: {
  database: Database;
  clock: Pick<Clock, 'now'>;
  channel: Pick<Channel, 'fail'>;
  /** Told of what every look counted. */
  onCounted?: (counts: Counts) => void;
}): Job => ({
  name: 'channel.503_rate',
  everyMs: EVERY_MS,
  singleton: true,
  run: async () => {
    const { database, clock, channel } = options;
    const now = clock.now();
    const row = await database.transaction(async (tx) => {
      const primary = await onPrimary(tx);
      if (!primary.ok) throw new Error(primary.refusal.message);
      const rows = await primary.value.query<Counts & { incident: string | null }>(countRequests(now - WINDOW_MS, now));
      return rows[0];
    });
    if (row !== undefined) options.onCounted?.(row);
    const breach = row && breachOf(row);
    if (breach === undefined) return;
    const incident = row?.incident ?? undefined;
    channel.fail(FAILURE_EVENTS.cutover503RateBreach, {
      ...(incident !== undefined && { incident_id: incident }),
      ...breach,
    });
  },
});
