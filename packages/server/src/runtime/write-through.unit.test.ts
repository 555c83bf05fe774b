import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import { createWriteThrough, type Divergence, type Store } from './write-through.ts';

interface Value {
  readonly n: number;
}

/** Written with `write`, and staged inside larger transactions: a key belongs to one of the two. */
const WRITTEN = ['w1', 'w2'] as const;
const STAGED = ['s1', 's2'] as const;
const anyKey = fc.constantFrom(...WRITTEN, ...STAGED);

type Op =
  | { readonly kind: 'write'; readonly key: string; readonly fails: boolean }
  | { readonly kind: 'stage'; readonly key: string; readonly fails: boolean }
  | { readonly kind: 'other node'; readonly key: string }
  | { readonly kind: 'refresh' | 'read gated'; readonly key: string }
  | { readonly kind: 'reconcile' | 'catch up' | 'load' };

const op: fc.Arbitrary<Op> = fc.oneof<fc.Arbitrary<Op>[]>(
  fc.record({ kind: fc.constant('write'), key: fc.constantFrom(...WRITTEN), fails: fc.boolean() }),
  fc.record({ kind: fc.constant('stage'), key: fc.constantFrom(...STAGED), fails: fc.boolean() }),
  fc.record({ kind: fc.constant('other node'), key: anyKey }),
  fc.record({ kind: fc.constantFrom('refresh', 'read gated'), key: anyKey }),
  fc.record({ kind: fc.constantFrom('reconcile', 'catch up', 'load') }),
);

/**
 * PostgreSQL as far as timing matters: a statement travels there, takes effect in one instant, and its answer travels
 * back. The scheduler decides when each journey ends.
 */
const createWorld = (s: fc.Scheduler) => {
  const rows = new Map<string, Value>();
  const history = new Map<string, Set<number>>();
  const failures = new Set<number>();
  const divergences: Divergence<Value>[] = [];
  const travel = (what: string) => s.schedule(Promise.resolve(), what);
  const commit = (key: string, value: Value) => {
    rows.set(key, value);
    history.set(key, (history.get(key) ?? new Set()).add(value.n));
  };
  const statement = async <T>(what: string, effect: () => T): Promise<T> => {
    await travel(`${what} →`);
    const result = effect();
    await travel(`${what} ←`);
    return result;
  };
  const store: Store<Value> = {
    loadAll: () => statement('loadAll', () => structuredClone(rows)),
    loadOne: (key) => statement(`loadOne ${key}`, () => structuredClone(rows.get(key))),
    save: async (key, value) => {
      await statement(`save ${key}`, () => {
        if (!failures.has(value.n)) commit(key, value);
      });
      if (failures.has(value.n)) throw new Error('not durable');
    },
  };
  const through = createWriteThrough<Value>({
    name: 't',
    store,
    equal: (a, b) => a.n === b.n,
    onDivergence: (divergence) => divergences.push(divergence),
    newsArrived: async () => {
      await Promise.all(news);
      await travel('news of the past has arrived');
    },
  });
  /** Commits of other nodes of which this one has not heard to the end. */
  const news = new Set<Promise<void>>();
  let next = 0;
  const transactions = new Map<string, Promise<void>>();
  /** One transaction of a staged key, after the one before it, as its mailbox would have it. */
  const transaction = (key: string, value: Value, fails: boolean): Promise<void> => {
    const turn = (transactions.get(key) ?? Promise.resolve()).then(async () => {
      const staged = through.stage(key, value);
      await statement(`transaction ${key}`, () => {
        if (!fails) commit(key, value);
      });
      if (fails) staged.abandoned();
      else staged.published();
    });
    transactions.set(key, turn);
    return turn;
  };
  const run = async (step: Op): Promise<unknown> => {
    const value = { n: ++next };
    switch (step.kind) {
      case 'write': {
        if (step.fails) failures.add(value.n);
        const written = through.write(step.key, value);
        return step.fails ? expect(written).rejects.toThrow('not durable') : written;
      }
      case 'stage':
        return transaction(step.key, value, step.fails);
      case 'other node': {
        await travel(`other node commits ${step.key}`);
        commit(step.key, value);
        const heard = travel(`notification of ${step.key}`).then(() => through.refresh(step.key));
        news.add(heard);
        return heard.finally(() => news.delete(heard));
      }
      case 'refresh':
        return through.refresh(step.key);
      case 'read gated':
        return through.readGated(step.key);
      case 'reconcile':
        return through.reconcile();
      case 'catch up':
        return through.catchUp();
      case 'load':
        return through.load();
    }
  };
  const readable = () => new Map([...through.table.entries()].map(([key, value]) => [key, value.n]));
  return { rows, history, divergences, through, run, commit, readable };
};

