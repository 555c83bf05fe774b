import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { selectReviewer, type Candidate, type ReviewerSearch } from './selection.ts';
import { HOUR_MS } from '../../runtime/index.ts';

const NOW = Date.UTC(2026, 4, 13, 12);

const candidate = (agentId: string, change: Partial<Candidate> = {}): Candidate => ({
  agentId,
  label: null,
  status: 'active',
  risk: null,
  reviews: 0,
  successfulReviews: 0,
  tags: [],
  lastUpdateAt: NOW - HOUR_MS,
  ...change,
});
const select = (candidates: readonly Candidate[], change: Partial<ReviewerSearch> = {}) =>
  selectReviewer(candidates, {
    pausedAgentId: 'P',
    pausedAgentTags: [],
    excluded: new Set(),
    busy: new Set(),
    recentPairs: [],
    residents: new Set(['Vigil']),
    now: NOW,
    random: 0.5,
    ...change,
  });
const DRAWS = Array.from({ length: 100 }, (_, i) => (i + 0.5) / 100);
/** Everyone whom some random number chooses. */
const reachable = (candidates: readonly Candidate[], change: Partial<ReviewerSearch> = {}) =>
  new Set(DRAWS.map((random) => select(candidates, { ...change, random })));
/** c1 to cN, of more authority the higher the number. */
const ranked = (count: number) =>
  Array.from({ length: count }, (_, i) => candidate(`c${i + 1}`, { reviews: 10, successfulReviews: i + 1 }));

describe('who may review', () => {
  it.each<[string, Candidate, Partial<ReviewerSearch>]>([
    ['the agent itself', candidate('P'), {}],
    ['one stale by more than 24 h', candidate('x', { lastUpdateAt: NOW - 24 * HOUR_MS - 1 }), {}],
    ['one paused', candidate('x', { status: 'paused' }), {}],
    ['one archived', candidate('x', { status: 'archived' }), {}],
    ['one waiting for input', candidate('x', { status: 'waiting_input' }), {}],
    ['one excluded', candidate('x'), { excluded: new Set(['x']) }],
    ['one busy', candidate('x'), { busy: new Set(['x']) }],
    ['a resident', candidate('x', { label: 'Vigil' }), {}],
    ['one embodied', candidate('x', { tags: ['a', 'embodied'] }), {}],
    ['one autonomous', candidate('x', { tags: ['autonomous'] }), {}],
    ['one of the anima', candidate('x', { tags: ['anima'] }), {}],
    ['one cooled down', candidate('x'), { recentPairs: [{ reviewerAgentId: 'x', pausedAgentId: 'P' }] }],
  ])('case 53: never %s, although nobody has more authority', (_, unfit, search) => {
    verifies('BW-dialectic.09', 'W3-5.07');
    const best = { ...unfit, risk: 0, reviews: 1, successfulReviews: 1 };
    expect(select([best], search)).toBeNull();
    expect(reachable([best, candidate('fit', { risk: 1 })], search)).toEqual(new Set(['fit']));
  });

  it('is anybody else', () => {
    verifies('BW-dialectic.09');
    expect(select([candidate('x', { lastUpdateAt: NOW - 24 * HOUR_MS })])).toBe('x');
    expect(select([candidate('x', { lastUpdateAt: null })])).toBe('x');
    expect(select([candidate('x', { label: 'vigil', tags: ['Embodied'] })])).toBe('x');
    expect(select([])).toBeNull();
  });

  it('case 54: not one that the paused agent itself reviewed lately', () => {
    verifies('BW-dialectic.09');
    const pair = { reviewerAgentId: 'P', pausedAgentId: 'x' };
    expect(select([candidate('x')], { recentPairs: [pair] })).toBeNull();
  });

  it('case 55: a pair counts whatever came of its session, and for nobody but the two', () => {
    verifies('BW-dialectic.09');
    const recentPairs = [
      { reviewerAgentId: 'x', pausedAgentId: 'P' },
      { reviewerAgentId: 'y', pausedAgentId: 'x' },
    ];
    expect(reachable([candidate('x'), candidate('y')], { recentPairs })).toEqual(new Set(['y']));
  });
});

describe('who is chosen', () => {
  it('case 56: random 0 chooses the highest, 0.999999 the fifth', () => {
    verifies('BW-dialectic.09');
    expect(select(ranked(9), { random: 0 })).toBe('c9');
    expect(select(ranked(9), { random: 0.999999 })).toBe('c5');
  });

  it('case 57: of nine only the top five can be chosen', () => {
    verifies('BW-dialectic.09');
    expect(reachable(ranked(9))).toEqual(new Set(['c9', 'c8', 'c7', 'c6', 'c5']));
  });

  it('is the likelier the more authority it has, by its own risk and the tags asked for', () => {
    verifies('BW-dialectic.09');
    const count = (candidates: readonly Candidate[], tags: readonly string[]) =>
      DRAWS.filter((random) => select(candidates, { random, pausedAgentTags: tags }) === 'a').length;
    expect(count([candidate('b'), candidate('a')], [])).toBe(50);
    expect(count([candidate('b', { risk: 0.9 }), candidate('a', { risk: 0.1 })], [])).toBeGreaterThan(60);
    expect(count([candidate('b', { tags: ['x'] }), candidate('a', { tags: ['y'] })], ['y'])).toBeGreaterThan(55);
  });

  it('is the first of equals up to and with the end of its part, and the same for the same input', () => {
    verifies('W3-5.07');
    const candidates = Object.freeze([candidate('b'), candidate('a')]);
    expect(select(candidates, { random: 0 })).toBe('b');
    expect(select(candidates, { random: 0.5 })).toBe('b');
    expect(select(candidates, { random: 0.5001 })).toBe('a');
    expect(select(candidates, { random: 0 })).toBe('b');
    expect(candidates.map(({ agentId }) => agentId)).toEqual(['b', 'a']);
  });

  it('is drawn evenly when the weights say nothing', () => {
    verifies('BW-dialectic.09');
    const hopeless = ['a', 'b'].map((id) => candidate(id, { reviews: 1, successfulReviews: -100 }));
    expect(DRAWS.filter((random) => select(hopeless, { random }) === 'a')).toHaveLength(50);
  });
});
