import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import {
  acceptConditions,
  CONDITIONS_KEPT,
  isInForce,
  parseCondition,
  storeConditions,
  type AcceptedCondition,
  type StoredCondition,
} from './conditions.ts';
import { HOUR_MS } from '../../runtime/index.ts';

const NOW = Date.UTC(2026, 4, 13, 12);

const accepted = (...texts: readonly string[]): readonly AcceptedCondition[] => {
  const outcome = acceptConditions(texts);
  if (!outcome.ok) throw new Error(outcome.refusal.message);
  return outcome.value;
};

const kinds = (conditions: readonly { readonly kind: string }[]) => conditions.map(({ kind }) => kind);

describe('the grammar', () => {
  it('case 83: a period that ends the sentence does not kill the number', () => {
    verifies('BW-dialectic.06');
    expect(parseCondition('Reduce complexity to 0.3.')).toMatchObject({ target: 'complexity', value: 0.3 });
    expect(parseCondition('Keep risk below 0.5...')).toMatchObject({ value: 0.5, unit: 'below' });
    expect(parseCondition('Set risk to 1.')).toMatchObject({ value: 1 });
    expect(parseCondition('Set risk to .25.')).toMatchObject({ value: 0.25 });
  });

  it('reads the decimal digits of every script', () => {
    expect(parseCondition('Set complexity to ٠.٤')).toMatchObject({ value: 0.4 });
    expect(parseCondition('Set complexity to 𝟎.𝟡')).toMatchObject({ value: 0.9 });
  });

  it.each([
    ['Set risk to 1.2.3', '1.2.3'],
    ['Set risk to 30%', '30%'],
    ['Set risk to 30 percent', '30 percent'],
    ['Set risk to 0,3', '0,3'],
    ['Set risk to 0.3-0.5', '0.3-0.5'],
    ['Set risk to 1e-3', '1e-3'],
  ])('does not take %j for another number', (text, number) => {
    expect(parseCondition(text)).toEqual({ kind: 'unreadable', number });
  });
});

describe('acceptance', () => {
  it.each([
    ['Set complexity to 0.5', { kind: 'complexity_cap', limit: 0.5 }],
    ['Please reduce complexity to 0.3.', { kind: 'complexity_cap', limit: 0.3 }],
    ['Keep complexity below 0', { kind: 'complexity_cap', limit: 0 }],
    ['Limit complexity to 0.99', { kind: 'complexity_cap', limit: 0.99 }],
    ['Set risk 0.4', { kind: 'risk_target', limit: 0.4 }],
    ['Keep risk under 0.5', { kind: 'risk_target', limit: 0.5 }],
    ['Lower RISK_SCORE to 0.4', { kind: 'risk_target', limit: 0.4 }],
    ['Monitor for 24 hours', { kind: 'monitoring', durationMs: 24 * HOUR_MS }],
    ['Monitor for 30 minutes', { kind: 'monitoring', durationMs: HOUR_MS / 2 }],
    ['monitor for 1.5h', { kind: 'monitoring', durationMs: 1.5 * HOUR_MS }],
    ['Test before you claim', { kind: 'note' }],
    ['Use OAuth2 for the login', { kind: 'note' }],
  ])('takes %j as what it does', (text, effect) => {
    verifies('BW-dialectic.06');
    expect(accepted(text)).toEqual([{ text, ...effect }]);
  });

  it.each(['Set coherence to 0.5', 'Raise coherence to 0.6', 'Set coherence_threshold to 0.4'])(
    'case 88: retires %j and does not store it',
    (text) => {
      verifies('BW-dialectic.06');
      const conditions = accepted(text, 'Set complexity to 0.5');
      expect(kinds(conditions)).toEqual(['retired', 'complexity_cap']);
      expect(kinds(storeConditions([], conditions, NOW))).toEqual(['complexity_cap']);
    },
  );

  it.each([
    ['Set complexity to 1.2.3', '"1.2.3" is not a number'],
    ['Set complexity to .', '"." is not a number'],
    ['Set risk threshold to 0.4', 'in no form that can be enforced'],
    ['Reduce complexity to -0.3', 'in no form that can be enforced'],
    ['Reduce complexity by half', 'in no form that can be enforced'],
    ['Monitor for 2 months', 'in no form that can be enforced'],
    ['Write 3 tests', 'in no form that can be enforced'],
    ['Set foo to 0.1', '"foo" is not enforced'],
    ['Reduce complexity to 5', '5 is not from 0 to below 1'],
    ['Set risk to 1', '1 is not from 0 to below 1'],
    ['Increase complexity to 0.5', 'only an upper bound'],
    ['Keep risk above 0.5', 'only an upper bound'],
    ['Set time to 5', 'needs its unit'],
    ['Monitor for 0 hours', 'more than 0'],
    ['Monitor for 8761 h', 'at most 8760 hours'],
    ['Reduce complexity to 0.3 and monitor for 24h', 'more than one number'],
    ['In the next 2 days set complexity to 0.3', 'more than one number'],
    ['  ', 'blank'],
  ])('refuses %j by name: %s', (text, why) => {
    verifies('BW-dialectic.06');
    const outcome = acceptConditions(['Test before you claim', text]);
    if (outcome.ok) expect.fail('it was accepted');
    expect(outcome.refusal).toMatchObject({
      code: 'PARAMETER_ERROR',
      details: { parameter: 'proposed_conditions', refused: [{ condition: text }] },
    });
    expect(outcome.refusal.message).toContain(`"${text}": `);
    expect(outcome.refusal.message).toContain(why);
  });

  it('names every condition that it refuses, shortened in the message only', () => {
    const long = `Write 3 tests ${'x'.repeat(200)}`;
    const outcome = acceptConditions([long, 'Set complexity to 0.5', 'Set foo to 0.1']);
    expect(outcome).toMatchObject({
      refusal: { details: { refused: [{ condition: long }, { condition: 'Set foo to 0.1' }] } },
    });
    expect(outcome.ok ? 0 : outcome.refusal.message.length).toBeLessThan(200);
  });

  it('takes no more than are kept, because the rest would be dropped at once', () => {
    const texts = Array.from({ length: CONDITIONS_KEPT }, () => 'Test first');
    expect(acceptConditions(texts).ok).toBe(true);
    expect(acceptConditions([...texts, 'Test first'])).toMatchObject({ refusal: { code: 'PARAMETER_ERROR' } });
  });
});