/** Runs every operation at once, checking after every step of the schedule. */
const play = async (s: fc.Scheduler, world: ReturnType<typeof createWorld>, ops: readonly Op[]) => {
  const ended = Promise.all(ops.map((step) => s.schedule(Promise.resolve(), step.kind).then(() => world.run(step))));
  await s.waitFor(ended, async (step) => {
    await step();
    for (const [key, n] of world.readable()) expect(world.history.get(key)?.has(n), `${key} = ${n}`).toBe(true);
  });
};

const stored = (world: ReturnType<typeof createWorld>) =>
  new Map([...world.rows].map(([key, value]) => [key, value.n]));

describe('WriteThrough', () => {
  it('only ever shows what was committed, and ends at what PostgreSQL has, whatever the interleaving', async () => {
    verifies('W3-10.02', 'W3-10.08');
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(op, { maxLength: 14, size: 'max' }), async (s, ops) => {
        const world = createWorld(s);
        await play(s, world, ops);
        const known = world.readable();
        for (const [key, n] of known) expect(n, key).toBe(world.rows.get(key)?.n);
      }),
      { numRuns: 1500 },
    );
  });

  it('reports no divergence while its own writes and the news of other nodes are under way', async () => {
    verifies('W3-10.07', 'W3-10.08');
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(op, { maxLength: 14, size: 'max' }), async (s, ops) => {
        const world = createWorld(s);
        await play(s, world, [...ops, { kind: 'catch up' }]);
        await s.waitIdle();
        expect(world.divergences).toEqual([]);
        expect(world.readable()).toEqual(stored(world));
      }),
      { numRuns: 1500 },
    );
  });

  it('finds, reports and repairs every planted difference', async () => {
    verifies('W3-10.04', 'W3-10.08');
    const rows = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(3));
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), rows, rows, async (s, before, after) => {
        const world = createWorld(s);
        for (const [key, n] of Object.entries(before)) world.commit(key, { n });
        await play(s, world, [{ kind: 'load' }]);
        expect(world.readable()).toEqual(stored(world));
        world.rows.clear();
        for (const [key, n] of Object.entries(after)) world.commit(key, { n });
        await play(s, world, [{ kind: 'reconcile' }, { kind: 'reconcile' }]);
        const planted = ['a', 'b', 'c', 'd'].filter((key) => before[key] !== after[key]);
        expect(world.divergences.map((one) => [one.key, one.live?.n, one.stored?.n]).sort()).toEqual(
          planted.map((key) => [key, before[key], after[key]]),
        );
        expect(world.readable()).toEqual(stored(world));
      }),
    );
  });

  it('takes over in silence what it has missed', async () => {
    const rows = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(3));
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), rows, rows, async (s, before, after) => {
        const world = createWorld(s);
        for (const [key, n] of Object.entries(before)) world.commit(key, { n });
        await play(s, world, [{ kind: 'load' }]);
        world.rows.clear();
        for (const [key, n] of Object.entries(after)) world.commit(key, { n });
        await play(s, world, [{ kind: 'catch up' }]);
        expect(world.readable()).toEqual(stored(world));
        expect(world.divergences).toEqual([]);
      }),
    );
  });

  it('takes a cold read of a stored key behind the gate for a divergence, once, and repairs it', async () => {
    verifies('W3-10.07');
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (s) => {
        const world = createWorld(s);
        world.commit('k', { n: 7 });
        await play(s, world, [
          { kind: 'read gated', key: 'k' },
          { kind: 'read gated', key: 'k' },
          { kind: 'read gated', key: 'absent' },
        ]);
        await s.waitIdle();
        expect(world.divergences).toEqual([{ key: 'k', live: undefined, stored: { n: 7 } }]);
        expect(world.readable()).toEqual(new Map([['k', 7]]));
      }),
    );
  });

  it('writes one key in order of the calls, and a failed write changes nothing', async () => {
    verifies('W3-10.02', 'W3-10.10');
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(fc.boolean(), { maxLength: 8 }), async (s, fails) => {
        const world = createWorld(s);
        // Started in this order, with no journey before the first statement.
        const ended = Promise.all(fails.map((fail) => world.run({ kind: 'write', key: 'w1', fails: fail })));
        await s.waitFor(ended);
        const last = fails.lastIndexOf(false);
        expect(world.readable().get('w1')).toBe(last === -1 ? undefined : last + 1);
        expect(stored(world)).toEqual(world.readable());
      }),
    );
  });

  it('loads with one query', async () => {
    verifies('W3-10.04');
    const queries: string[] = [];
    const through = createWriteThrough<Value>({
      name: 't',
      store: {
        loadAll: async () => {
          queries.push('all');
          return new Map(Array.from({ length: 500 }, (_, n) => [String(n), { n }]));
        },
        loadOne: async (key) => {
          queries.push(key);
          return undefined;
        },
        save: async () => undefined,
      },
      equal: (a, b) => a.n === b.n,
      onDivergence: () => undefined,
      newsArrived: async () => undefined,
    });
    await through.load();
    expect(queries).toEqual(['all']);
    expect(through.table.size).toBe(500);
  });
});
