import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import {
  originOf,
  refuseUnqualified,
  shortfallsAtSight,
  shortfallsOf,
  type Reviewed,
  type ReviewerRecord,
} from './qualification.ts';
import { HOUR_MS } from '../../runtime/index.ts';

const PAUSED = Date.UTC(2026, 4, 13, 12);
const reviewed: Reviewed = { agentId: 'P', origin: 'P', pausedAt: PAUSED };
const record = (over: Partial<ReviewerRecord> = {}): ReviewerRecord => ({
  agentId: 'R',
  createdAt: PAUSED - 24 * HOUR_MS,
  claims: 19.99,
  gradedResults: 20,
  lastPausedAt: null,
  origin: 'R',
  sharesPlace: false,
  ...over,
});
const lacks = (over: Partial<ReviewerRecord>) => shortfallsOf(record(over), reviewed).map(({ condition }) => condition);

describe('who may review a pause', () => {
  it('is whoever meets every condition, at its very limit', () => {
    verifies('BW-breaker.03');
    expect(lacks({})).toEqual([]);
    expect(lacks({ claims: null })).toEqual([]);
  });

  it.each<[string, Partial<ReviewerRecord>, string]>([
    ['one result short', { gradedResults: 19 }, 'graded_results'],
    ['a moment too young at the pause', { createdAt: PAUSED - 24 * HOUR_MS + 1 }, 'age'],
    ['born with it', { createdAt: PAUSED }, 'born_after_pause'],
    ['with claims at the limit', { claims: 20 }, 'claims'],
    ['with claims that are no number', { claims: Number.NaN }, 'claims'],
    ['paused itself lately', { lastPausedAt: PAUSED - HOUR_MS }, 'recently_paused'],
    ['a relative', { origin: 'P' }, 'relative'],
    ['the paused agent', { agentId: 'P', origin: 'P' }, 'relative'],
    ['from the same place', { sharesPlace: true }, 'same_place'],
  ])('is not one %s', (_, over, condition) => {
    verifies('BW-breaker.03');
    expect(lacks(over)).toEqual([condition]);
  });

  it('is refused with every condition, its numbers and who can help', () => {
    const shortfalls = shortfallsOf(
      record({ gradedResults: 3, createdAt: PAUSED - 5 * HOUR_MS, claims: 41.239 }),
      reviewed,
    );
    const { refusal } = refuseUnqualified('R', 'S1', shortfalls);
    expect(refusal.code).toBe('REVIEWER_UNQUALIFIED');
    expect(refusal.message).toBe(
      'Agent R cannot review this pause: it was 5 h old at the pause, and 24 h are needed; the evidence against its own ' +
        'claims is 41.24, and must be below 20; it has 3 graded results from before the pause, and 20 are needed.',
    );
    expect(refusal.details?.['conditions']).toEqual([
      { condition: 'age', has: 5, needs: 24 },
      { condition: 'claims', has: 41.24, needs: 20 },
      { condition: 'graded_results', has: 3, needs: 20 },
    ]);
    expect(refusal.recovery?.action).toContain('breakwater reviews assign S1 --reviewer R');
  });

  it('is looked at without its record first, for what memory knows', () => {
    expect(shortfallsAtSight(record({ gradedResults: 0 }), reviewed)).toEqual([]);
    expect(shortfallsAtSight(record({ origin: 'P' }), reviewed)).toHaveLength(1);
  });
});

describe('kinship', () => {
  const parents: Readonly<Record<string, string>> = {
    child: 'P',
    grandchild: 'child',
    P: 'elder',
    aunt: 'elder',
    a: 'b',
    b: 'a',
  };
  const origin = (agentId: string) => originOf(agentId, (id) => parents[id] ?? null);

  it.each(['child', 'grandchild', 'elder', 'aunt'])('%s is a relative: both have one eldest', (agentId) => {
    verifies('BW-breaker.03');
    expect(origin(agentId)).toBe(origin('P'));
  });

  it('ends at a parent that nobody knows, and in a circle', () => {
    expect(origin('stranger')).toBe('stranger');
    expect(['a', 'b']).toContain(origin('a'));
  });
});