describe('what an agent carries', () => {
  it('case 86: the conditions of a resolution end with its monitoring, and the monitoring with itself', () => {
    verifies('BW-dialectic.06');
    const stored = storeConditions([], accepted('Set risk to 0.4', 'Monitor for 24 hours', 'Test first'), NOW);
    expect(stored.map(({ expiresAt }) => expiresAt)).toEqual([
      NOW + 24 * HOUR_MS,
      NOW + 24 * HOUR_MS,
      NOW + 24 * HOUR_MS,
    ]);
    const inForce = (now: number) => kinds(stored.filter((one) => isInForce(one, now)));
    expect(inForce(NOW + 24 * HOUR_MS - 1)).toEqual(['risk_target', 'monitoring', 'note']);
    expect(inForce(NOW + 24 * HOUR_MS)).toEqual([]);
    expect(inForce(NOW + 25 * HOUR_MS)).toEqual([]);
  });

  it('takes the first monitoring of a resolution, and leaves the conditions of an earlier one alone', () => {
    const earlier = storeConditions([], accepted('Set complexity to 0.5'), NOW - HOUR_MS);
    const stored = storeConditions(
      earlier,
      accepted('Monitor for 2 hours', 'Monitor for 1 hour', 'Set risk to 0.4'),
      NOW,
    );
    expect(stored.map(({ kind, expiresAt }) => [kind, expiresAt])).toEqual([
      ['complexity_cap', null],
      ['monitoring', NOW + 2 * HOUR_MS],
      ['monitoring', NOW + HOUR_MS],
      ['risk_target', NOW + 2 * HOUR_MS],
    ]);
  });

  it('case 87: drops the oldest of 21, and what has ended before it drops anything in force', () => {
    verifies('BW-dialectic.06');
    const twenty: readonly StoredCondition[] = Array.from({ length: CONDITIONS_KEPT }, (_, index) => ({
      text: `n${index}`,
      kind: 'note',
      appliedAt: NOW - HOUR_MS,
      expiresAt: null,
    }));
    const texts = (carried: readonly StoredCondition[]) =>
      storeConditions(carried, accepted('Set risk to 0.4'), NOW).map(({ text }) => text);
    const names = twenty.map(({ text }) => text);
    expect(texts(twenty)).toEqual([...names.slice(1), 'Set risk to 0.4']);
    const ended = twenty.map((one, index) => (index === 7 ? { ...one, expiresAt: NOW } : one));
    expect(texts(ended)).toEqual([...names.filter((name) => name !== 'n7'), 'Set risk to 0.4']);
  });

  it('is plain JSON', () => {
    const stored = storeConditions([], accepted('Set risk to 0.4', 'Monitor for 1 h', 'Test first'), NOW);
    expect(JSON.parse(JSON.stringify(stored))).toEqual(stored);
  });
});
