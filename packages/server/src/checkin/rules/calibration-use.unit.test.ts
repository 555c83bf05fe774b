import { describe, expect, it } from 'vitest';
import { freshStats } from '../../baselines/index.ts';
import { checkIn, type CheckIn } from './check-in.ts';
import { initialScoring } from './state.ts';

const NOW = Date.UTC(2026, 5, 20);

const next = (before: CheckIn | undefined, i: number, error: number | null): CheckIn =>
  checkIn(
    {
      scoring: before?.scoring ?? initialScoring,
      baseline: freshStats,
      evidence: {
        claims: { value: 1, graded: 0, meanClaim: null, accuracy: null },
        calibration: { error, graded: 12 },
        outcomes: [],
      },
      sameSession: true,
      updateIndex: i,
      measured: false,
      resident: false,
    },
    {
      text: `Step ${i}.`,
      textTruncated: false,
      complexity: 0.4,
      confidence: 0.8,
      taskType: 'mixed',
      ownDrift: [],
      toolResults: [],
    },
    NOW + i * 60_000,
  );

/** The third check-in of an agent, at which its over-confidence is read as `error`; the two before are the same for all. */
const third = (error: number | null) => next(next(next(undefined, 1, null), 2, null), 3, error);

describe('the calibration error of an agent in its check-ins', () => {
  it('is the calibration part of the drift vector (spec checkin 2.4), scaled by the count while young', () => {
    // Two check-ins have taught the drift baseline before the third.
    expect(third(0.5).driftVector.calibration).toBeCloseTo(0.5 * (2 / 5), 12);
    expect(third(0.8).driftVector.calibration).toBeCloseTo(0.8 * (2 / 5), 12);
  });

  it('reaches integrity through it (2.5), and entropy through the norm of the vector; energy never', () => {
    const [less, more] = [third(0.5), third(0.8)];
    expect(less.observation.I - more.observation.I).toBeCloseTo(
      0.8 * 0.6 * (more.driftVector.calibration - less.driftVector.calibration),
      12,
    );
    expect(more.observation.S).toBeGreaterThan(less.observation.S);
    expect(more.observation.E).toBe(less.observation.E);
  });

  it('changes nothing else of the vector, nor the confidence that is recorded as the claim', () => {
    const [less, more] = [third(0.5), third(0.8)];
    const { calibration: _less, norm: _normOfLess, ...rest } = less.driftVector;
    const { calibration: _more, norm: _normOfMore, ...same } = more.driftVector;
    expect(same).toEqual(rest);
    expect(more.confidence).toEqual({ value: 0.8, source: 'reported' });
    expect(more.continuity).toEqual(less.continuity);
    expect(more.anomalyEntropy).toBe(less.anomalyEntropy);
  });

  it('is replaced by the change of confidence while it is unknown, and never by a default', () => {
    expect(third(null).evidence.calibration).toEqual({ error: null, graded: 12 });
    const changed = next(next(next(undefined, 1, null), 2, null), 3, null).driftVector.calibration;
    expect(changed).toBeLessThan(third(0.5).driftVector.calibration);
  });
});
