import { COLD, createLiveTable, type LiveTable, type Reading } from './live-table.ts';

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
  /** Announces a value that a larger transaction is about to commit; see {@link Staged}. */
  stage(key: string, value: V): Staged;
  /** Takes PostgreSQL's value of one key, after another node changed it. */
  refresh(key: string): Promise<void>;
  /**
   * Reads one key behind the readiness gate. `cold` there is suspicious: PostgreSQL is asked, and a row that it has is
   * reported as a divergence and repaired (W3-10.07).
   */
  readGated(key: string): Promise<Reading<V>>;
  /**
   * Compares every row with PostgreSQL; memory takes PostgreSQL's value and each difference is reported (W3-10.08). A
   * key with a write under way, or changed since the comparison began, is left to the next round: what the query saw of
   * it may be older, or newer, than memory without anything being wrong.
   */
  reconcile(): Promise<number>;
}

/**
 * A live table in front of a durable store: commit first, publish second. RFC section 10's BaselineWriter and
 * FeatureFlagWriter are both made of it.
 *
 * `equal` compares by value; `onDivergence` must not throw.
 */
export const createWriteThrough = <V>(options: {
  name: string;
  store: Store<V>;
  equal: (a: V, b: V) => boolean;
  onDivergence: (divergence: Divergence<V>) => void;
}): WriteThrough<V> => {
  const { store, equal, onDivergence } = options;
  const { table, writer } = createLiveTable<V>(options.name);
  /** Keys with a write under way, and how many. */
  const underWay = new Map<string, number>();
  /** Per key the last write, so that the next one waits for it whatever its end. */
  const tails = new Map<string, Promise<void>>();
  /** While a comparison runs: the keys that were written meanwhile, by anybody. */
  let touched: Set<string> | undefined;

  const begin = (key: string) => {
    underWay.set(key, (underWay.get(key) ?? 0) + 1);
    touched?.add(key);
  };
  const end = (key: string) => {
    const left = (underWay.get(key) ?? 1) - 1;
    if (left === 0) underWay.delete(key);
    else underWay.set(key, left);
  };
  const take = (key: string, stored: V | undefined) => {
    if (stored === undefined) writer.remove(key);
    else writer.publish(key, stored);
  };

  const stage = (key: string, value: V): Staged => {
    begin(key);
    let open = true;
    const settle = (publish: boolean) => {
      if (!open) return;
      open = false;
      if (publish) writer.publish(key, value);
      end(key);
    };
    return { published: () => settle(true), abandoned: () => settle(false) };
  };

  return {
    table,
    stage,
    async load() {
      for (const [key, value] of await store.loadAll()) writer.publish(key, value);
    },
    async write(key, value) {
      const before = tails.get(key) ?? Promise.resolve();
      const turn = before.then(async () => {
        const staged = stage(key, value);
        try {
          await store.save(key, value);
        } catch (error) {
          staged.abandoned();
          throw error;
        }
        staged.published();
      });
      const tail = turn.catch(() => undefined);
      tails.set(key, tail);
      void tail.then(() => {
        if (tails.get(key) === tail) tails.delete(key);
      });
      await turn;
    },
    async refresh(key) {
      if (underWay.has(key)) return;
      const before = table.read(key);
      const stored = await store.loadOne(key);
      // A write of our own that ended meanwhile is newer than what the query saw.
      if (table.read(key) === before && !underWay.has(key)) take(key, stored);
    },
    async readGated(key) {
      const reading = table.read(key);
      if (reading.ok) return reading;
      const stored = await store.loadOne(key);
      if (stored === undefined || underWay.has(key)) return table.read(key);
      const now = table.read(key);
      if (now.ok) return now;
      onDivergence({ key, live: undefined, stored });
      writer.publish(key, stored);
      return table.read(key);
    },
    async reconcile() {
      touched = new Set(underWay.keys());
      const snapshot = new Map<string, Reading<V>>();
      for (const [key] of table.entries()) snapshot.set(key, table.read(key));
      try {
        const stored = await store.loadAll();
        let differences = 0;
        const keys = new Set([...snapshot.keys(), ...stored.keys()]);
        for (const key of keys) {
          if (touched.has(key) || table.read(key) !== (snapshot.get(key) ?? COLD)) continue;
          const reading = table.read(key);
          const live = reading.ok ? reading.value : undefined;
          const truth = stored.get(key);
          if (live === undefined ? truth === undefined : truth !== undefined && equal(live, truth)) continue;
          differences += 1;
          onDivergence({ key, live, stored: truth });
          take(key, truth);
        }
        return differences;
      } finally {
        touched = undefined;
      }
    },
  };
};
