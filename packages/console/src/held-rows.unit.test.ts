import fc from 'fast-check';
import { expect, it } from 'vitest';
import { heldRows } from './held-rows.ts';

interface Row {
  readonly id: string;
  readonly value: number;
}
const rows = (value: number) =>
  fc
    .uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { maxLength: 6 })
    .map((ids) => ids.map((id): Row => ({ id, value })));

it('holds every row where it is shown, with its newest value, and counts what waits', () => {
  fc.assert(
    fc.property(rows(1), rows(2), (shown, newest) => {
      const held = heldRows(shown, newest, ({ id }) => id);
      expect(held.rows.map(({ id }) => id)).toEqual(shown.map(({ id }) => id));
      for (const { id, value } of held.rows) {
        expect(value).toBe(newest.some((row) => row.id === id) ? 2 : 1);
      }
      const isSame = JSON.stringify(shown.map(({ id }) => id)) === JSON.stringify(newest.map(({ id }) => id));
      expect(held.moved === 0).toBe(isSame);
    }),
  );
});
