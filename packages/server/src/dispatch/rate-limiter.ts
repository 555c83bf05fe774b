/** Calls one principal may make; 0 lifts a limit. */
export interface RateLimits {
  readonly perMinute: number;
  readonly perHour: number;
  /** Principals remembered; beyond that the one that called longest ago is forgotten. Default 10 000. */
  readonly principals?: number;
}

/** Why a call is over the limit, and when one will fit again. */
export interface RateExceeded {
  readonly window: 'minute' | 'hour';
  readonly limit: number;
  readonly retryAfterSeconds: number;
}

const SLOTS = 60;
const DEFAULT_PRINCIPALS = 10_000;

/**
 * A sliding window in constant memory: the window's length is cut into 60 slots, and a call counts until its whole slot
 * has left. So a call counts for at most one slot longer than the window (1 s of a minute, 1 min of an hour), and never
 * shorter: no stretch of the window's length ever holds more than the limit.
 */
class SlidingWindow {
  readonly #slotMs: number;
  /** One slot more than the window: the oldest is the one that the window still touches. */
  readonly #counts = new Uint32Array(SLOTS + 1);
  #newest = 0;
  #total = 0;

  constructor(lengthMs: number) {
    this.#slotMs = lengthMs / SLOTS;
  }

  /** Calls that count at `now` (ms, monotonic). */
  count(now: number): number {
    const slot = Math.floor(now / this.#slotMs);
    if (slot - this.#newest > SLOTS) {
      this.#counts.fill(0);
      this.#total = 0;
      this.#newest = slot;
    }
    for (; this.#newest < slot;) {
      this.#newest += 1;
      const reused = this.#newest % (SLOTS + 1);
      this.#total -= this.#counts[reused] ?? 0;
      this.#counts[reused] = 0;
    }
    return this.#total;
  }

  /** Counts one call, after {@link count} moved the window to now. */
  add(): void {
    const at = this.#newest % (SLOTS + 1);
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#total += 1;
  }

  /** Milliseconds until fewer than `limit` calls count. */
  waitMs(now: number, limit: number): number {
    let left = this.#total;
    for (let slot = this.#newest - SLOTS; slot <= this.#newest; slot += 1) {
      left -= slot < 0 ? 0 : (this.#counts[slot % (SLOTS + 1)] ?? 0);
      if (left < limit) return (slot + SLOTS + 1) * this.#slotMs - now;
    }
    return 0;
  }
}

interface Account {
  readonly minute: SlidingWindow;
  readonly hour: SlidingWindow;
}

/**
 * Rate limits per principal, exact for each and bounded in memory (about 600 bytes a principal). A refused call does not
 * count, so that a caller who asks too often is let in again when it was told (BW-dispatch.06).
 */
export class RateLimiter {
  readonly #limits: RateLimits;
  readonly #most: number;
  /** In order of the last call, so that the first is the one to forget. */
  readonly #accounts = new Map<string, Account>();

  constructor(limits: RateLimits) {
    this.#limits = limits;
    this.#most = limits.principals ?? DEFAULT_PRINCIPALS;
  }

  /** Counts the call, or says why it is over the limit. `now` is monotonic milliseconds. */
  take(principal: string, now: number): RateExceeded | undefined {
    const { perMinute, perHour } = this.#limits;
    if (perMinute === 0 && perHour === 0) return undefined;
    const { minute, hour } = this.#account(principal);
    const exceeded = overLimit(minute, 'minute', perMinute, now) ?? overLimit(hour, 'hour', perHour, now);
    if (exceeded !== undefined) return exceeded;
    minute.add();
    hour.add();
    return undefined;
  }

  get principals(): number {
    return this.#accounts.size;
  }

  #account(principal: string): Account {
    const known = this.#accounts.get(principal);
    if (known !== undefined) {
      this.#accounts.delete(principal);
      this.#accounts.set(principal, known);
      return known;
    }
    if (this.#accounts.size >= this.#most) {
      const [oldest] = this.#accounts.keys();
      if (oldest !== undefined) this.#accounts.delete(oldest);
    }
    const fresh = { minute: new SlidingWindow(60_000), hour: new SlidingWindow(3_600_000) };
    this.#accounts.set(principal, fresh);
    return fresh;
  }
}

const overLimit = (
  window: SlidingWindow,
  name: RateExceeded['window'],
  limit: number,
  now: number,
): RateExceeded | undefined =>
  // Counted although the limit is off: the window must have moved to now before a call is added.
  window.count(now) >= limit && limit > 0
    ? { window: name, limit, retryAfterSeconds: Math.max(1, Math.ceil(window.waitMs(now, limit) / 1000)) }
    : undefined;
