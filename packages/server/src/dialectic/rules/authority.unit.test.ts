import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { authority, type Standing } from './authority.ts';
import { HOUR_MS } from '../../runtime/index.ts';

const NOW = Date.UTC(2026, 4, 13, 12);

const UNKNOWN: Standing = { risk: null, reviews: 0, successfulReviews: 0, tags: [], lastUpdateAt: null };
const score = (change: Partial<Standing>, wantedTags: readonly string[] = []) =>
  authority({ ...UNKNOWN, ...change }, wantedTags, NOW);
/** What is added to a candidate of whom nothing is known, in parts of one weight. */
const gain = (weight: number, change: Partial<Standing>, wantedTags: readonly string[] = []) =>
  (score(change, wantedTags) - score({})) / weight;

describe('authority of a reviewer', () => {
  it('is in the middle when nothing is known', () => {
    verifies('BW-dialectic.01', 'W3-5.07');
    expect(score({})).toBeCloseTo(0.5, 12);
  });

  it('falls with the risk, and takes a risk that is no number as unknown', () => {
    verifies('BW-dialectic.01');
    expect(gain(0.4, { risk: 0.35 })).toBeCloseTo(0, 12);
    expect(gain(0.4, { risk: -100 })).toBeCloseTo(0.5, 12);
    expect(gain(0.4, { risk: Infinity })).toBeCloseTo(-0.5, 12);
    expect(score({ risk: 0.2 })).toBeGreaterThan(score({ risk: 0.3 }));
    expect(score({ risk: Number.NaN })).toBe(score({ risk: null }));
  });

  it('grows with the part of reviews that went well', () => {
    verifies('BW-dialectic.01');
    expect(gain(0.3, { reviews: 4, successfulReviews: 3 })).toBeCloseTo(0.25, 12);
    expect(gain(0.3, { reviews: 1, successfulReviews: 0 })).toBeCloseTo(-0.5, 12);
    expect(gain(0.3, { reviews: -1, successfulReviews: 5 })).toBeCloseTo(0, 12);
  });

  it('counts the shared tags, each once and by case', () => {
    verifies('BW-dialectic.01');
    expect(gain(0.2, { tags: ['a', 'b', 'b'] }, ['b', 'c'])).toBeCloseTo(1 / 3 - 0.5, 12);
    expect(gain(0.2, { tags: ['A'] }, ['a'])).toBeCloseTo(-0.5, 12);
    expect(gain(0.2, { tags: ['a'] })).toBeCloseTo(0.1, 12);
    expect(gain(0.2, {}, ['a'])).toBeCloseTo(0, 12);
  });

  it('is higher for one that was heard of within 24 hours', () => {
    verifies('BW-dialectic.01');
    expect(gain(0.1, { lastUpdateAt: NOW - 24 * HOUR_MS + 1 })).toBeCloseTo(0.5, 12);
    expect(gain(0.1, { lastUpdateAt: NOW - 24 * HOUR_MS })).toBeCloseTo(0, 12);
    expect(gain(0.1, { lastUpdateAt: NOW + HOUR_MS })).toBeCloseTo(0.5, 12);
  });
});
