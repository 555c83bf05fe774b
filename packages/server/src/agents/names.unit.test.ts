import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Names } from './names.ts';

it('finds every agent by the name that it bears now, and by no other', () => {
  const name = fc.option(fc.constantFrom('a', 'b', 'c'));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom('1', '2', '3', '4'), name)), (changes) => {
      const names = new Names();
      const borne = new Map<string, string | null>();
      for (const [agentId, after] of changes) {
        names.changed(agentId, borne.get(agentId) ?? null, after);
        borne.set(agentId, after);
        for (const one of ['a', 'b', 'c']) {
          const bearers = [...borne].flatMap(([id, label]) => (label === one ? [id] : []));
          expect([...names.of(one)].sort()).toEqual(bearers.sort());
        }
      }
    }),
  );
});
