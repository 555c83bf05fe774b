import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
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
    clock.advance(1);
    const stopped = ticker.stop();
    locking.open();
    await stopped;
    expect([runs, released]).toEqual([0, 1]);
  });

  it('refuses a second job of the same name', () => {
    const ticker = new Ticker({ clock: new ManualClock(), tryLock: async () => undefined, onError: () => undefined });
    const job = { name: 'j', everyMs: 1, singleton: false, run: async () => undefined };
    ticker.add(job);
    expect(() => ticker.add(job)).toThrow('exists');
  });
});
