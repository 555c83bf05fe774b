import type { LiveTable } from './live-table.ts';

/**
 * What is asked again and again of each of many items, kept in columns: `of` makes a value of an item, and `get(of)[i]` is that
 * of item `i`. An item that changes is another item in its place. Whoever changes one pays nothing: a look at the columns walks
 * the items once, and asks only those that are new to it.
 */
export class Columns<T extends object> {
  readonly #current: () => Iterable<T>;
  readonly #changes: () => number;
  #followed = Number.NaN;
  readonly #seen: T[] = [];
  readonly #columns = new Map<(item: T) => unknown, unknown[]>();

  /** `current` gives the items as they are now, and `changes` another number whenever they are not what they were. */
  constructor(current: () => Iterable<T>, changes: () => number) {
    this.#current = current;
    this.#changes = changes;
  }

  /** The items as they are now; to be walked at once. */
  get items(): readonly T[] {
    this.#follow();
    return this.#seen;
  }

  /**
   * The column of `of`, which depends on the item alone, and is the same function every time; to be walked at once. It is the
   * array itself: of fifty thousand, asking a function for each takes several times as long as reading them.
   */
  get<V>(of: (item: T) => V): readonly V[] {
    this.#follow();
    const column = (this.#columns.get(of) ?? this.#seen.map(of)) as V[];
    this.#columns.set(of, column);
    return column;
  }

  #renew(i: number, item: T): void {
    this.#seen[i] = item;
    for (const [of, column] of this.#columns) column[i] = of(item);
  }

  #follow(): void {
    const changes = this.#changes();
    if (changes === this.#followed) return;
    this.#followed = changes;
    let i = 0;
    for (const item of this.#current()) {
      if (this.#seen[i] !== item) this.#renew(i, item);
      i += 1;
    }
    for (const column of [this.#seen, ...this.#columns.values()]) column.length = i;
  }
}

/** The columns of all that is in a live table. */
export const columnsOf = <T extends object>(table: LiveTable<T>): Columns<T> =>
  new Columns(
    () => table.values(),
    () => table.changes,
  );

/** The columns of items that stay as they are. */
export const columnsOfThese = <T extends object>(items: readonly T[]): Columns<T> =>
  new Columns(
    () => items,
    () => 0,
  );
