import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calibrationError, calibrationMeans, freshBins, observeCalibration } from './calibration.ts';

const observe = (observed: readonly { claim: number; result: number }[]) =>
  observed.reduce(observeCalibration, freshBins);
const times = (n: number, claim: number, result: number) => Array.from({ length: n }, () => ({ claim, result }));

describe('calibration', () => {
  it('is unknown below five graded outcomes', () => {
    expect(calibrationError(observe([]))).toEqual({ error: null, graded: 0 });
    expect(calibrationError(observe(times(4, 0.9, 0)))).toEqual({ error: null, graded: 4 });
  });

  it('is the overall difference from five on, until a bin has ten', () => {
    const mixed = [...times(3, 0.9, 1), ...times(2, 0.5, 0)];
    expect(calibrationError(observe(mixed)).error).toBeCloseTo(0.74 - 0.6, 12);
    const spread = Array.from({ length: 40 }, (_, i) => ({ claim: (i % 10) / 10 + 0.05, result: 0 }));
    expect(calibrationError(observe(spread))).toEqual({ error: expect.closeTo(0.5, 12) as number, graded: 40 });
  });

  it('is the worst over-confidence of a full bin, and a bin of nine has no say', () => {
    const outcomes = [...times(10, 0.55, 0.5), ...times(10, 0.85, 0.6), ...times(9, 0.95, 0)];
    expect(calibrationError(observe(outcomes))).toEqual({ error: expect.closeTo(0.25, 12) as number, graded: 29 });
  });

  it('has the means of all graded outcomes, whatever bins they are in', () => {
    expect(calibrationMeans(freshBins)).toEqual({ pass_rate: null, mean_claim: null });
    const all = [...times(30, 0.9, 1), ...times(10, 0.5, 0)];
    expect(calibrationMeans(observe(all))).toEqual({
      pass_rate: 0.75,
      mean_claim: expect.closeTo(0.8, 12) as number,
    });
  });

  it('does not count under-confidence as error', () => {
    expect(calibrationError(observe(times(20, 0.2, 1))).error).toBe(0);
  });

  it('puts a claim on the edge of two bins into the upper one', () => {
    for (let i = 0; i <= 10; i += 1) {
      const filled = observe([{ claim: i / 10, result: 1 }]).findIndex(({ n }) => n === 1);
      expect(filled, String(i / 10)).toBe(Math.min(9, i));
    }
  });

  it('puts every claim into the bin it belongs to, 1 into the last', () => {
    expect(observe([{ claim: 1, result: 1 }]).map((bin) => bin.n)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (claim, result) => {
          const bins = observe([{ claim, result }]);
          const filled = bins.flatMap((bin, i) => (bin.n === 1 ? [i] : []));
          expect(filled).toHaveLength(1);
          expect(claim * 10).toBeGreaterThanOrEqual(filled[0]!);
          expect(claim * 10).toBeLessThan(filled[0]! === 9 ? 10.1 : filled[0]! + 1);
        },
      ),
    );
  });
});
