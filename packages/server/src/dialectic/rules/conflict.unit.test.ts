import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { readCondition, readingsConflict } from './conflict.ts';

const conflict = (a: string, b: string): boolean => {
  const [left, right] = [readCondition(a), readCondition(b)];
  expect(readingsConflict(right, left)).toBe(readingsConflict(left, right));
  return readingsConflict(left, right);
};

describe('the conflict of two conditions', () => {
  it.each([
    ['Increase checks', 'decrease checks'],
    ['enable it', 'DISABLE it'],
    ['allow calls', 'forbid calls'],
    ['raise it', 'lower it'],
    ['max calls', 'min calls'],
    ['a flower', 'raise it'],
  ])('is in opposite words, inside longer ones too: %s, %s', (a, b) => {
    verifies('BW-dialectic.01', 'W3-5.07');
    expect(conflict(a, b)).toBe(true);
    expect(conflict(a, a)).toBe(false);
    expect(conflict(b, b)).toBe(false);
  });

  it('is in other numbers for one subject, compared as they are written', () => {
    verifies('BW-dialectic.01');
    expect(conflict('keep task risk under 0.3', 'keep task risk under 0.4')).toBe(true);
    expect(conflict('keep task risk under 0.3', 'keep task risk under 0.30')).toBe(true);
    expect(conflict('keep task risk under 1.', 'keep task risk under 1')).toBe(true);
    expect(conflict('keep task risk under ٣', 'keep task risk under 3')).toBe(true);
    expect(conflict('keep task risk 1 2', 'keep task risk 1')).toBe(true);
    expect(conflict('keep task risk under .3', 'keep task risk under 3')).toBe(false);
  });

  it('is not in numbers when fewer than three real words are shared, or one has no number', () => {
    verifies('BW-dialectic.01');
    expect(conflict('risk score 0.3', 'risk score 0.4')).toBe(false);
    expect(conflict('set the risk score to 0.3', 'set the risk score to 0.4')).toBe(false);
    expect(conflict('risk risk score 0.3', 'risk score score 0.4')).toBe(false);
    expect(conflict('one_two naïve task risk 1', 'one_two naïve task risk 2')).toBe(false);
    expect(conflict('keep task risk under 0.3', 'keep task risk under control')).toBe(false);
  });
});
