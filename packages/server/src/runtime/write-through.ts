import { COLD, createLiveTable, type LiveTable, type Reading } from './live-table.ts';
import type { Job } from './ticker.ts';

/** Where a write-through table's truth lives. Implemented over PostgreSQL; any implementation may throw. */
export interface Store<V> {
  /** Every row, in one query. */
  loadAll(): Promise<ReadonlyMap<string, V>>;
  /** One row, or undefined when there is none. */
  loadOne(key: string): Promise<V | undefined>;
  /** Resolves once the value is durable; rejects when it is not. */
  save(key: string, value: V): Promise<void>;
}

/** A row where memory and PostgreSQL differ. A missing side is undefined. */
export interface Divergence<V> {
  readonly key: string;
  readonly live: V | undefined;
  readonly stored: V | undefined;
}

/** A value on its way into PostgreSQL inside somebody else's transaction. Exactly one of the two is called. */
export interface Staged {
  /** The transaction committed: the value becomes readable. */
  published(): void;
  /** The transaction did not commit: the readable value stays as it was. */
  abandoned(): void;
}

export interface WriteThrough<V> {
  readonly table: LiveTable<V>;
  /** Loads every row with one query (W3-10.04). */
  load(): Promise<void>;
  /**
   * Commits to PostgreSQL and only then publishes; one write of a key at a time (W3-10.02). When the commit fails the
   * readable value is unchanged and the rejection reaches the caller.
   */
  write(key: string, value: V): Promise<void>;
  /**
   * Announces a value that a larger transaction is about to commit; see {@link Staged}. Who stages a key serialises its
   * transactions, and does not also {@link write} it.
   */
  stage(key: string, value: V): Staged;
  /**
   * Takes PostgreSQL's value of one key, after another node changed it. Waits for a write under way, whose end decides
   * which of the two is newer.
   */
  refresh(key: string): Promise<void>;
  /**
   * Reads one key behind the readiness gate. `cold` there is suspicious: PostgreSQL is asked, and a row that it has is
   * reported as a divergence and repaired (W3-10.07).
   */
  readGated(key: string): Promise<Reading<V>>;
  /**
   * Compares every row with PostgreSQL; memory takes PostgreSQL's value and each difference is reported (W3-10.08). A
   * key with a write under way, or changed since the comparison began, is left to the next round: what the query saw of
   * it may be older, or newer, than memory without anything being wrong. A difference counts when a second look, after the
   * news that was under way at the first, still finds it: until then it may be another node's ordinary commit.
   */
  reconcile(): Promise<number>;
  /** Takes PostgreSQL's values after news was missed. What changed meanwhile is no divergence, and nothing is reported. */
  catchUp(): Promise<void>;
}

/**
 * A live table in front of a durable store: commit first, publish second. RFC section 10's BaselineWriter and
 * FeatureFlagWriter are both made of it.
 *
 * What touches one key (writes, refreshes, repairs) takes turns, so that an older answer of PostgreSQL never replaces a
 * newer one; staged values stand outside that queue, because their transaction is somebody else's. `equal` compares by
 * value; `onDivergence` must not throw.
 */
