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
  const readings = new Map<string, { readonly ok: true; readonly value: V }>();
  const table: LiveTable<V> = {
    name,
    read: (key) => readings.get(key) ?? COLD,
    get size() {
      return readings.size;
    },
    *entries() {
      for (const [key, reading] of readings) yield [key, reading.value];
    },
  };
  const writer: LiveTableWriter<V> = {
    publish: (key, value) => void readings.set(key, Object.freeze({ ok: true, value: deepFreeze(value) })),
    remove: (key) => void readings.delete(key),
  };
  return { table: Object.freeze(table), writer };
};
