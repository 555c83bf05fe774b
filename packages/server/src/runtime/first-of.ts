/**
 * The first `count` of `items` in the order of `compare`, as sorting all of them and cutting would give them, equals in the order
 * in which they came. A page of a large fleet costs one walk that allocates nothing, and not the sorting of the whole.
 */
export const firstOf = <T>(items: readonly T[], count: number, compare: (a: T, b: T) => number): T[] => {
  // Of a large part, sorting is the cheaper way.
  if (count * 8 >= items.length) return items.toSorted(compare).slice(0, count);
  const first: T[] = [];
  for (const item of items) {
    const last = first[count - 1];
    if (last !== undefined) {
      if (compare(item, last) >= 0) continue;
      first.pop();
    }
    let low = 0;
    for (let high = first.length; low < high;) {
      const middle = (low + high) >> 1;
      if (compare(item, first[middle] as T) < 0) high = middle;
      else low = middle + 1;
    }
    first.splice(low, 0, item);
  }
  return first.slice(0, count);
};
