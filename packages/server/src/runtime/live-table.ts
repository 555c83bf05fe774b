/** What a read of a live table gives: the value, or `cold`. Never undefined: the caller must decide (W3-10.01). */
export type Reading<V> = { readonly ok: true; readonly value: V } | Cold;
interface Cold {
  readonly ok: false;
  readonly cold: true;
}

/** The one value that says: this key is not in memory. It does not say that PostgreSQL lacks it. */
export const COLD: Cold = Object.freeze({ ok: false, cold: true });

/** The readers' side of a live table: synchronous, never waits, never touches PostgreSQL (W3-10.01, W3-10.12). */
export interface LiveTable<V> {
  readonly name: string;
  read(key: string): Reading<V>;
  readonly size: number;
  entries(): IterableIterator<[string, V]>;
  /** Every value, in no order; to be walked at once, since the next change changes what is left of the walk. */
  values(): ArrayIterator<V>;
  /** How often a value came, changed or went. */
  readonly changes: number;
}

/** The writer's side. Only the code that created the table holds it (W3-10.03). */
export interface LiveTableWriter<V> {
  publish(key: string, value: V): void;
  remove(key: string): void;
}

/**
 * Freezes a tree of plain objects and arrays, all the way down (BW-runtime.06). What is already frozen is walked too: it
 * may be frozen at its surface only. Maps, dates and the like keep their methods and do not belong in a live table.
 */
export const deepFreeze = <V>(value: V): V => {
  if (typeof value !== 'object' || value === null) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
};

/**
 * A live table: a `Map` of immutable values with one writer.
 *
 * The map holds ready-made readings, so that a read allocates nothing; a value is frozen when it is published, so that
 * a reader cannot change what the next reader sees.
 */
export const createLiveTable = <V>(name: string): { table: LiveTable<V>; writer: LiveTableWriter<V> } => {
  const rows = new Map<string, { reading: { readonly ok: true; readonly value: V }; at: number }>();
  // Beside the map, in one piece: walking a fleet of fifty thousand through a map's iterator takes a hundred times as long.
  const keys: string[] = [];
  const values: V[] = [];
  let changes = 0;
  const table: LiveTable<V> = {
    name,
    read: (key) => rows.get(key)?.reading ?? COLD,
    get size() {
      return rows.size;
    },
    *entries() {
      for (const [key, { reading }] of rows) yield [key, reading.value];
    },
    values: () => values.values(),
    get changes() {
      return changes;
    },
  };
  const writer: LiveTableWriter<V> = {
    publish(key, value) {
      const reading = Object.freeze({ ok: true, value: deepFreeze(value) } as const);
      const row = rows.get(key);
      changes += 1;
      if (row === undefined) {
        rows.set(key, { reading, at: values.length });
        keys.push(key);
        values.push(value);
      } else {
        row.reading = reading;
        values[row.at] = value;
      }
    },
    remove(key) {
      const row = rows.get(key);
      if (row === undefined) return;
      rows.delete(key);
      changes += 1;
      // The last one takes its place.
      const [lastKey, last] = [keys.pop(), values.pop()];
      if (lastKey === undefined || lastKey === key) return;
      keys[row.at] = lastKey;
      values[row.at] = last as V;
      const moved = rows.get(lastKey);
      if (moved !== undefined) moved.at = row.at;
    },
  };
  return { table: Object.freeze(table), writer };
};
