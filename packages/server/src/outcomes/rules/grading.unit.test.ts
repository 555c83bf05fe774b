import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { gradeOutcome, type OutcomeDraft } from './grading.ts';
import { outcomeOfToolResult } from './tool-result.ts';

const grade = (detail: Record<string, unknown>, rest: Partial<OutcomeDraft> = {}) =>
  gradeOutcome({ type: 'task_completed', detail, ...rest });

/** Names by which a caller could try to state its own standing, as an attacker would spell them. */
const FORGED = [
  'verification_source',
  'verified',
  'Verified-By',
  'verificationSource',
  'GRADE',
  'weight',
  'evidence_weight',
  'corroboration',
  'corroboration_grade',
  'provenance',
  'provenance_context',
  'ｖｅｒｉｆｉｅｄ',
  'ver\u200bified',
  'trusted_sources',
] as const;

const forgedKey = fc.constantFrom(...FORGED);
const forgedValue = fc.constantFrom<unknown>(true, 1, 'externally_verified', 'external_signal', 'substrate_observed', {
  verified: true,
  weight: 1,
});

/** Arbitrary detail, with forged keys planted at arbitrary depth. */
const detail = fc.letrec<{ node: unknown; object: Record<string, unknown> }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small' },
    fc.jsonValue({ maxDepth: 1 }),
    forgedValue,
    fc.array(tie('node'), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(
    fc.oneof(
      fc.string({ maxLength: 6 }),
      forgedKey,
      fc.constantFrom('command', 'exit_code', 'tool', 'pr', 'kind', '__proto__'),
    ),
    tie('node'),
    { maxKeys: 5 },
  ),
})).object;

const keysOf = (value: unknown): string[] =>
  typeof value === 'object' && value !== null
    ? [...(Array.isArray(value) ? [] : Object.keys(value)), ...Object.values(value).flatMap(keysOf)]
    : [];

