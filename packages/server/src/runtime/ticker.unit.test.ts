import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import type { Clock } from './clock.ts';
import { createGate, type Gate } from './testing/gate.ts';
import { ManualClock } from './testing/manual-clock.ts';
import { settle } from './testing/settle.ts';
import { Ticker, type TryLock } from './ticker.ts';

const EVERY_MS = 100;

/** One advisory lock for a cluster: a node that dies loses it, because its connection does. */
const createLock = () => {
  let holder: string | undefined;
  const tryLockOf =
    (node: string): TryLock =>
    async () => {
      await Promise.resolve();
      if (holder !== undefined) return undefined;
      holder = node;
      return async () => {
        if (holder === node) holder = undefined;
      };
    };
  return { tryLockOf, die: (node: string) => void (holder = holder === node ? undefined : holder) };
};

/** A node whose job runs until the test ends it. */
const createNode = (name: string, lock: ReturnType<typeof createLock>, log: string[]) => {
  const clock = new ManualClock();
  const errors: unknown[] = [];
  let dead = false;
  const state: { running: Gate | undefined; runs: number } = { running: undefined, runs: 0 };
  const ticker = new Ticker({
    clock,
    tryLock: async (job) => (dead ? new Promise(() => undefined) : lock.tryLockOf(name)(job)),
    onError: (_, error) => errors.push(error),
  });
  ticker.add({
    name: 'job',
    everyMs: EVERY_MS,
    singleton: true,
    run: async () => {
      log.push(name);
      state.runs += 1;
      state.running = createGate();
      try {
        await state.running.passed;
      } finally {
        state.running = undefined;
      }
    },
  });
  ticker.start();
  const die = () => {
    dead = true;
    state.running = undefined;
    lock.die(name);
  };
  return { name, clock, ticker, errors, state, die, isDead: () => dead };
};

