/**
 * Rows in the order in which they are shown while somebody points at them: each where it was, with what is known of it now.
 * `moved` counts the rows that stand elsewhere, are new, or are gone in the newest order, and so wait to be shown.
 */
export const heldRows = <Row>(
  shown: readonly Row[],
  newest: readonly Row[],
  keyOf: (row: Row) => string,
): { readonly rows: readonly Row[]; readonly moved: number } => {
  const now = new Map(newest.map((row) => [keyOf(row), row]));
  const rows = shown.map((row) => now.get(keyOf(row)) ?? row);
  const length = Math.max(shown.length, newest.length);
  const keyAt = (list: readonly Row[], place: number): string | undefined => {
    const row = list[place];
    return row === undefined ? undefined : keyOf(row);
  };
  let moved = 0;
  for (let place = 0; place < length; place += 1) if (keyAt(shown, place) !== keyAt(newest, place)) moved += 1;
  return { rows, moved };
};
