import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import { understandComplexity } from './complexity.ts';

describe('complexity in words', () => {
  it.each([
    ['high', 0.7],
    [' Very High ', 0.9],
    ['very-high', 0.9],
    ['trivial', 0.1],
  ])('understands %j as %d', (word, value) => {
    verifies('BW-dispatch.03');
    expect(understandComplexity(word)).toEqual({ from: word, to: value, interpretation: 'word' });
  });

  it('understands a value on a scale', () => {
    expect(understandComplexity({ value: 7, scale: 10 })).toEqual({
      from: { value: 7, scale: 10 },
      to: 0.7,
      interpretation: '7 of 10',
    });
  });

  it.each([7, 1.0001, '7', 100])('refuses the bare number %j as ambiguous', (given) => {
    expect(understandComplexity(given)).toMatchObject({ field: 'complexity', type: 'ambiguous' });
  });

  it('guesses the word that was meant', () => {
    expect(understandComplexity('moderat')).toMatchObject({ type: 'value', did_you_mean: 'moderate' });
  });

  it.each([{ value: 11, scale: 10 }, { value: 1, scale: 0 }, { value: -1, scale: 10 }, { value: '1', scale: 10 }, {}])(
    'refuses %j',
    (given) => {
      expect(understandComplexity(given)).toMatchObject({ field: 'complexity', type: 'value' });
    },
  );

  it('leaves everything else to the schema, and makes only numbers from 0 to 1', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (given) => {
        const understood = understandComplexity(given);
        if (understood === undefined || !('to' in understood)) return;
        expect(understood.to).toBeGreaterThanOrEqual(0);
        expect(understood.to).toBeLessThanOrEqual(1);
      }),
    );
    expect([0, 0.5, 1, '0.4', null, undefined, true].map(understandComplexity)).toEqual(Array(7).fill(undefined));
  });
});