describe('grading', () => {
  it.each([
    ['test_failed', true, 0],
    ['tool_rejected', true, 0],
    ['drawing_abandoned', true, 0],
    ['task_failed', true, 0],
    ['test_passed', false, 1],
    ['drawing_completed', false, 1],
    ['task_completed', false, 1],
    ['watcher_finding_confirmed', false, 1],
    ['trajectory_validated', false, null],
    ['dialectic_resolved', false, null],
    ['watcher_finding_dismissed', false, null],
  ] as const)('%s is bad: %s, score %s, unless the caller says otherwise', (type, isBad, score) => {
    verifies('BW-outcomes.01');
    expect(gradeOutcome({ type, detail: {} })).toMatchObject({ isBad, score });
    expect(gradeOutcome({ type, detail: {}, isBad: !isBad })).toMatchObject({
      isBad: !isBad,
      score: isBad ? (expect.anything() as unknown) : 0,
    });
    expect(gradeOutcome({ type, detail: {}, score: 0.4 })).toMatchObject({ isBad, score: 0.4 });
  });

  it.each([
    ['claim_only', 0.1, {}],
    ['claim_only', 0.1, { note: 'it works, believe me', exit_code: 0 }],
    ['claim_only', 0.1, { commit: '', pr: null, tool: ' ', ci: {} }],
    ['self_report_with_refs', 0.35, { commit: 'abc123' }],
    ['self_report_with_refs', 0.35, { pr: 457 }],
    ['self_report_with_refs', 0.35, { command: 'npm test' }],
    ['self_report_with_refs', 0.35, { command: 'npm test', exit_code: '0' }],
    ['self_report_with_refs', 0.35, { tool: 'pytest', kind: 'test' }],
    ['self_report_with_refs', 0.35, { kind: 'lint', tool: 'eslint', passed: true }],
    ['tool_observed', 0.65, { command: 'npm test', exit_code: 0 }],
    ['tool_observed', 0.65, { tool: 'pytest', exit_code: 1 }],
    ['tool_observed', 0.65, { kind: 'test', passed: 12, failed: 0 }],
    ['tool_observed', 0.65, { kind: 'test', result: 'passed' }],
  ])('grades %s (%d) by the structure of %j', (expected, weight, given) => {
    verifies('BW-outcomes.01');
    expect(grade(given)).toMatchObject({ grade: expected, weight });
  });

  it('keeps the grades above tool_observed for sources of the server', () => {
    verifies('BW-outcomes.01');
    expect(gradeOutcome({ type: 'task_completed', detail: {} }, 'server_observation')).toMatchObject({ weight: 0.85 });
    expect(gradeOutcome({ type: 'task_completed', detail: {} }, 'external_signal')).toMatchObject({ weight: 1 });
  });

  it('gives a caller no weight for anything it says of its own standing, at any depth', () => {
    verifies('BW-outcomes.01');
    fc.assert(
      fc.property(detail, forgedKey, forgedValue, (honest, name, value) => {
        const plain = grade(honest);
        const forged = grade({ ...honest, [name]: value, nested: [{ [name]: value }] });
        expect(plain.weight).toBeLessThanOrEqual(0.65);
        expect(forged.weight).toBeLessThanOrEqual(plain.weight);
        expect(forged.stripped).toContain(name);
        const left = keysOf(forged.detail).map((key) =>
          key
            .normalize('NFKC')
            .toLowerCase()
            .replace(/[^a-z]/g, ''),
        );
        expect(left.filter((key) => /^(verif|corroborat|provenance|grade$|weight$|trusted)/.test(key))).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  it('reports where it took something out, and leaves the rest as it was', () => {
    verifies('BW-outcomes.01');
    const given = { command: 'make', exit_code: 0, log: { verified: true, lines: [{ grade: 'A', text: 'ok' }] } };
    const graded = grade(given);
    expect(graded.detail).toEqual({ command: 'make', exit_code: 0, log: { lines: [{ text: 'ok' }] } });
    expect(graded.stripped).toEqual(['log.verified', 'log.lines[].grade']);
    expect(given.log.verified).toBe(true);
  });

  it('survives the deepest and the widest detail that fits into the limit of its size', () => {
    const deep = JSON.parse('{"a":'.repeat(2500) + '1' + '}'.repeat(2500)) as Record<string, unknown>;
    expect(JSON.stringify(grade(deep).detail)).toContain('nested deeper');
    const wide = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`verified${i}`, 1]));
    expect(grade(wide).stripped).toHaveLength(21);
  });

  it('does not let a key change the prototype of what is stored', () => {
    const hostile = JSON.parse('{"__proto__": {"command": "x", "exit_code": 0}}') as Record<string, unknown>;
    const graded = grade(hostile);
    expect(graded.grade).toBe('claim_only');
    expect(Object.getPrototypeOf(graded.detail)).toBe(Object.prototype);
  });

  it.each([
    { synthetic_run: true },
    { do_not_use_for_live_validation: 1 },
    { do_not_persist: 'yes' },
    { meta: [{ calibration_excluded: true }] },
  ])('knows test data by its flags: %j', (flags) => {
    expect(grade({ command: 'x', exit_code: 0, ...flags }).fixture).toBe(true);
  });

  it('does not take a flag that says no for a yes', () => {
    expect(grade({ synthetic_run: false, calibration_excluded: null }).fixture).toBe(false);
  });

  it.each([
    [{ tool: 'pytest', summary: 's', kind: 'test', exit_code: 1 }, 'test_failed', true, 'tool_observed'],
    [{ tool: 'pytest', summary: 's', kind: 'test', is_bad: false }, 'test_passed', false, 'tool_observed'],
    [{ tool: 'grep', summary: 's', exit_code: 1, is_bad: false }, 'task_completed', false, 'tool_observed'],
    [
      { tool: 'api', summary: 's', kind: 'tool_call', error: 'refused' },
      'tool_rejected',
      true,
      'self_report_with_refs',
    ],
    [{ tool: 'make', summary: 's', exit_code: 2, error: null }, 'task_failed', true, 'tool_observed'],
    [{ tool: 'make', summary: 's' }, 'task_completed', false, 'self_report_with_refs'],
  ] as const)('takes the tool result %j for %s', (result, type, isBad, expected) => {
    const draft = outcomeOfToolResult({ ...result, prediction_id: 'p' });
    expect(draft).toMatchObject({ type, isBad, predictionId: 'p' });
    expect(draft.detail).not.toHaveProperty('prediction_id');
    expect(gradeOutcome(draft)).toMatchObject({ grade: expected, isBad });
  });
});