export const createWriteThrough = <V>(options: {
  name: string;
  store: Store<V>;
  equal: (a: V, b: V) => boolean;
  onDivergence: (divergence: Divergence<V>) => void;
  /** Resolves when the news of what other nodes had committed before the call has been taken over. */
  newsArrived: () => Promise<void>;
}): WriteThrough<V> => {
  const { store, equal, onDivergence, newsArrived } = options;
  const { table, writer } = createLiveTable<V>(options.name);
  const turns = createTurns();
  const staged = createStaging();
  /** One set per query of all rows: the keys that anybody touched since it was sent, which its answer cannot judge. */
  const watches = new Set<Set<string>>();
  /** Refreshes that have not sent their query. */
  const refreshes = new Map<string, Promise<void>>();
  const touch = (key: string) => {
    for (const touched of watches) touched.add(key);
  };
  /** One set per repair of a cold read: the keys that other nodes told of since. What this node stages is no news of theirs. */
  const listeners = new Set<Set<string>>();
  const inTurn = <T>(key: string, work: () => Promise<T>): Promise<T> => {
    touch(key);
    return turns.take(key, work);
  };

  /** Runs `work` with the set of keys that are touched from now on, or are in somebody's hands already. */
  const watching = async <T>(work: (touched: ReadonlySet<string>) => Promise<T>): Promise<T> => {
    const touched = new Set([...turns.keys(), ...staged.keys()]);
    watches.add(touched);
    try {
      return await work(touched);
    } finally {
      watches.delete(touched);
    }
  };
  /** Keys that differ from PostgreSQL, with its value. Keys that the answer may be behind on are left out. */
  const differences = (): Promise<Map<string, V | undefined>> =>
    watching(async (touched) => {
      const before = new Map<string, Reading<V>>();
      for (const [key] of table.entries()) before.set(key, table.read(key));
      const stored = await store.loadAll();
      const found = new Map<string, V | undefined>();
      for (const key of new Set([...before.keys(), ...stored.keys()])) {
        const reading = table.read(key);
        if (touched.has(key) || reading !== (before.get(key) ?? COLD)) continue;
        const truth = stored.get(key);
        if (reading.ok ? truth === undefined || !equal(reading.value, truth) : truth !== undefined)
          found.set(key, truth);
      }
      return found;
    });
  const take = (key: string, stored: V | undefined) => {
    if (stored === undefined) writer.remove(key);
    else writer.publish(key, stored);
  };

  /** A row that memory lacked may be so new that its news arrives only now: then it is another node's ordinary commit. */
  const reportUnlessNews = async (key: string, found: V | undefined, news: Set<string>): Promise<void> => {
    if (found !== undefined) await newsArrived();
    listeners.delete(news);
    if (found !== undefined && !news.has(key)) onDivergence({ key, live: undefined, stored: found });
  };

  return {
    table,
    load: () =>
      watching(async (touched) => {
        for (const [key, value] of await store.loadAll()) if (!touched.has(key)) writer.publish(key, value);
      }),
    write: (key, value) =>
      inTurn(key, async () => {
        await store.save(key, value);
        writer.publish(key, value);
      }),
    stage(key, value) {
      touch(key);
      const end = staged.begin(key);
      let open = true;
      const settle = (publish: boolean) => {
        if (!open) return;
        open = false;
        if (publish) writer.publish(key, value);
        end();
      };
      return { published: () => settle(true), abandoned: () => settle(false) };
    },
    refresh(key) {
      for (const news of listeners) news.add(key);
      // A refresh that has not asked yet will see whatever this one is about.
      const waiting = refreshes.get(key);
      if (waiting !== undefined) return waiting;
      const refresh = inTurn(key, async () => {
        await staged.ended(key);
        refreshes.delete(key);
        const before = table.read(key);
        for (;;) {
          const stored = await store.loadOne(key);
          if (!staged.has(key)) {
            if (table.read(key) === before) take(key, stored);
            return;
          }
          // A value staged meanwhile is newer once it is published; if it is abandoned, this answer may be older.
          await staged.ended(key);
          if (table.read(key) !== before) return;
        }
      });
      refreshes.set(key, refresh);
      return refresh;
    },
    async readGated(key) {
      const reading = table.read(key);
      if (reading.ok) return reading;
      let found: V | undefined;
      const repaired = inTurn(key, async () => {
        const stored = await store.loadOne(key);
        const now = table.read(key);
        if (now.ok || stored === undefined || staged.has(key)) return now;
        writer.publish(key, stored);
        found = stored;
        return table.read(key);
      });
      const news = new Set<string>();
      listeners.add(news);
      try {
        return await repaired;
      } finally {
        void reportUnlessNews(key, found, news);
      }
    },
    async reconcile() {
      const suspects = await differences();
      if (suspects.size === 0) return 0;
      const seen = new Map([...suspects.keys()].map((key) => [key, table.read(key)]));
      await newsArrived();
      let confirmed = 0;
      for (const [key, truth] of await differences()) {
        const reading = table.read(key);
        // News has been heard of it since, or it is a new difference, whose news may be under way.
        if (!seen.has(key) || reading !== seen.get(key)) continue;
        confirmed += 1;
        onDivergence({ key, live: reading.ok ? reading.value : undefined, stored: truth });
        take(key, truth);
      }
      return confirmed;
    },
    async catchUp() {
      for (const [key, truth] of await differences()) take(key, truth);
    },
  };
};

/** Work on one key, one after the other in order of arrival; a turn that fails does not hold up the next. */
const createTurns = () => {
  const tails = new Map<string, Promise<void>>();
  return {
    keys: () => tails.keys(),
    take<T>(key: string, work: () => Promise<T>): Promise<T> {
      const turn = (tails.get(key) ?? Promise.resolve()).then(work);
      const tail: Promise<void> = turn.then(
        () => undefined,
        () => undefined,
      );
      tails.set(key, tail);
      void tail.then(() => {
        if (tails.get(key) === tail) tails.delete(key);
      });
      return turn;
    },
  };
};

/** Which keys have values on their way in other transactions, how many, and who waits for their end. */
const createStaging = () => {
  const open = new Map<string, { count: number; waiters: (() => void)[] }>();
  return {
    has: (key: string) => open.has(key),
    keys: () => open.keys(),
    /** Returns the end of this value's way; to be called once. */
    begin(key: string): () => void {
      const entry = open.get(key) ?? { count: 0, waiters: [] };
      entry.count += 1;
      open.set(key, entry);
      return () => {
        entry.count -= 1;
        if (entry.count > 0) return;
        open.delete(key);
        for (const wake of entry.waiters) wake();
      };
    },
    /** Resolves when what is staged for the key now has ended. */
    async ended(key: string): Promise<void> {
      const entry = open.get(key);
      if (entry !== undefined) await new Promise<void>((resolve) => entry.waiters.push(resolve));
    },
  };
};

/** How often memory is held against PostgreSQL (W3-10.08). */
export const RECONCILE_MS = 300_000;

/** The job that holds every value of a table against PostgreSQL, tells of what differs, and takes PostgreSQL's word. */
export const reconcileJob = (name: string, table: { reconcile(): Promise<unknown> }): Job => ({
  name: `${name}.reconcile`,
  everyMs: RECONCILE_MS,
  singleton: false,
  run: async () => void (await table.reconcile()),
});
