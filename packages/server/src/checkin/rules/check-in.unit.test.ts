import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { freshStats } from '../../baselines/index.ts';
import { deepFreeze } from '../../runtime/index.ts';
import { checkIn, type CheckInContext, type CheckInInput } from './check-in.ts';
import { initialScoring } from './state.ts';
import { arbRun, play } from './testing/arbitraries.ts';

const NOW = Date.UTC(2026, 0, 1);

const context = (changes: Partial<CheckInContext> = {}): CheckInContext => ({
  scoring: initialScoring,
  baseline: freshStats,
  evidence: {
    claims: { value: 1, graded: 0, meanClaim: null, accuracy: null },
    calibration: { error: null, graded: 0 },
    outcomes: [],
  },
  sameSession: true,
  updateIndex: 1,
  measured: false,
  resident: false,
  ...changes,
});

const input = (changes: Partial<CheckInInput> = {}): CheckInInput => ({
  text: 'Fixed the limiter and ran its tests.',
  textTruncated: false,
  taskType: 'mixed',
  ownDrift: [],
  toolResults: [],
  ...changes,
});

/** Every number somewhere in a value. */
const numbersIn = (value: unknown): number[] => {
  if (typeof value === 'number') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(numbersIn);
};

describe('checkIn', () => {
  it('accepts frozen arguments, changes none, and gives equal results for equal ones', () => {
    verifies('W3-2.08');
    fc.assert(
      fc.property(arbRun({ minLength: 1, maxLength: 30 }), (steps) => {
        for (const call of play(steps)) {
          const given = structuredClone([call.context, call.input]);
          const again = checkIn(deepFreeze(call.context), deepFreeze(call.input), call.now);
          expect(isDeepStrictEqual(again, call.result)).toBe(true);
          expect(isDeepStrictEqual([call.context, call.input], given)).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('gives finite numbers only, within their ranges, and a reason of at most 120 characters', () => {
    fc.assert(
      fc.property(arbRun({ minLength: 1, maxLength: 40 }), (steps) => {
        for (const { result } of play(steps)) {
          expect(numbersIn(result).every(Number.isFinite)).toBe(true);
          for (const x of [result.eisv.E, result.eisv.I, result.eisv.S, ...Object.values(result.risk)]) {
            expect(x >= 0 && x <= 1).toBe(true);
          }
          expect(Math.abs(result.eisv.V)).toBeLessThanOrEqual(1);
          expect(result.decision.reason.length).toBeLessThanOrEqual(120);
          expect(result.decision.reason).not.toBe('');
          expect(result.pauseEvidence !== undefined).toBe(result.decision.action === 'pause');
        }
      }),
      { numRuns: 60 },
    );
  });

  it('reports the void as entered at the update that enters it, judged by the flag before', () => {
    verifies('W3-2.03');
    let entered = 0;
    let stayed = 0;
    fc.assert(
      fc.property(arbRun({ minLength: 1, maxLength: 40 }), (steps) => {
        let before = false;
        for (const { result } of play(steps)) {
          expect(result.voidActive).toBe(Math.abs(result.eisv.V) > result.voidThreshold);
          expect(result.voidEntered).toBe(!before && result.voidActive);
          expect(result.scoring.voidActive).toBe(result.voidActive);
          if (result.voidEntered) entered += 1;
          if (before && result.voidActive) stayed += 1;
          before = result.voidActive;
        }
      }),
      { numRuns: 60 },
    );
    expect(entered).toBeGreaterThan(10);
    expect(stayed).toBeGreaterThan(10);
  });

  it('computes from what was before and reports what is after', () => {
    verifies('W3-2.06');
    const first = checkIn(context(), input({ confidence: 0.9, complexity: 0.2 }), NOW);
    const silent = input({ text: 'Wrote 2 files.\n\n- a\n- b\n- c\n- d\n- e' });
    const second = checkIn(context({ ...first, updateIndex: 2 }), silent, NOW + 60_000);
    // A claim that was not made is the average before this update, not the one it produces.
    expect(second.confidence).toEqual({ value: first.scoring.drift.confidence, source: 'derived' });
    expect(first.scoring.drift.confidence).toBeCloseTo(0.63, 12);
    // The divergence is the distance to the complexity that was derived before.
    expect(second.continuity.divergence).toBeCloseTo(
      Math.abs(second.scoring.derivedComplexity! - first.scoring.derivedComplexity!),
      12,
    );
    expect(second.continuity.divergence).toBeGreaterThan(0);
    // Reported values are those after: E, I, S, V, and the histories that end with them.
    expect(second.eisv.E).toBe(second.scoring.behaviour.history.E.at(-1));
    expect(second.scoring.behaviour.history.E).toEqual([first.eisv.E, second.eisv.E]);
    expect(second.scoring.finalRisks).toEqual([first.risk.final, second.risk.final]);
    expect(second.scoring.drift.decisions).toEqual([first.verdict, second.verdict]);
  });

  it('puts the rules together over a whole run as their definitions say', () => {
    fc.assert(
      fc.property(arbRun({ minLength: 15, maxLength: 40 }), (steps) => {
        const results = play(steps).map(({ result }) => result);
        const moved = results.map(({ eisv }, i) => {
          const before = results[i - 1]?.eisv;
          return before === undefined
            ? 0
            : (['E', 'I', 'S', 'V'] as const).reduce((total, d) => total + Math.abs(eisv[d] - before[d]), 0);
        });
        results.forEach((result, i) => {
          const { risk, eisv, driftVector, decision } = result;
          // The final risk adds the speed of the state, from the third state on.
          expect(risk.final).toBeCloseTo(i < 2 ? risk.raw : Math.min(1, risk.raw + Math.min(0.15, 2 * moved[i]!)), 12);
          const finals = results.slice(Math.max(0, i - 9), i + 1).map((r) => r.risk.final);
          expect(risk.gated).toBeCloseTo(finals.reduce((x, y) => x + y, 0) / finals.length, 12);
          expect(result.scoring.regimes).toEqual(results.slice(Math.max(0, i - 9), i + 1).map((r) => r.regime));
          // Drift feels the speed of the update before, not its own; the agent's own numbers may take 30 % of it away.
          const speed = moved[i - 1] ?? 0;
          if (speed > 0.01)
            expect(driftVector.coherence).toBeGreaterThanOrEqual(0.7 * 0.5 * Math.min(0.5, speed) - 1e-12);
          // The nearest edge is measured with the final risk.
          const toVoid = result.voidActive ? -1 : result.voidThreshold - Math.abs(eisv.V);
          if (decision.nearest_edge !== null) {
            expect(decision.nearest_edge).toBe(toVoid < 0.7 - risk.final ? 'void' : 'risk');
          } else {
            expect(i).toBeLessThan(2);
          }
        });
      }),
      { numRuns: 60 },
    );
  });

  it('judges an unusual reading by the baseline before it is learned', () => {
    // An error rate of 0.25 lies three deviations off before it is learned, and less than two after.
    const calm = { count: 5, mean: 0.1, m2: 0.01 };
    const baseline = { ...freshStats, tool_error_rate: calm };
    const toolResults = [1, 0, 0, 0].map((exit_code) => ({ tool: 'pytest', summary: 'ran', exit_code }));
    const result = checkIn(context({ baseline }), input({ toolResults }), NOW);
    expect(result.anomalyEntropy).toBe(0.05);
    expect(result.baseline.tool_error_rate.count).toBe(6);
    expect(result.baseline.coherence.count).toBe(0);
  });

  it('knows a pace only when it knows the time since the last check-in', () => {
    const results = [{ tool: 'bash', summary: 'ls' }];
    const first = checkIn(context(), input({ toolResults: results }), NOW);
    expect(first.baseline.tool_call_velocity.count).toBe(0);
    const later = checkIn(context({ ...first }), input({ toolResults: results }), NOW + 30_000);
    expect(later.baseline.tool_call_velocity).toEqual({ count: 1, mean: 2, m2: 0 });
    const setBack = checkIn(context({ ...first }), input({ toolResults: results }), NOW - 30_000);
    expect(setBack.baseline.tool_call_velocity.count).toBe(0);
  });

  it('mixes in only the drift numbers that the agent sent', () => {
    const drift = { ...initialScoring.drift, count: 9, coherence: 0.8, consistency: 0.6 };
    const settled = context({ scoring: { ...initialScoring, drift } });
    const plain = checkIn(settled, input({ confidence: 0.9 }), NOW).driftVector;
    const own = checkIn(settled, input({ confidence: 0.9, ownDrift: [0.5] }), NOW).driftVector;
    expect(Math.min(plain.calibration, plain.coherence, plain.stability)).toBeGreaterThan(0.1);
    expect(own.calibration).toBeCloseTo(0.7 * plain.calibration + 0.15, 12);
    expect(own.coherence).toBe(plain.coherence);
    expect(own.stability).toBe(plain.stability);
  });

  it('labels the state as prior until three updates are behind it', () => {
    const sources = play(
      Array.from({ length: 4 }, () => ({
        input: input(),
        evidence: context().evidence,
        gapMs: 60_000,
        sameSession: true,
        measured: false,
        resident: false,
      })),
    ).map(({ result }) => result.source);
    expect(sources).toEqual(['prior', 'prior', 'derived', 'derived']);
  });

  it('never pauses for basin, void or oscillation', () => {
    verifies('BW-checkin.09');
    let structural = 0;
    let early = 0;
    fc.assert(
      fc.property(arbRun({ minLength: 1, maxLength: 40 }), (steps) => {
        const quiet = steps.map((step) => ({
          ...step,
          evidence: { ...step.evidence, claims: { ...step.evidence.claims, value: 1 } },
        }));
        for (const { context: given, result } of play(quiet)) {
          const { basin, voidActive, oscillation, risk, decision } = result;
          if (basin === 'low' || voidActive || oscillation.resonant) structural += 1;
          const warming = given.updateIndex <= 3 && decision.action === 'proceed' && (basin === 'low' || voidActive);
          expect(decision.reason === 'warming_up').toBe(warming);
          if (warming) early += 1;
          if (decision.action === 'pause') {
            expect(risk.final > 0.7 || risk.raw >= 0.6 || risk.gated >= 0.7).toBe(true);
          }
        }
      }),
      { numRuns: 60 },
    );
    expect(structural).toBeGreaterThan(100);
    expect(early).toBeGreaterThan(3);
  });
});
