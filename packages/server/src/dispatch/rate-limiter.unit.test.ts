import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import { RateLimiter } from './rate-limiter.ts';
import { HOUR_MS, MINUTE_MS } from '../runtime/index.ts';

/** Gaps between calls, from bursts to long silences, so that slots are reused and the window jumps. */
const gaps = fc.array(
  fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 3 * MINUTE_MS })),
  { maxLength: 200 },
);

const mostInAny = (times: readonly number[], length: number): number =>
  Math.max(0, ...times.map((end) => times.filter((time) => time > end - length && time <= end).length));

describe('the rate limiter', () => {
  it('never lets more than the limit pass in any minute and any hour', () => {
    verifies('BW-dispatch.06');
    fc.assert(
      fc.property(
        gaps,
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 30 }),
        (steps, perMinute, perHour) => {
          const limiter = new RateLimiter({ perMinute, perHour });
          const passed: number[] = [];
          let now = 123;
          for (const gap of steps) {
            now += gap;
            if (limiter.take('a', now) === undefined) passed.push(now);
          }
          expect(mostInAny(passed, MINUTE_MS)).toBeLessThanOrEqual(perMinute);
          expect(mostInAny(passed, HOUR_MS)).toBeLessThanOrEqual(perHour);
        },
      ),
    );
  });

  it('refuses only a caller that made the limit within the window and one slot, and keeps its word on when to return', () => {
    verifies('BW-dispatch.06');
    fc.assert(
      fc.property(
        gaps,
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 30 }),
        (steps, perMinute, perHour) => {
          const limiter = new RateLimiter({ perMinute, perHour });
          const passed: number[] = [];
          let now = 123;
          for (const gap of steps) {
            now += gap;
            const refused = limiter.take('a', now);
            if (refused === undefined) {
              passed.push(now);
              continue;
            }
            const [length, limit] = refused.window === 'minute' ? [MINUTE_MS, perMinute] : [HOUR_MS, perHour];
            const counted = passed.filter((time) => time > now - length - length / 60);
            expect(counted.length).toBeGreaterThanOrEqual(limit);
            now += refused.retryAfterSeconds * 1000;
            // The other window may be full as well; the one that refused has room.
            const again = limiter.take('a', now);
            expect(again?.window).not.toBe(refused.window);
            if (again === undefined) passed.push(now);
          }
        },
      ),
    );
  });

  it('gives each principal its own limit, whatever others do', () => {
    verifies('BW-dispatch.06');
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 20_000 }))), (calls) => {
        const limits = { perMinute: 3, perHour: 10 };
        const [shared, alone] = [new RateLimiter(limits), new RateLimiter(limits)];
        let now = 0;
        for (const [mine, gap] of calls) {
          now += gap;
          const together = shared.take(mine ? 'me' : 'other', now);
          if (mine) expect(together).toEqual(alone.take('me', now));
        }
      }),
    );
  });

  it('forgets the principal that called longest ago when it has too many', () => {
    const limiter = new RateLimiter({ perMinute: 2, perHour: 0, principals: 2 });
    for (const [at, principal] of ['a', 'b', 'a', 'c'].entries()) {
      expect(limiter.take(principal, at)).toBeUndefined();
    }
    expect(limiter.principals).toBe(2);
    expect(limiter.take('a', 4)?.limit).toBe(2);
  });

  it('keeps whoever is at a limit, however many others come', () => {
    verifies('BW-dispatch.06');
    const limiter = new RateLimiter({ perMinute: 5, perHour: 0, principals: 100 });
    let now = 0;
    for (let i = 0; i < 5; i += 1) expect(limiter.take('over', now)).toBeUndefined();
    for (let i = 0; i < 10_000; i += 1) limiter.take(`of the crowd ${i}`, (now += 1));
    expect(limiter.principals).toBe(100);
    expect(limiter.take('over', now)).toMatchObject({ window: 'minute', limit: 5 });
  });

  it('lets newcomers share one account while everybody it remembers is at a limit, and not for longer', () => {
    const limiter = new RateLimiter({ perMinute: 1, perHour: 0, principals: 20 });
    for (let i = 0; i < 20; i += 1) expect(limiter.take(`full ${i}`, 0)).toBeUndefined();
    const passed = Array.from({ length: 50 }, (_, i) => limiter.take(`new ${i}`, 1)).filter((it) => it === undefined);
    expect(passed).toHaveLength(1);
    expect(limiter.principals).toBe(20);
    for (let i = 0; i < 20; i += 1) expect(limiter.take(`full ${i}`, 2)).toBeDefined();
    expect(limiter.take('later', 61_001)).toBeUndefined();
    expect(limiter.take('later still', 61_002)).toBeUndefined();
  });

  it('lets everything pass when the limits are off, and remembers nobody', () => {
    const limiter = new RateLimiter({ perMinute: 0, perHour: 0 });
    for (let i = 0; i < 5000; i += 1) expect(limiter.take('a', i)).toBeUndefined();
    expect(limiter.principals).toBe(0);
  });
});
