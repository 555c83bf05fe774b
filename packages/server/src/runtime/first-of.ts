/** An item and what it is sorted by. */
export interface Keyed<T, K> {
  item: T;
  key: K;
}

/**
 * The first `count` of `items` in the order of `compare`, as sorting all of them and cutting would give them, equals in the order
 * in which they came. A page of a large fleet costs one walk that allocates nothing, and not the sorting of the whole.
 */
export const firstOf = <T, K>(
  items: readonly T[],
  count: number,
  keyOf: (item: T) => K,
  compare: (a: Keyed<T, K>, b: Keyed<T, K>) => number,
): T[] => {
  // Of a large part, sorting is the cheaper way.
  if (count * 8 >= items.length) {
    const all = items.map((item) => ({ item, key: keyOf(item) })).sort(compare);
    return all.slice(0, count).map(({ item }) => item);
  }
  const first: Keyed<T, K>[] = [];
  const probe = {} as Keyed<T, K>;
  for (const item of items) {
    probe.item = item;
    probe.key = keyOf(item);
    const last = first[count - 1];
    if (last !== undefined) {
      if (compare(probe, last) >= 0) continue;
      first.pop();
    }
    let low = 0;
    for (let high = first.length; low < high;) {
      const middle = (low + high) >> 1;
      if (compare(probe, first[middle] as Keyed<T, K>) < 0) high = middle;
      else low = middle + 1;
    }
    first.splice(low, 0, { ...probe });
  }
  return first.slice(0, count).map(({ item }) => item);
};
