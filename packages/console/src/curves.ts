import type { ActivityBucket, ClaimRow } from '@breakwater/contract/overview';

/** A minute of an hour; null: nobody counted it. */
export interface Minute {
  /** In seconds since the epoch. */
  readonly at: number;
  readonly counts: ActivityBucket | null;
}

const MINUTES = 60;

/** The hour that ends with the newest bucket, minute by minute: a server that has just started knows less than that. */
export const hourOf = (buckets: readonly ActivityBucket[]): readonly Minute[] => {
  const known = new Map(buckets.map((bucket) => [Math.floor(Date.parse(bucket.from) / 60_000), bucket]));
  const last = Math.max(...known.keys());
  if (!Number.isFinite(last)) return [];
  return Array.from({ length: MINUTES }, (_, place) => {
    const minute = last - MINUTES + 1 + place;
    return { at: minute * 60, counts: known.get(minute) ?? null };
  });
};

/** A bin of claims: what was claimed on average, and how often it came true; null: nobody claimed that. */
export interface ReliabilityBin {
  readonly lower: number;
  readonly upper: number;
  readonly n: number;
  readonly mean_confidence: number | null;
  readonly accuracy: number | null;
  readonly interval: readonly [number, number] | null;
}

const BINS = 10;

/** The graded ones among these rows that claimed something, by tenths of what they claimed; without an interval, since they are few. */
export const binsOf = (rows: readonly ClaimRow[]): readonly ReliabilityBin[] => {
  const tenths = Array.from({ length: BINS }, () => ({ n: 0, claimed: 0, came: 0 }));
  for (const { graded, claimed_confidence: claimed, is_bad } of rows) {
    const tenth = claimed === null || !graded ? undefined : tenths[Math.min(BINS - 1, Math.floor(claimed * BINS))];
    if (tenth === undefined || claimed === null) continue;
    tenth.n += 1;
    tenth.claimed += claimed;
    // Never the score, which the agent chooses: a failure with a score of 0.4 is a failure, as for the detector.
    tenth.came += is_bad ? 0 : 1;
  }
  return tenths.map(({ n, claimed, came }, place) => ({
    lower: place / BINS,
    upper: (place + 1) / BINS,
    n,
    mean_confidence: n === 0 ? null : claimed / n,
    accuracy: n === 0 ? null : came / n,
    interval: null,
  }));
};
