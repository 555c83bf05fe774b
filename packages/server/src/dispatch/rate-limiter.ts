/** Calls one principal may make; 0 lifts a limit. */
export interface RateLimits {
  readonly perMinute: number;
  readonly perHour: number;
  /** Principals that are remembered. Default 10 000. */
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
/** How many accounts are looked at to find one that may be forgotten. */
const LOOKED_AT = 8;

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

const openAccount = (): Account => ({ minute: new SlidingWindow(60_000), hour: new SlidingWindow(3_600_000) });

/**
 * Rate limits per principal, exact for each and bounded in memory (about 600 bytes a principal). A refused call does not
 * count, so that a caller who asks too often is let in again when it was told (BW-dispatch.06).
 *
 * A crowd of new principals pushes nobody out who is at a limit, or it would be the way around it: what is forgotten is
 * the least used of the accounts that were used longest ago. Where all of those are at their limits, a principal that is not known
 * yet shares one account with all others of that kind.
 */
export class RateLimiter {
  readonly #limits: RateLimits;
  readonly #most: number;
  /** In order of the last call. */
  readonly #accounts = new Map<string, Account>();
  readonly #crowd = openAccount();

  constructor(limits: RateLimits) {
    this.#limits = limits;
    this.#most = limits.principals ?? DEFAULT_PRINCIPALS;
  }

  /** Counts the call, or says why it is over the limit. `now` is monotonic milliseconds. */
  take(principal: string, now: number): RateExceeded | undefined {
    const { perMinute, perHour } = this.#limits;
    if (perMinute === 0 && perHour === 0) return undefined;
    const account = this.#account(principal, now);
    const exceeded = this.#exceeded(account, now);
    if (exceeded !== undefined) return exceeded;
    account.minute.add();
    account.hour.add();
    return undefined;
  }

  get principals(): number {
    return this.#accounts.size;
  }

  #exceeded({ minute, hour }: Account, now: number): RateExceeded | undefined {
    const { perMinute, perHour } = this.#limits;
    const ofMinute = overLimit(minute, 'minute', perMinute, now);
    // Both are asked, since a window must have moved to now before a call is added to it.
    const ofHour = overLimit(hour, 'hour', perHour, now);
    return ofMinute ?? ofHour;
  }

  #account(principal: string, now: number): Account {
    const known = this.#accounts.get(principal);
    if (known !== undefined) {
      this.#accounts.delete(principal);
      this.#accounts.set(principal, known);
      return known;
    }
    if (this.#accounts.size >= this.#most && !this.#forgetOne(now)) return this.#crowd;
    const fresh = openAccount();
    this.#accounts.set(principal, fresh);
    return fresh;
  }

  /** Forgets the least used of the accounts that were used longest ago and are below their limits; false: none is. */
  #forgetOne(now: number): boolean {
    let least: { readonly principal: string; readonly used: number } | undefined;
    const kept: [string, Account][] = [];
    let looked = 0;
    for (const [principal, account] of this.#accounts) {
      looked += 1;
      if (looked > LOOKED_AT) break;
      if (this.#exceeded(account, now) !== undefined) kept.push([principal, account]);
      else {
        const used = account.hour.count(now);
        if (least === undefined || used < least.used) least = { principal, used };
      }
    }
    // Those at a limit go to the end, so that the next look finds others first.
    for (const [principal, account] of kept) {
      this.#accounts.delete(principal);
      this.#accounts.set(principal, account);
    }
    return least !== undefined && this.#accounts.delete(least.principal);
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
