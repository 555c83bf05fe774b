import { randomBytes, randomUUID } from 'node:crypto';

/** Handle of a pending timer; cancelling twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

/**
 * Time, passed in (design, section 3.8): milliseconds since the epoch, UTC. `monotonic` never goes back and is for
 * durations only. Timers never keep the process alive by themselves.
 */
export interface Clock {
  now(): number;
  monotonic(): number;
  after(ms: number, fn: () => void): Timer;
}

/** Fresh identifiers and secrets, passed in so that a test can predict them. */
export interface Ids {
  /** Random UUID v4, for identities: it tells nothing about its time or place of birth. */
  uuid(): string;
  /** UUID v7 of the given time, for rows: neighbours in time are neighbours in the index. */
  rowId(now: number): string;
  /** 32 random bytes as base64url: a bearer secret. */
  secret(): string;
}

/** Uniform numbers in [0, 1). */
export type Random = () => number;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, fn) {
    const handle = setTimeout(fn, ms);
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};

const hex = (byte: number) => byte.toString(16).padStart(2, '0');

/** Lays out 12 hex digits, then 10 random bytes, as a UUID of the given version (RFC 9562). */
const uuid = (version: 4 | 7, head: string, random: Uint8Array): string => {
  const at = (i: number) => random[i] ?? 0;
  const tail = hex((version << 4) | (at(0) & 0x0f)) + hex(at(1));
  const variant = hex(0x80 | (at(2) & 0x3f)) + hex(at(3));
  let node = '';
  for (let i = 4; i < 10; i += 1) node += hex(at(i));
  return `${head.slice(0, 8)}-${head.slice(8)}-${tail}-${variant}-${node}`;
};

const uuidV7 = (now: number, random: Uint8Array): string =>
  uuid(7, Math.floor(now).toString(16).padStart(12, '0'), random);

/** Random bytes are drawn in blocks: one call into the kernel serves many row ids. */
const pooledBytes = (size: number) => {
  let pool = new Uint8Array(0);
  let used = 0;
  return (): Uint8Array => {
    if (used + size > pool.length) {
      pool = randomBytes(size * 256);
      used = 0;
    }
    used += size;
    return pool.subarray(used - size, used);
  };
};

const nextRowBytes = pooledBytes(10);

export const systemIds: Ids = {
  uuid: () => randomUUID(),
  rowId: (now) => uuidV7(now, nextRowBytes()),
  secret: () => randomBytes(32).toString('base64url'),
};

/** Ids drawn from a random source, so that one seed gives one run. */
export const idsFrom = (random: Random): Ids => {
  const bytes = (n: number) => Uint8Array.from({ length: n }, () => Math.floor(random() * 256));
  return {
    uuid: () => uuid(4, Buffer.from(bytes(6)).toString('hex'), bytes(10)),
    rowId: (now) => uuidV7(now, bytes(10)),
    secret: () => Buffer.from(bytes(32)).toString('base64url'),
  };
};

/** A small seeded generator (mulberry32): enough for schedules and simulations, never for secrets. */
export const seededRandom = (seed: number): Random => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
};
