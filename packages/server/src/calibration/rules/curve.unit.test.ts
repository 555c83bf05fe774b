import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { curveOf, wilson } from './curve.ts';

const share = fc.double({ min: 0, max: 1, noNaN: true });

describe('the Wilson interval', () => {
  // Published: Wilson 1927 by the formula, as in Newcombe 1998, table I.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('of %d in %d', (good, n, low, high) => {
    const [lower, upper] = wilson(good / n, n);
    expect(lower).toBeCloseTo(low, 4);
    expect(upper).toBeCloseTo(high, 4);
  });

  it('holds the share, stays between 0 and 1, and narrows with more samples', () => {
    fc.assert(
      fc.property(share, fc.integer({ min: 1, max: 1e6 }), (accuracy, n) => {
        const [lower, upper] = wilson(accuracy, n);
        expect(lower).toBeGreaterThanOrEqual(0);
        expect(upper).toBeLessThanOrEqual(1);
        expect(lower).toBeLessThanOrEqual(accuracy);
        expect(upper).toBeGreaterThanOrEqual(accuracy);
        const [wider, higher] = wilson(accuracy, Math.max(1, n - 1));
        expect(upper - lower).toBeLessThanOrEqual(higher - wider + 1e-12);
      }),
    );
  });
});

describe('a curve', () => {
  it('has ten bins with exact edges, and nothing but counts where nothing was seen', () => {
    const curve = curveOf(Array.from({ length: 10 }, () => ({ n: 0, sumClaim: 0, sumResult: 0 })));
    expect(curve.map(({ lower }) => lower)).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]);
    expect(curve.map(({ upper }) => upper)).toEqual([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]);
    for (const bin of curve) expect(bin).toMatchObject({ n: 0, meanConfidence: null, accuracy: null, interval: null });
  });

  it('keeps means between 0 and 1 although sums are rounded', () => {
    const sum = Array.from({ length: 10 }, () => 0.1).reduce((a, b) => a + b, 0);
    expect(curveOf([{ n: 1, sumClaim: 1, sumResult: sum + 1e-9 }])[0]).toMatchObject({ accuracy: 1 });
  });
});
