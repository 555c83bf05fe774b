import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { isEquivalent, similarity, termsOf } from './similarity.ts';

describe('terms of a condition', () => {
  it('are its words in lower case, without outer marks and stop words', () => {
    verifies('BW-dialectic.01', 'W3-5.07');
    expect([...termsOf('(Keep) the RISK, below 0.5!')]).toEqual(['keep', 'risk', 'below', '0.5']);
    expect([...termsOf("can't -- (a) e.g.")]).toEqual(["can't", '--', 'e.g']);
    expect([...termsOf('no?')]).toEqual([]);
    expect([...termsOf(' \u2003 ')]).toEqual([]);
  });

  it('hold the empty term where a word is nothing but marks', () => {
    verifies('BW-dialectic.01');
    expect([...termsOf('...')]).toEqual(['']);
    expect(similarity('!!', '??')).toBe(1);
  });

  it('are parted at every white space but the byte order mark', () => {
    verifies('BW-dialectic.01');
    expect([...termsOf('x\u001cy\u0085z\u00a0u\u3000v')]).toEqual(['x', 'y', 'z', 'u', 'v']);
    expect([...termsOf('x\ufeffy')]).toEqual(['x\ufeffy']);
  });

  it('of a long run of marks are found in time', () => {
    const marks = '.'.repeat(200_000);
    expect([...termsOf(`${marks}x${marks}y${marks}`)]).toEqual([`x${marks}y`]);
  });
});

describe('similarity', () => {
  it('is the shared part of all terms, the same both ways', () => {
    verifies('BW-dialectic.01', 'W3-5.07');
    expect(similarity('one two three', 'three two one four')).toBe(0.75);
    expect(similarity('three two one four', 'one two three')).toBe(0.75);
    expect(similarity('do not restart', 'restart')).toBe(1);
    expect(similarity('the', 'the')).toBe(0);
  });

  it('makes two conditions one from 0.6 on', () => {
    verifies('BW-dialectic.01');
    expect(isEquivalent(similarity('one two three', 'one two three four five'))).toBe(true);
    expect(isEquivalent(0.6 - 1e-12)).toBe(false);
  });
});