describe('Ticker', () => {
  it('never runs a singleton job on two nodes at once, and moves it within an interval of a death', async () => {
    verifies('BW-runtime.08');
    const step = fc.oneof(
      fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: EVERY_MS }) }),
      fc.record({ kind: fc.constantFrom('end' as const, 'fail' as const, 'kill a' as const, 'kill b' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(EVERY_MS - 1), fc.array(step, { maxLength: 40, size: 'max' }), async (offset, steps) => {
        const lock = createLock();
        const log: string[] = [];
        const nodes = [createNode('a', lock, log), createNode('b', lock, log)];
        nodes[1]!.clock.advance(0);
        nodes[0]!.clock.advance(offset);
        const alive = () => nodes.filter((node) => !node.isDead());
        const runners = () => alive().filter((node) => node.state.running !== undefined);
        for (const one of steps) {
          if (one.kind === 'advance') for (const node of alive()) node.clock.advance(one.ms);
          else if (one.kind === 'end') runners()[0]?.state.running?.open();
          else if (one.kind === 'fail') runners()[0]?.state.running?.fail(new Error('job failed'));
          else if (alive().length > 1) nodes[one.kind === 'kill a' ? 0 : 1]!.die();
          await settle();
          expect(runners().length).toBeLessThanOrEqual(1);
        }
        runners()[0]?.state.running?.open();
        await settle();
        const survivor = alive()[0]!;
        const before = log.length;
        for (const node of alive()) node.clock.advance(EVERY_MS);
        await settle();
        expect(log.length, `after ${survivor.name} was left`).toBe(before + 1);
      }),
      { numRuns: 300 },
    );
  });

  it('moves the job to the other node within one interval when the node that runs it dies', async () => {
    verifies('BW-runtime.08');
    const lock = createLock();
    const log: string[] = [];
    const [a, b] = [createNode('a', lock, log), createNode('b', lock, log)];
    a.clock.advance(EVERY_MS);
    await settle();
    b.clock.advance(EVERY_MS);
    await settle();
    expect(log).toEqual(['a']);
    a.die();
    b.clock.advance(EVERY_MS);
    await settle();
    expect(log).toEqual(['a', 'b']);
  });

  it('reports a failing job and runs it again at its next turn; one run at a time', async () => {
    const clock = new ManualClock();
    const errors: [string, unknown][] = [];
    let runs = 0;
    const ticker = new Ticker({
      clock,
      tryLock: async () => undefined,
      onError: (job, error) => errors.push([job, error]),
    });
    const failure = new Error('no');
    const slow = createGate();
    ticker.add({
      name: 'failing',
      everyMs: EVERY_MS,
      singleton: false,
      run: async () => {
        runs += 1;
        if (runs === 1) throw failure;
        await slow.passed;
      },
    });
    ticker.start();
    for (let i = 0; i < 5; i += 1) {
      clock.advance(EVERY_MS);
      await settle();
    }
    expect(errors).toEqual([['failing', failure]]);
    expect(runs).toBe(2);
    let stopped = false;
    const stopping = ticker.stop().then(() => (stopped = true));
    await settle();
    expect(stopped).toBe(false);
    slow.open();
    await stopping;
    expect(clock.pending).toBe(0);
  });

  it('does not start a job whose lock arrives after the stop, and gives the lock back', async () => {
    const clock = new ManualClock();
    const locking = createGate();
    let released = 0;
    let runs = 0;
    const ticker = new Ticker({
      clock,
      tryLock: async () => {
        await locking.passed;
        return async () => void (released += 1);
      },
      onError: () => undefined,
    });
    ticker.add({ name: 'j', everyMs: 1, singleton: true, run: async () => void (runs += 1) });
    ticker.start();
    clock.advance(1);
    const stopped = ticker.stop();
    locking.open();
    await stopped;
    expect([runs, released]).toEqual([0, 1]);
  });

  describe('with a time of day', () => {
    const DAY = 86_400_000;
    const TWO = 2 * 3_600_000;
    const hour = (clock: ManualClock) => new Date(clock.now()).toISOString().slice(0, 16);

    it('runs a job at that time in UTC, every day, once, wherever in the day it was added', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.nat(DAY - 1),
          fc.array(fc.integer({ min: 1, max: DAY }), { maxLength: 12 }),
          async (begin, steps) => {
            const start = Date.UTC(2026, 0, 1) + begin;
            const clock = new ManualClock(start);
            const turns: number[] = [];
            const ticker = new Ticker({ clock, tryLock: async () => undefined, onError: () => undefined });
            const run = async () => void turns.push(clock.now());
            ticker.add({ name: 'daily', everyMs: DAY, atUtcMs: TWO, singleton: false, run });
            ticker.start();
            for (const ms of steps) {
              for (let left = ms; left > 0; left -= 600_000) {
                clock.advance(Math.min(left, 600_000));
                await settle();
              }
            }
            const first = Date.UTC(2026, 0, 1) + TWO + (begin >= TWO ? DAY : 0);
            const days = Math.max(0, Math.floor((clock.now() - first) / DAY) + 1);
            expect(turns).toEqual(Array.from({ length: days }, (_, day) => first + day * DAY));
            await ticker.stop();
            expect(clock.pending).toBe(0);
          },
        ),
        { numRuns: 40 },
      );
    });

    it('waits on when its timer fires early, and comes soon after a time that the machine slept through', async () => {
      const clock = new ManualClock(Date.UTC(2026, 0, 1, 1, 59));
      const timers: { readonly ms: number; readonly fn: () => void }[] = [];
      const asked: Clock = {
        now: () => clock.now(),
        monotonic: () => clock.monotonic(),
        after: (ms, fn) => {
          timers.push({ ms, fn });
          return { cancel: () => undefined };
        },
      };
      const turns: string[] = [];
      const ticker = new Ticker({ clock: asked, tryLock: async () => undefined, onError: () => undefined });
      const run = async () => void turns.push(hour(clock));
      ticker.add({ name: 'daily', everyMs: DAY, atUtcMs: TWO, singleton: false, run });
      ticker.start();
      const fire = async () => {
        timers.shift()?.fn();
        await settle();
      };
      expect(timers.map(({ ms }) => ms)).toEqual([60_000]);
      clock.advance(59_990);
      await fire();
      expect([turns, timers.map(({ ms }) => ms)]).toEqual([[], [10]]);
      clock.advance(10);
      await fire();
      expect(turns).toEqual(['2026-01-01T02:00']);
      // The next wait is a short one, although a day is left: the machine may sleep.
      expect(timers.map(({ ms }) => ms <= 3_600_000)).toEqual([true]);
      clock.advance(3 * DAY + TWO);
      await fire();
      expect(turns).toEqual(['2026-01-01T02:00', '2026-01-04T04:00']);
      expect(timers).toHaveLength(1);
    });
  });

  it('gives the first turn of a job at its own time, and the others at the interval', async () => {
    const clock = new ManualClock(0);
    const turns: number[] = [];
    const ticker = new Ticker({ clock, tryLock: async () => undefined, onError: () => undefined });
    ticker.add({
      name: 'j',
      everyMs: 100,
      firstMs: 7,
      singleton: false,
      run: async () => void turns.push(clock.now()),
    });
    ticker.start();
    for (let i = 0; i < 250; i += 1) {
      clock.advance(1);
      await settle();
    }
    expect(turns).toEqual([7, 107, 207]);
  });

  it('tells what runs that it stops', async () => {
    const clock = new ManualClock();
    const ended = createGate();
    const ticker = new Ticker({ clock, tryLock: async () => async () => undefined, onError: () => undefined });
    ticker.add({
      name: 'long',
      everyMs: 1,
      singleton: true,
      run: async (stopping) => {
        stopping?.addEventListener('abort', () => ended.open());
        await ended.passed;
      },
    });
    ticker.start();
    clock.advance(1);
    await settle();
    await ticker.stop();
    expect(clock.pending).toBe(0);
  });

  it('runs nothing before it is started, and nothing when it is stopped first', async () => {
    verifies('BW-nodes.05');
    const clock = new ManualClock();
    let runs = 0;
    const ticker = new Ticker({ clock, tryLock: async () => undefined, onError: () => undefined });
    ticker.add({ name: 'j', everyMs: 1, firstMs: 0, singleton: false, run: async () => void (runs += 1) });
    clock.advance(1_000);
    await settle();
    expect([runs, clock.pending]).toEqual([0, 0]);
    ticker.start();
    clock.advance(1);
    await settle();
    expect(runs).toBeGreaterThan(0);
    await ticker.stop();

    const refused = new Ticker({ clock, tryLock: async () => undefined, onError: () => undefined });
    refused.add({ name: 'j', everyMs: 1, singleton: false, run: async () => void (runs += 1) });
    await refused.stop();
    refused.start();
    expect(clock.pending).toBe(0);
  });

  it('refuses a second job of the same name', () => {
    const ticker = new Ticker({ clock: new ManualClock(), tryLock: async () => undefined, onError: () => undefined });
    const job = { name: 'j', everyMs: 1, singleton: false, run: async () => undefined };
    ticker.add(job);
    expect(() => ticker.add(job)).toThrow('exists');
  });
});
