import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scoreContinuity, type Behaviour } from './continuity-score.ts';

/** An agent by the means of its metrics; each with spread 0.1 unless told. */
const agent = (updateCount: number, means: Record<string, number>, std = 0.1, count = updateCount): Behaviour => ({
  updateCount,
  metrics: Object.fromEntries(Object.entries(means).map(([name, mean]) => [name, { mean, std, count }])),
});
const parent = agent(20, { E: 0.5, I: 0.5 });

describe('continuity of behaviour', () => {
  it.each([
    [0.65, 'plausible'],
    [0.649, 'plausible'],
    [0.651, 'inconclusive'],
    [0.799, 'inconclusive'],
    [0.801, 'unsupported'],
    [0.199, 'unsupported'],
  ])('a child at %s of a parent at 0.5 with spread 0.1: %s', (mean, plausibility) => {
    expect(scoreContinuity(parent, agent(5, { E: mean - 1e-9 }))).toMatchObject({
      plausibility,
      observations: 5,
      parentMature: true,
      components: { E: expect.closeTo(Math.abs(mean - 0.5) / 0.1, 6) as number },
    });
  });

  it('decides at its thresholds: 1.5 is plausible, 3 is unsupported', () => {
    const whole = agent(20, { E: 0 }, 1);
    const at = (mean: number) => scoreContinuity(whole, agent(5, { E: mean })).plausibility;
    expect([at(1.5), at(-1.5), at(1.51), at(2.99), at(3), at(-3)]).toEqual([
      'plausible',
      'plausible',
      'inconclusive',
      'inconclusive',
      'unsupported',
      'unsupported',
    ]);
  });

  it('takes the mean over the metrics that both have', () => {
    const score = scoreContinuity(parent, agent(5, { E: 0.5, I: 0.7, S: 9 }));
    expect(score).toMatchObject({ plausibility: 'plausible', components: { E: 0 } });
    expect(Object.keys(score.components)).toEqual(['E', 'I']);
    expect(score.reasons).toEqual(['mean distance 1.00 of 1.5 plausible, 3 unsupported']);
  });

  it.each<[string, Behaviour, Behaviour, string[]]>([
    ['a young child', parent, agent(4, { E: 0.5 }, 0.1, 5), ['too_few_child_observations']],
    ['a young parent', agent(9, { E: 0.5 }, 0.1, 10), agent(5, { E: 0.5 }), ['parent_immature']],
    ['no shared metric', parent, agent(5, { S: 0.5 }), ['no_shared_metric']],
    ['a metric of the child measured too seldom', parent, agent(9, { E: 9 }, 0.1, 4), ['no_shared_metric']],
    [
      'a metric of the parent measured too seldom',
      agent(20, { E: 9 }, 0.1, 9),
      agent(9, { E: 0 }),
      ['no_shared_metric'],
    ],
    ['an unusable measurement', parent, agent(5, { E: Number.NaN }), ['no_shared_metric']],
    ['a name that every object has', parent, agent(5, { constructor: 1 }), ['no_shared_metric']],
    [
      'nothing at all',
      agent(0, {}),
      agent(0, {}),
      ['too_few_child_observations', 'parent_immature', 'no_shared_metric'],
    ],
  ])('is inconclusive with %s', (_, of, child, reasons) => {
    expect(scoreContinuity(of, child)).toMatchObject({ plausibility: 'inconclusive', reasons });
  });

  it('counts the spread of a parent that hardly varies as 0.05', () => {
    const still = agent(20, { E: 0.5 }, 0);
    expect(scoreContinuity(still, agent(5, { E: 0.55 })).components['E']).toBeCloseTo(1, 9);
    expect(scoreContinuity(still, agent(5, { E: 0.5 })).plausibility).toBe('plausible');
  });

  it('takes a mature parent for its own continuation, whatever its metrics are', () => {
    const metrics = fc.dictionary(
      fc.string({ minLength: 1, maxLength: 5 }),
      fc.record({
        mean: fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        std: fc.double({ min: 0, max: 1e6, noNaN: true }),
        count: fc.integer({ min: 10, max: 100 }),
      }),
      { minKeys: 1 },
    );
    fc.assert(
      fc.property(metrics, (same) => {
        const behaviour = { updateCount: 10, metrics: same };
        expect(scoreContinuity(behaviour, behaviour).plausibility).toBe('plausible');
      }),
    );
  });
});
