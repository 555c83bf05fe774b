import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { bindPrediction } from './binding.ts';
import { claimsDemandPause } from './claims.ts';
import { freshEvidence, recordOutcome } from './evidence.ts';
import { gradeOutcome, type OutcomeDraft } from './grading.ts';
import { evidenceSays, readEvidence } from './says.ts';
import { outcomeOfToolResult } from './tool-result.ts';

const NOW = Date.UTC(2026, 5, 1);

/** Whether a draft with a good claim of 0.95 is graded, and with which result. */
const learn = (draft: OutcomeDraft): { graded: boolean; result: number | undefined } => {
  const { isBad, isOpen, score, weight, fixture, contradiction } = gradeOutcome(draft);
  const { evidence, graded } = recordOutcome(
    freshEvidence,
    {
      isBad,
      score: isOpen ? null : score,
      weight,
      fixture,
      contradicts: contradiction !== undefined,
      binding: { claimed: true, confidence: 0.95 },
    },
    NOW,
  );
  return { graded, result: evidence.claims.recent.at(-1)?.result };
};

describe('what evidence says', () => {
  it.each([
    ['fail', { exit_code: 1 }],
    ['fail', { exit_code: -7 }],
    ['fail', { exit_code: '1' }],
    ['fail', { exit_code: 0, failed: 3 }],
    ['fail', { passed: 12, failed: '2' }],
    ['fail', { exit_code: 0, is_bad: true }],
    ['fail', { failures: ['a.test.ts'] }],
    ['fail', { errors: 1 }],
    ['fail', { tests_passed: 11, tests_failed: 1 }],
    ['fail', { result: '3 failed, 9 passed' }],
    ['fail', { result: 'boom' }],
    ['fail', { result: 'did not pass' }],
    ['fail', { result: '11/12 passed' }],
    ['fail', { status: 'timed out' }],
    ['fail', { status: 'completed', conclusion: 'cancelled' }],
    ['fail', { passed: false }],
    ['fail', { success: 'false' }],
    ['fail', { ok: false }],
    ['fail', { error: 'TypeError: x' }],
    ['fail', { ci: { run: 7, conclusion: 'failure' } }],
    ['fail', { score: 0.2 }],
    ['pass', { exit_code: 0 }],
    ['pass', { exit_code: '0' }],
    ['pass', { exit_code: 0, error: 'a warning on stderr' }],
    ['pass', { exit_code: 0, timeout: 30 }],
    ['pass', { exit_code: 0, before: { exit_code: 1 } }],
    ['pass', { passed: 12, failed: 0 }],
    ['pass', { result: '12 passed, 0 failed' }],
    ['pass', { result: '12/12 passed' }],
    ['pass', { result: 'OK' }],
    ['pass', { result: 'no errors' }],
    ['pass', { conclusion: 'success' }],
    ['pass', { passed: true }],
    ['pass', { is_bad: false }],
    ['unknown', {}],
    ['unknown', { command: 'npm test', note: 'failed before, passes now' }],
    ['unknown', { exit_code: null, passed: 0 }],
    ['unknown', { result: 'see the log' }],
    ['unknown', { status: 200 }],
  ])('is %s for %j', (says, detail) => {
    verifies('BW-outcomes.05');
    expect(evidenceSays(detail)).toBe(says);
  });

  it('names the fields that say so', () => {
    expect(readEvidence({ exit_code: 0, failed: 3, ci: { conclusion: 'red' } })).toEqual({
      says: 'fail',
      fields: ['failed', 'ci.conclusion'],
    });
  });

  it.each<[OutcomeDraft]>([
    [{ type: 'test_passed', detail: { command: 'x', exit_code: 1 } }],
    [{ type: 'task_completed', detail: { command: 'x', exit_code: 1 } }],
    [{ type: 'test_passed', detail: { kind: 'test', failed: true, exit_code: 2 } }],
    [{ type: 'test_failed', score: 1, detail: { command: 'x', exit_code: 1 } }],
    [{ type: 'task_failed', isBad: true, score: 0.97, detail: { command: 'x', exit_code: 1 } }],
    [{ type: 'test_failed', isBad: false, detail: { command: 'x', exit_code: 0 } }],
    [{ type: 'task_completed', detail: { command: 'x', exit_code: -7 } }],
    [{ type: 'test_passed', detail: { kind: 'test', result: 'boom' } }],
    [{ type: 'test_passed', detail: { command: 'x', exit_code: 0, ci: { conclusion: 'failure' } } }],
    [outcomeOfToolResult({ tool: 'x', summary: 's', exit_code: 1, is_bad: false })],
  ])('is never learned from as a success: %j', (draft) => {
    verifies('BW-outcomes.05');
    expect(learn(draft)).toEqual({ graded: false, result: undefined });
  });

  it('lets no score soften a failure', () => {
    verifies('BW-outcomes.05');
    expect(learn({ type: 'test_failed', score: 0.5, detail: { command: 'x', exit_code: 1 } })).toEqual({
      graded: true,
      result: 0,
    });
    expect(learn({ type: 'test_passed', score: 0.85, detail: { command: 'x', exit_code: 0 } }).result).toBe(1);
  });

  it('agrees with every graded result, whatever is sent, and by whichever way in', () => {
    verifies('BW-outcomes.05');
    const value = fc.oneof(
      fc.constantFrom<unknown>(
        true,
        false,
        null,
        0,
        1,
        2,
        -7,
        '0',
        '1',
        'passed',
        'failed',
        'boom',
        'ok',
        '3 failed',
        'red',
        'green',
      ),
      fc.jsonValue({ maxDepth: 1 }),
    );
    const keys = [
      'command', 'tool', 'test', 'kind', 'exit_code', 'failed', 'passed', 'failures', 'errors', 'error', 'result',
      'status', 'conclusion', 'is_bad', 'success', 'ok', 'score', 'tests_failed', 'tests_passed',
    ]; // prettier-ignore
    const flat = fc.dictionary(fc.constantFrom(...keys), value, { maxKeys: 6 });
    const detail = fc
      .tuple(flat, fc.option(flat, { nil: undefined }))
      .map(([top, below]) => (below === undefined ? top : { ...top, ci: below }));
    const draft: fc.Arbitrary<OutcomeDraft> = fc.record(
      {
        type: fc.constantFrom('test_passed', 'test_failed', 'task_completed', 'task_failed', 'trajectory_validated'),
        detail,
        score: fc.double({ min: 0, max: 1, noNaN: true }),
        isBad: fc.boolean(),
      },
      { requiredKeys: ['type', 'detail'] },
    );
    const result = fc.record(
      {
        tool: fc.constant('bash'),
        summary: fc.constantFrom('3 failed', '12 passed'),
        kind: fc.constantFrom('test', 'command', 'tool_call'),
        exit_code: fc.constantFrom(null, 0, 1, -7),
        is_bad: fc.constantFrom(null, true, false),
        error: fc.constantFrom(null, '', 'boom'),
      },
      { requiredKeys: ['tool', 'summary'] },
    );
    let graded = 0;
    fc.assert(
      fc.property(fc.oneof(draft, result.map(outcomeOfToolResult)), (one) => {
        const learned = learn(one);
        if (!learned.graded) return;
        graded += 1;
        expect(learned.result).toBe(evidenceSays(one.detail) === 'fail' ? 0 : 1);
        expect(evidenceSays(one.detail)).not.toBe('unknown');
      }),
      { numRuns: 5000 },
    );
    expect(graded).toBeGreaterThan(100);
  });

  it('does not pay for forty failures that are called passes', () => {
    verifies('BW-outcomes.05');
    let evidence = freshEvidence;
    const bound = bindPrediction({ predictionId: undefined, stored: undefined, agentId: 'a', argument: 1, now: NOW });
    for (let i = 0; i < 40; i += 1) {
      const { isBad, score, weight, fixture, contradiction } = gradeOutcome({
        type: 'test_passed',
        detail: { command: 'npm test', exit_code: 1 },
      });
      evidence = recordOutcome(
        evidence,
        {
          isBad,
          score,
          weight,
          fixture,
          contradicts: contradiction !== undefined,
          binding: { ...bound, claimed: true },
        },
        NOW,
      ).evidence;
    }
    expect([evidence.claims.graded, claimsDemandPause(evidence.claims)]).toEqual([0, false]);
    expect(evidence.recent.every(({ isBad }) => isBad)).toBe(true);
  });

  it('says what is missing in evidence that does not suffice', () => {
    const missing = (detail: Record<string, unknown>) => gradeOutcome({ type: 'test_passed', detail }).missing;
    expect(missing({ commit: 'abc' })).toMatch(/command, exit_code/);
    expect(missing({ command: 'npm test' })).toMatch(/exit_code/);
    expect(missing({ exit_code: 0 })).toMatch(/command, tool or test/);
    expect(missing({ test: 'all' })).toMatch(/exit_code.*result/);
    for (const enough of [
      { test: 'all', result: 'passed' },
      { test: 'all', exit_code: 0 },
      { command: 'npm test', exit_code: 0 },
      { tests_passed: 12, tests_failed: 0 },
    ]) {
      expect(gradeOutcome({ type: 'test_passed', detail: enough })).toMatchObject({ grade: 'tool_observed' });
      expect(missing(enough)).toBeUndefined();
    }
  });
});
