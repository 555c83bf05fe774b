/** Calls that one principal may make; 0 lifts a limit. */
export interface RateLimits {
  readonly perMinute: number;
  readonly perHour: number;
}

const MINUTE = 60_000;
const HOUR = 3_600_000;
/** Principals remembered at most. One that is forgotten starts with a clean account, so this is far above any fleet. */
const MOST_PRINCIPALS = 100_000;

/** Calls of one window, told by two fixed windows: the last one counts by the share of it that still lies within. */
interface Window {
  start: number;
  count: number;
  before: number;
}

const newWindow = (): Window => ({ start: 0, count: 0, before: 0 });

/** Moves the window on to `now`. */
const roll = (window: Window, length: number, now: number): void => {
  const start = now - (now % length);
  if (start === window.start) return;
  window.before = start - window.start === length ? window.count : 0;
  window.count = 0;
  window.start = start;
};

/** Estimated calls in the last `length` ms. */
const used = (window: Window, length: number, now: number): number =>
  window.count + window.before * (1 - (now - window.start) / length);

/** Ms until one more call fits. */
const wait = (window: Window, length: number, limit: number, now: number): number => {
  const untilNext = window.start + length - now;
  if (window.count >= limit) return untilNext;
  const over = used(window, length, now) + 1 - limit;
  return window.before === 0 ? untilNext : Math.min(untilNext, Math.ceil((over / window.before) * length));
};

/**
 * Sliding-window limits per principal. A principal is what identity proved, or the peer: never something that a caller
 * can choose, so nobody uses up another's limit (BW-dispatch.06). Two counters per window instead of a list of calls:
 * memory is bounded whatever the callers do, and the estimate never lets more than the limit into one fixed window.
 */
export class RateLimiter {
  readonly #limits: RateLimits;
  readonly #accounts = new Map<string, { minute: Window; hour: Window }>();

  constructor(limits: RateLimits) {
    this.#limits = limits;
  }

  /** Counts a call at `now` (ms); when it does not fit, it is not counted and the seconds to wait are returned. */
  take(principal: string, now: number): number | undefined {
    const { perMinute, perHour } = this.#limits;
    if (perMinute === 0 && perHour === 0) return undefined;
    const account = this.#account(principal);
    roll(account.minute, MINUTE, now);
    roll(account.hour, HOUR, now);
    const overMinute = perMinute > 0 && used(account.minute, MINUTE, now) + 1 > perMinute;
    const overHour = perHour > 0 && used(account.hour, HOUR, now) + 1 > perHour;
    if (overMinute || overHour) {
      const ms = Math.max(
        overMinute ? wait(account.minute, MINUTE, perMinute, now) : 0,
        overHour ? wait(account.hour, HOUR, perHour, now) : 0,
      );
      return Math.max(1, Math.ceil(ms / 1000));
    }
    account.minute.count += 1;
    account.hour.count += 1;
    return undefined;
  }

  #account(principal: string): { minute: Window; hour: Window } {
    let account = this.#accounts.get(principal);
    if (account === undefined) {
      account = { minute: newWindow(), hour: newWindow() };
      // Oldest first: a Map keeps the order of insertion.
      if (this.#accounts.size >= MOST_PRINCIPALS) {
        const oldest = this.#accounts.keys().next().value;
        if (oldest !== undefined) this.#accounts.delete(oldest);
      }
      this.#accounts.set(principal, account);
    }
    return account;
  }
}
