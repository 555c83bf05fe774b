import { isObject } from './json.ts';

/** When the server names no time, or one that makes no sense. */
const DEFAULT_SECONDS = 5;
const MOST_SECONDS = 30;

const bounded = (seconds: number): number =>
  Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds, MOST_SECONDS) : DEFAULT_SECONDS;

const ofHeader = (header: string, now: number): number =>
  /^\s*[+-]?\d+(\.\d+)?\s*$/.test(header) ? Number(header) : (Date.parse(header) - now) / 1000;

const ofBody = (value: unknown): number =>
  typeof value === 'number' ? value : typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;

/**
 * Seconds to wait after a 503: what the header says, else `retry_after_seconds` of the body, else 5; never more than 30,
 * and 5 for what is negative or cannot be read (W3-3.17). `now` is for a header that is a date.
 */
export const retryAfterSeconds = (header: string | null, body: unknown, now: number): number => {
  if (header !== null && header.trim() !== '') return bounded(ofHeader(header, now));
  const told = isObject(body) ? body['retry_after_seconds'] : undefined;
  return told == null ? DEFAULT_SECONDS : bounded(ofBody(told));
};
