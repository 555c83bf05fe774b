/** How many entries are in both. */
export const sharedCount = (a: ReadonlySet<string>, b: ReadonlySet<string>): number => {
  let count = 0;
  for (const entry of a) if (b.has(entry)) count += 1;
  return count;
};

/** The part of all entries that is in both, 0 to 1; 0 when one is empty (Jaccard). */
export const overlapOf = (a: ReadonlySet<string>, b: ReadonlySet<string>): number => {
  if (a.size === 0 || b.size === 0) return 0;
  const shared = sharedCount(a, b);
  return shared / (a.size + b.size - shared);
};
