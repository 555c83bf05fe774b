import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anomalyEntropy, freshStats, learn, sameStats, SIGNALS, statsFromJson, type Signals } from './stats.ts';

const NOTHING: Signals = {
  tool_error_rate: null,
  tool_call_velocity: null,
  complexity_divergence: null,
  coherence: null,
};
const taught = (values: readonly number[]) =>
  values.reduce((stats, value) => learn(stats, { ...NOTHING, tool_error_rate: value }), freshStats);

describe('the behavioural baseline', () => {
  it('knows the mean and the variance of what it was taught', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 2, maxLength: 50 }),
        (values) => {
          const mean = values.reduce((a, b) => a + b, 0) / values.length;
          const squares = values.reduce((a, b) => a + (b - mean) ** 2, 0);
          const { tool_error_rate: learned } = taught(values);
          expect(learned.count).toBe(values.length);
          expect(learned.mean).toBeCloseTo(mean, 9);
          expect(learned.m2).toBeCloseTo(squares, 6);
        },
      ),
    );
  });

  it('learns nothing from what was not measured or cannot be a measurement', () => {
    expect(learn(freshStats, NOTHING)).toEqual(freshStats);
    expect(learn(freshStats, { ...NOTHING, tool_call_velocity: Number.POSITIVE_INFINITY })).toEqual(freshStats);
  });

  it('leaves the baseline that it was given as it is', () => {
    const before = taught([1, 2, 3]);
    const copy = structuredClone(before);
    const after = learn(before, { ...NOTHING, tool_error_rate: 4, coherence: 0.5 });
    expect(before).toEqual(copy);
    expect(sameStats(before, after)).toBe(false);
    expect(sameStats(before, copy)).toBe(true);
  });

  it('tells a difference in any figure of any signal', () => {
    for (const signal of SIGNALS) {
      for (const figure of ['count', 'mean', 'm2'] as const) {
        const other = { ...freshStats, [signal]: { ...freshStats[signal], [figure]: 1 } };
        expect(sameStats(freshStats, other)).toBe(false);
      }
    }
  });

  it('finds a reading unusual beyond two standard deviations, from five samples on', () => {
    const five = taught([1, 2, 3, 2, 2]);
    const reading = (tool_error_rate: number) => ({ ...NOTHING, tool_error_rate });
    expect(anomalyEntropy(five, reading(3.3))).toBe(0);
    expect(anomalyEntropy(five, reading(3.5))).toBe(0.05);
    expect(anomalyEntropy(five, reading(0.5))).toBe(0.05);
    expect(anomalyEntropy(taught([1, 2, 3, 2]), reading(99))).toBe(0);
    expect(anomalyEntropy(taught([2, 2, 2, 2, 2]), reading(99))).toBe(0);
    expect(anomalyEntropy({ ...freshStats, coherence: five.tool_error_rate }, { ...NOTHING, coherence: 99 })).toBe(0);
  });

  it('comes back from JSON the same, and never as an empty baseline in silence', () => {
    const stats = learn(taught([0.1, 0.7, 0.30000000000000004]), { ...NOTHING, coherence: 0.5 });
    expect(statsFromJson(JSON.parse(JSON.stringify(stats)) as Record<string, unknown>)).toEqual(stats);
    expect(statsFromJson({})).toEqual(freshStats);
    expect(() => statsFromJson({ coherence: { count: '3' } })).toThrow('coherence');
  });
});
