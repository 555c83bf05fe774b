import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Columns, columnsOf } from './columns.ts';
import { createLiveTable } from './live-table.ts';

const all = <T extends object, V>(columns: Columns<T>, of: (item: T) => V): V[] => {
  const values = columns.get(of);
  expect(columns.items.length).toBe(values.length);
  return [...values];
};

it('gives of each item what its function makes of it, however items come, change and go', () => {
  const step = fc.record({
    key: fc.integer({ min: 0, max: 12 }).map(String),
    value: fc.option(fc.record({ n: fc.integer({ min: 0, max: 3 }) }), { nil: undefined }),
    looks: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { table, writer } = createLiveTable<{ readonly n: number }>('numbers');
      const columns = columnsOf(table);
      const double = ({ n }: { readonly n: number }) => n * 2;
      const word = ({ n }: { readonly n: number }) => `n${n}`;
      for (const { key, value, looks } of steps) {
        if (value === undefined) writer.remove(key);
        else writer.publish(key, value);
        if (looks) expect(all(columns, double)).toEqual([...table.values()].map(double));
      }
      expect(all(columns, double)).toEqual([...table.values()].map(double));
      expect(all(columns, word)).toEqual([...table.values()].map(word));
    }),
  );
});

it('asks an item once, and again only when it is another one', () => {
  let items = [{ n: 1 }, { n: 2 }, { n: 3 }];
  const asked: number[] = [];
  const columns = new Columns(
    () => items,
    () => items.reduce((sum, { n }) => sum + n, 0),
  );
  const of = ({ n }: { readonly n: number }) => {
    asked.push(n);
    return n;
  };
  columns.get(of);
  columns.get(of);
  items = items.with(1, { n: 5 });
  expect(all(columns, of)).toEqual([1, 5, 3]);
  expect(asked).toEqual([1, 2, 3, 5]);
});
