import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { NOW } from '../testing/finding.ts';
import { BUDGET_MS, budgetLeft, NEW_FINDINGS, refuseBudget } from './budget.ts';

const spent = (n: number) => Array.from({ length: n }, (_, i) => NOW - BUDGET_MS + 1000 * (i + 1));

describe('the budget', () => {
  it('is twenty new findings in an hour', () => {
    verifies('BW-knowledge.03');
    expect(NEW_FINDINGS).toBe(20);
    expect(budgetLeft([])).toBe(20);
    expect(budgetLeft(spent(19))).toBe(1);
    expect(budgetLeft(spent(25))).toBe(0);
  });

  it('says when there is room for one again', () => {
    verifies('BW-knowledge.03');
    expect(refuseBudget(spent(20), NOW).refusal).toMatchObject({
      code: 'RATE_LIMIT_EXCEEDED',
      retryAfterSeconds: 1,
      details: { limit: 20, window: 'hour', used: 20 },
    });
    // Of twenty-five, six must leave before one fits.
    expect(refuseBudget(spent(25), NOW).refusal.retryAfterSeconds).toBe(6);
  });
});
