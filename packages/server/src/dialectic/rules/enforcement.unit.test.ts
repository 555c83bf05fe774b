import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { acceptConditions, storeConditions, type StoredCondition } from './conditions.ts';
import { capComplexity, escalate, type Severity } from './enforcement.ts';

const NOW = Date.UTC(2026, 4, 13, 12);
const HOUR = 3_600_000;

interface VectorCondition {
  readonly type: string;
  readonly value?: number;
  readonly target_value?: number;
  readonly applied_at: string;
  readonly duration_hours?: number;
}
interface Vector {
  readonly id: string;
  readonly kind: 'post_ode' | 'complexity';
  readonly input: {
    readonly conditions: readonly VectorCondition[];
    readonly metrics: { readonly risk_score: number };
    readonly decision: { readonly action: Severity; readonly reason?: string };
    readonly complexity: number;
    readonly now: string;
  };
  readonly expected: {
    readonly decision: { readonly action: string; readonly reason?: string; readonly dialectic_escalated?: true };
    readonly warnings: readonly string[];
    readonly complexity: number;
    readonly warning: string | null;
  };
}

const { cases } = JSON.parse(
  readFileSync(new URL('testing/vectors/dialectic_enforcement.json', import.meta.url), 'utf8'),
) as { cases: readonly Vector[] };

const CLOSED = 'what is carried is a closed union of checked values, so that such an entry cannot be there';
const DIFFERS: ReadonlyMap<string, string> = new Map([
  ['enforcement-015', 'a decision is one of four words'],
  ['enforcement-017', 'nothing is marked as expired; its end tells'],
  ['enforcement-021', 'monitoring that ended by itself bounds nothing that came later'],
  ['enforcement-023', CLOSED],
  ['enforcement-025', CLOSED],
  ['enforcement-035', CLOSED],
  ['enforcement-037', CLOSED],
  ['enforcement-041', CLOSED],
  ['enforcement-043', CLOSED],
]);

const monitoringOf = (conditions: readonly VectorCondition[]) =>
  conditions.find(({ type }) => type === 'monitoring_duration')?.value;

const KINDS = { complexity_limit: 'complexity_cap', risk_target: 'risk_target' } as const;

const carriedIn = (conditions: readonly VectorCondition[]): readonly StoredCondition[] =>
  conditions.flatMap(({ type, value = 0, applied_at, duration_hours }) => {
    if (type !== 'complexity_limit' && type !== 'risk_target') return [];
    const appliedAt = Date.parse(`${applied_at}Z`);
    const hours = duration_hours ?? monitoringOf(conditions);
    const expiresAt = hours === undefined ? null : appliedAt + hours * HOUR;
    return [{ text: '', kind: KINDS[type], limit: value, appliedAt, expiresAt }];
  });

const carry = (texts: readonly string[], at = NOW): readonly StoredCondition[] => {
  const outcome = acceptConditions(texts);
  if (!outcome.ok) throw new Error(outcome.refusal.message);
  return storeConditions([], outcome.value, at);
};

const decided = (action: Severity) => ({ action, reason: 'ok' });

describe('the vectors', () => {
  const run = (kind: Vector['kind']) =>
    cases.filter((one) => one.kind === kind && !DIFFERS.has(one.id)).map((one) => [one.id, one] as const);

  it('meet the cases that differ by name', () => {
    expect([...DIFFERS.keys()].filter((id) => !cases.some((one) => one.id === id))).toEqual([]);
  });

  it.each(run('post_ode'))('escalate as in %s', (_id, { input, expected }) => {
    verifies('BW-dialectic.06');
    const { action, reason = '' } = input.decision;
    const now = Date.parse(input.now);
    expect(escalate(carriedIn(input.conditions), input.metrics.risk_score, { action, reason }, now)).toEqual({
      action: expected.decision.action,
      reason: expected.decision.reason ?? '',
      escalated: expected.decision.dialectic_escalated ?? false,
      warnings: expected.warnings,
    });
  });

  it.each(run('complexity'))('cap as in %s', (_id, { input, expected }) => {
    verifies('BW-dialectic.06');
    expect(capComplexity(carriedIn(input.conditions), input.complexity, Date.parse(input.now))).toEqual({
      complexity: expected.complexity,
      warning: expected.warning,
    });
  });
});

describe('the complexity', () => {
  it('case 84: is capped before it is scored, with a warning', () => {
    verifies('BW-dialectic.06');
    expect(capComplexity(carry(['Set complexity to 0.5']), 0.9, NOW)).toEqual({
      complexity: 0.5,
      warning: 'Dialectic condition enforced: complexity 0.90 capped to 0.50',
    });
  });

  it('stays as it is without a cap, at the cap, and below it', () => {
    expect(capComplexity(carry(['Set risk to 0.1', 'Test first']), 1, NOW)).toEqual({ complexity: 1, warning: null });
    expect(capComplexity(carry(['Set complexity to 0.5']), 0.5, NOW)).toEqual({ complexity: 0.5, warning: null });
  });

  it('meets every way of saying a cap, and the lowest counts', () => {
    const carried = carry(['Set complexity to 0.8', 'Reduce complexity to 0.3', 'Keep complexity below 0.6']);
    expect(capComplexity(carried, 0.9, NOW).complexity).toBe(0.3);
  });
});

describe('the risk', () => {
  const carried = carry(['Set risk to 0.4']);

  it.each([
    [0.4, 'proceed', 'proceed'],
    [0.41, 'proceed', 'guide'],
    [0.6, 'proceed', 'guide'],
    [0.61, 'proceed', 'pause'],
    [0.61, 'guide', 'pause'],
    [0.6, 'pause', 'pause'],
    [0.6, 'guide', 'guide'],
    [0.61, 'reject', 'reject'],
  ] as const)('case 85: at %s against a target of 0.4 makes of %s: %s', (risk, before, after) => {
    verifies('BW-dialectic.06');
    const result = escalate(carried, risk, decided(before), NOW);
    expect(result.action).toBe(after);
    expect(result.escalated).toBe(before !== after);
    expect(result.reason).toBe(before === after ? 'ok' : 'ok [escalated by dialectic conditions]');
    expect(result.warnings).toHaveLength(risk > 0.4 ? 1 : 0);
  });

  it('answers to every target, and the most severe counts', () => {
    const result = escalate(carry(['Set risk to 0.2', 'Keep risk below 0.5']), 0.55, decided('proceed'), NOW);
    expect(result).toMatchObject({
      action: 'pause',
      warnings: [
        'Dialectic condition: risk 0.55 exceeds target 0.20',
        'Dialectic condition: risk 0.55 exceeds target 0.50',
      ],
    });
  });

  it('case 86: is not held against a target whose monitoring has ended, nor the complexity against a cap', () => {
    verifies('BW-dialectic.06');
    const bounded = carry(['Set risk to 0.4', 'Set complexity to 0.3', 'Monitor for 24 hours']);
    const at = (now: number) => [
      escalate(bounded, 0.9, decided('proceed'), now).action,
      capComplexity(bounded, 0.9, now).complexity,
    ];
    expect(at(NOW + 24 * HOUR - 1)).toEqual(['pause', 0.3]);
    expect(at(NOW + 25 * HOUR)).toEqual(['proceed', 0.9]);
  });

  it('is not held against a note', () => {
    expect(escalate(carry(['Test first']), 1, decided('proceed'), NOW)).toEqual({
      action: 'proceed',
      reason: 'ok',
      escalated: false,
      warnings: [],
    });
  });
});
