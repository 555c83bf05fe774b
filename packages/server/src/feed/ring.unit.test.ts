import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Ring } from './ring.ts';

test('keeps the newest up to its bound, and knows the newest that it let go', () => {
  const steps = fc.array(fc.nat({ max: 30 }), { maxLength: 20 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.nat({ max: 20 }), steps, (capacity, recalled, pushes) => {
      const ring = new Ring<number>(capacity);
      const past = Array.from({ length: recalled }, (_, i) => i - recalled);
      let all: number[] = [];
      const check = () => {
        expect(ring.all()).toEqual(all.slice(-capacity));
        expect(ring.lost).toBe(all.at(-capacity - 1));
      };
      let count = 0;
      pushes.forEach((pushed, i) => {
        for (let n = 0; n < pushed; n += 1) {
          ring.push(count);
          all.push(count);
          count += 1;
        }
        if (i === 1) {
          ring.recall(past);
          all = [...past, ...all];
        }
        check();
      });
    }),
  );
});
