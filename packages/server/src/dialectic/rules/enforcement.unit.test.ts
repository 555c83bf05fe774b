import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { acceptConditions, storeConditions, type StoredCondition } from './conditions.ts';
import { capComplexity, escalate, type Severity } from './enforcement.ts';
import { HOUR_MS } from '../../runtime/index.ts';

const NOW = Date.UTC(2026, 4, 13, 12);

const carry = (texts: readonly string[], at = NOW): readonly StoredCondition[] => {
  const outcome = acceptConditions(texts);
  if (!outcome.ok) throw new Error(outcome.refusal.message);
  return storeConditions([], outcome.value, at);
};

const decided = (action: Severity) => ({ action, reason: 'ok' });

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
    expect(at(NOW + 24 * HOUR_MS - 1)).toEqual(['pause', 0.3]);
    expect(at(NOW + 25 * HOUR_MS)).toEqual(['proceed', 0.9]);
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
