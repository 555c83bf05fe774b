import { describe, expect, it } from 'vitest';
import { FeedPlaces } from './feed-places.ts';

const LIMITS = { all: 10, forOperators: 3, ofAddress: 4 };

describe('the places at the feed', () => {
  it('keeps some for operators, whoever else comes', () => {
    const places = new FeedPlaces(LIMITS);
    const taken = Array.from({ length: 50 }, (_, i) => places.take(false, `10.0.0.${i}`)).filter(Boolean);
    expect(taken).toHaveLength(7);
    const operators = Array.from({ length: 5 }, () => places.take(true, '10.0.0.1')).filter(Boolean);
    expect(operators).toHaveLength(3);
  });

  it('gives one address only some of the others, and no operator is counted there', () => {
    const places = new FeedPlaces(LIMITS);
    for (let i = 0; i < 3; i += 1) expect(places.take(true, '10.0.0.1')).toBeDefined();
    const taken = Array.from({ length: 10 }, () => places.take(false, '10.0.0.1')).filter(Boolean);
    expect(taken).toHaveLength(4);
    expect(places.take(false, '10.0.0.2')).toBeDefined();
  });

  it('gives a place to the next one once it is given back, however often that is said', () => {
    const places = new FeedPlaces(LIMITS);
    const [first] = Array.from({ length: 4 }, () => places.take(false, 'a'));
    expect(places.take(false, 'a')).toBeUndefined();
    first?.();
    first?.();
    expect(places.take(false, 'a')).toBeDefined();
    expect(places.take(false, 'a')).toBeUndefined();
  });
});
