import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { decodeScoring, encodeScoring, initialScoring, type ScoringState } from './state.ts';
import type { BehaviouralStats } from '../../baselines/index.ts';
import type { CheckIn } from './check-in.ts';
import { arbRun, play, type Call } from './testing/arbitraries.ts';

/** Through text, as jsonb keeps it: doubles by their shortest digits, no −0, keys in an order of its own. */
const stored = (json: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(JSON.parse(JSON.stringify(json)) as Record<string, unknown>).sort(
      ([a], [b]) => a.length - b.length || (a < b ? 1 : -1),
    ),
  );

const throughStorage = (state: ScoringState): ScoringState => {
  const { json, driftBaseline } = encodeScoring(state);
  return decodeScoring(stored(json), stored(driftBaseline) as typeof driftBaseline);
};

const restarted = (result: CheckIn) => ({
  scoring: throughStorage(result.scoring),
  baseline: stored(result.baseline) as BehaviouralStats,
});

const lastOf = (steps: Parameters<typeof play>[0]): ScoringState => play(steps).at(-1)!.result.scoring;

describe('the stored scoring state', () => {
  it('gives the same results through 1,000 check-ins with a restart after each', () => {
    verifies('BW-checkin.03');
    fc.assert(
      fc.property(arbRun({ minLength: 1000, maxLength: 1000 }), (steps) => {
        const without = play(steps);
        const withRestarts = play(steps, restarted);
        const differing = without.findIndex((call, i) => !isDeepStrictEqual(call.result, withRestarts[i]?.result));
        expect(differing).toBe(-1);
      }),
      { numRuns: 2, endOnFailure: true },
    );
  });

  it('restores every state exactly, the first included', () => {
    expect(throughStorage(initialScoring)).toStrictEqual(initialScoring);
    fc.assert(
      fc.property(arbRun({ minLength: 1, maxLength: 130 }), (steps) => {
        const state = lastOf(steps);
        expect(isDeepStrictEqual(throughStorage(state), state)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('restores what a run seldom comes to', () => {
    const [{ result }] = play(fc.sample(arbRun({ minLength: 1, maxLength: 1 }), { numRuns: 1, seed: 1 })[0]!) as [Call];
    const state: ScoringState = {
      ...result.scoring,
      calm: 2,
      voidActive: true,
      regimes: ['STABLE', 'EXPLORATION', 'DIVERGENCE', 'TRANSITION', 'CONVERGENCE'],
      oscillation: { index: -0.123456789, riskSide: 1, coherenceSide: -1, routes: ['safe', 'caution', 'high-risk'] },
      recent: [
        { at: 0, topicHash: '', action: 'pause' },
        { at: Date.UTC(2026, 5, 1), topicHash: '0123abcd', action: 'proceed' },
      ],
    };
    expect(throughStorage(state)).toStrictEqual(state);
  });

  it('stays within 3 KB with full histories', () => {
    fc.assert(
      fc.property(arbRun({ minLength: 120, maxLength: 120 }), (steps) => {
        const state = lastOf(steps);
        expect(state.behaviour.history.V).toHaveLength(100);
        expect(state.recent).toHaveLength(20);
        expect(JSON.stringify(encodeScoring(state).json).length).toBeLessThanOrEqual(3072);
      }),
      { numRuns: 10 },
    );
  });

  it('starts anew on the drift baseline when the row carries no scoring', () => {
    const { driftBaseline } = encodeScoring(initialScoring);
    const state = decodeScoring(undefined, { ...driftBaseline, baseline_confidence: 0.8, update_count: 12 });
    expect(state).toEqual({ ...initialScoring, drift: { ...initialScoring.drift, confidence: 0.8, count: 12 } });
  });

  it('throws on a state that is there but unreadable, instead of forgetting the agent', () => {
    const { json, driftBaseline } = encodeScoring(initialScoring);
    const damaged: [string, unknown][] = [
      ['v', 2],
      ['n', 3],
      ['h', 'AAAA'],
      ['g', 'x'],
      ['o', [0, 0, 0]],
      ['a', true],
      ['r', 'nonsense'],
    ];
    for (const [key, value] of damaged) {
      expect(() => decodeScoring({ ...json, [key]: value }, driftBaseline), key).toThrow('scoring state');
    }
    expect(() => decodeScoring(json, { ...driftBaseline, alpha: Number.NaN })).toThrow('drift baseline');
  });
});
