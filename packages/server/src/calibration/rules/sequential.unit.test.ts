import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { claimsValue, freshClaims, observeClaim } from '../../outcomes/testing/claims.ts';
import { seededRandom } from '../../runtime/index.ts';
import { chanceIfHonest } from './sequential.ts';

describe('the sequential test', () => {
  it('says nothing before a result, and nothing beyond certainty', () => {
    expect(chanceIfHonest({ value: 1, graded: 0 })).toBeNull();
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.integer({ min: 1, max: 1e6 }), (value, graded) => {
        const chance = chanceIfHonest({ value, graded });
        expect(chance).toBeGreaterThan(0);
        expect(chance).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('is right about honest agents at any time: no more of them stand so high than it says', () => {
    const random = seededRandom(7);
    const agents = 4000;
    const looks = [5, 20, 60];
    const low = looks.map(() => 0);
    for (let agent = 0; agent < agents; agent += 1) {
      let state = freshClaims;
      for (let n = 1; n <= 60; n += 1) {
        const claim = 0.5 + 0.45 * random();
        // As bad as an honest agent may be: five points worse than it says.
        state = observeClaim(state, { claim, result: random() < claim - 0.05 ? 1 : 0 });
        const at = looks.indexOf(n);
        const chance = chanceIfHonest({ value: claimsValue(state), graded: n });
        if (at !== -1 && chance !== null && chance <= 0.1) low[at] = (low[at] ?? 0) + 1;
      }
    }
    // A tenth of them would be allowed; three standard deviations of the count more are chance.
    for (const count of low) expect(count).toBeLessThan(0.1 * agents + 3 * Math.sqrt(0.09 * agents));
  });
});
