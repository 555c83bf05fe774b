import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { skillOf } from './skill.ts';
import { errorSums, tacticalBins } from './tally.ts';
import { cellOf, claims } from './testing/cells.ts';

const of = (...cells: ReturnType<typeof claims>[]) => skillOf(tacticalBins(cells.flat()), errorSums(cells.flat()));
const unit = fc.double({ min: 0, max: 1, noNaN: true });

describe('the Brier score', () => {
  it('is the mean squared distance of claims and results, and the sum of its parts', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ claim: unit, result: unit }), { minLength: 1, maxLength: 60 }), (all) => {
        const found = of(all.map(cellOf));
        const direct = all.reduce((sum, { claim, result }) => sum + (claim - result) ** 2, 0) / all.length;
        expect(found.brier).toBeCloseTo(direct, 9);
        const { reliability, resolution, uncertainty, withinBins } = found;
        expect((reliability ?? 0) - (resolution ?? 0) + (uncertainty ?? 0) + (withinBins ?? 0)).toBeCloseTo(direct, 9);
        expect(reliability).toBeGreaterThanOrEqual(0);
        expect(resolution ?? 0).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ['an oracle', of(claims(50, 50, 1), claims(50, 0, 0)), { brier: 0, resolution: 0.25, skill: 1 }],
    ['always .5 on a coin', of(claims(100, 50, 0.5)), { brier: 0.25, reliability: 0, resolution: 0, skill: 0 }],
    ['always .5, right in .85', of(claims(100, 85, 0.5)), { brier: 0.25, reliability: 0.1225, resolution: 0 }],
    ['.9 with .5 right', of(claims(100, 50, 0.9)), { brier: 0.41, reliability: 0.16, skill: -0.64 }],
  ])('%s', (_, found, expected) => {
    for (const [name, value] of Object.entries(expected)) {
      expect(found[name as 'brier'], name).toBeCloseTo(value, 9);
    }
  });

  it('claims no resolution and no skill when all results are the same', () => {
    verifies('BW-outcomes.03');
    for (const good of [0, 40]) {
      expect(of(claims(40, good, 0.9))).toMatchObject({
        resolution: null,
        skill: null,
        uncertainty: 0,
        oneClass: true,
      });
    }
    expect(of([])).toMatchObject({ n: 0, brier: null, reliability: null, skill: null, oneClass: null });
  });
});
