/**
 * What is asked again and again of each of many items, kept in columns: `of` makes a value of an item, and `get(of)(i)` is that
 * of item `i`. An item that changes is another item in its place. Whoever changes one pays nothing: a look at the columns walks
 * the items once, and asks only those that are new to it.
 */
export class Columns<T extends object> {
  readonly #current: () => readonly T[];
  readonly #seen: T[] = [];
  readonly #columns = new Map<(item: T) => unknown, unknown[]>();

  /** `current` gives the items as they are now. */
  constructor(current: () => readonly T[]) {
    this.#current = current;
  }

  /** The items as they are now; to be walked at once. */
  get items(): readonly T[] {
    return this.#current();
  }

  /** The column of `of`, which depends on the item alone, and is the same function every time; to be walked at once. */
  get<V>(of: (item: T) => V): (i: number) => V {
    this.#follow();
    const column = (this.#columns.get(of) ?? this.#seen.map(of)) as V[];
    this.#columns.set(of, column);
    return (i) => column[i] as V;
  }

  #follow(): void {
    const items = this.items;
    for (let i = 0; i < items.length; i += 1) {
      const item = items[i] as T;
      if (this.#seen[i] === item) continue;
      this.#seen[i] = item;
      for (const [of, column] of this.#columns) column[i] = of(item);
    }
    for (const column of [this.#seen, ...this.#columns.values()]) column.length = items.length;
  }
}
