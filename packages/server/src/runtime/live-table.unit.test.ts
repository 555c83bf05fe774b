import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import { COLD, createLiveTable } from './live-table.ts';

type Tree = Record<string, unknown>;

/** Every object and array of a tree, root first. */
const nodesOf = (value: unknown): object[] =>
  typeof value === 'object' && value !== null ? [value, ...Object.values(value).flatMap(nodesOf)] : [];

const tree = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<unknown>);

describe('LiveTable', () => {
  it('gives the value or cold, and cold is never undefined', () => {
    verifies('W3-10.01');
    const { table, writer } = createLiveTable<Tree | undefined>('t');
    expect(table.read('k')).toBe(COLD);
    expect(COLD).toEqual({ ok: false, cold: true });
    writer.publish('k', { n: 1 });
    expect(table.read('k')).toEqual({ ok: true, value: { n: 1 } });
    writer.publish('absent value', undefined);
    expect(table.read('absent value')).toEqual({ ok: true, value: undefined });
    writer.remove('k');
    expect(table.read('k')).toBe(COLD);
    expect(table.read('__proto__')).toBe(COLD);
  });

  it('cannot be changed through a reading, at any depth, even when the published value was frozen at its surface', () => {
    verifies('BW-runtime.06');
    fc.assert(
      fc.property(tree, fc.boolean(), (value, surfaceFrozen) => {
        const { table, writer } = createLiveTable<Tree>('t');
        const copy = structuredClone(value);
        writer.publish('k', surfaceFrozen ? Object.freeze(value) : value);
        const reading = table.read('k');
        for (const node of nodesOf(reading)) {
          expect(() => Object.assign(node, { intruder: 1 })).toThrow(TypeError);
          for (const name of Object.keys(node)) expect(Reflect.set(node, name, 'changed')).toBe(false);
        }
        expect(table.read('k')).toEqual({ ok: true, value: copy });
      }),
    );
  });

  it('walks exactly the values that are there, whatever came and went', () => {
    const change = fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.option(fc.integer()));
    fc.assert(
      fc.property(fc.array(change), (changes) => {
        const { table, writer } = createLiveTable<number>('t');
        const expected = new Map<string, number>();
        for (const [key, value] of changes) {
          if (value === null) {
            writer.remove(key);
            expected.delete(key);
          } else {
            writer.publish(key, value);
            expected.set(key, value);
          }
        }
        expect([...table.values()].sort()).toEqual([...expected.values()].sort());
        expect(new Map(table.entries())).toEqual(expected);
        expect(table.size).toBe(expected.size);
      }),
    );
  });

  it('gives its readers no means to write', () => {
    verifies('W3-10.03');
    const { table, writer } = createLiveTable<Tree>('t');
    writer.publish('k', { n: 1 });
    expect(Object.keys(table).sort()).toEqual(['changes', 'entries', 'name', 'read', 'size', 'values']);
    expect(() => Object.assign(table, { read: () => COLD })).toThrow(TypeError);
    for (const [, value] of table.entries()) expect(Object.isFrozen(value)).toBe(true);
    expect([...table.entries()]).toEqual([['k', { n: 1 }]]);
    expect(table.size).toBe(1);
  });
});
