import fc from 'fast-check';
import { expect, it } from 'vitest';
import { firstOf } from './first-of.ts';

it('gives what sorting the whole and cutting it would give, equals in their order', () => {
  const items = fc.array(fc.record({ key: fc.integer({ min: 0, max: 20 }), id: fc.integer() }), { maxLength: 200 });
  fc.assert(
    fc.property(items, fc.integer({ min: 0, max: 220 }), (all, count) => {
      const compare = (a: { key: number }, b: { key: number }) => a.key - b.key;
      const first = firstOf(all, count, compare);
      expect(first).toEqual([...all].sort(compare).slice(0, count));
    }),
  );
});
