export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** An instant (ms since the epoch) as ISO 8601 in UTC, which is how every answer and statement writes it. */
export const iso = (ms: number): string => new Date(ms).toISOString();
