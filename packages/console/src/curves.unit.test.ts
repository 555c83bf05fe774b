import type { ClaimRow } from '@breakwater/contract/overview';
import { expect, test } from 'vitest';
import { verifies } from '../../server/testing/verifies.ts';
import { binsOf, hourOf } from './curves.ts';

const bucket = { from: '2026-01-01T12:00:00.000Z', proceed: 3, guide: 2, pause: 1 };

test('of an hour of which one minute was counted the others are unknown, not zero', () => {
  verifies('BW-console.03');
  const minutes = hourOf([bucket]);
  expect(minutes).toHaveLength(60);
  expect(minutes.at(-1)).toEqual({ at: Date.parse(bucket.from) / 1000, counts: bucket });
  expect(minutes[0]).toEqual({ at: Date.parse('2026-01-01T11:01:00.000Z') / 1000, counts: null });
  expect(minutes.filter(({ counts }) => counts !== null)).toHaveLength(1);
  expect(hourOf([])).toEqual([]);
});

const row = (claimed: number | null, score: number | null, more: Partial<ClaimRow> = {}): ClaimRow => ({
  at: bucket.from,
  outcome: 'test_passed',
  is_bad: false,
  score,
  claimed_confidence: claimed,
  check_in: 1,
  grade: 'tool_observed',
  weight: 0.65,
  graded: true,
  why_not_graded: null,
  bet_held: null,
  ran: 'npm test',
  source: null,
  ...more,
});

test('claims stand in the tenth of what they claimed, with what came of them', () => {
  const bins = binsOf([
    row(0.9, 0.7),
    row(0.96, 0.4, { is_bad: true }),
    row(1, null, { is_bad: true }),
    row(0.25, null),
  ]);
  expect(bins).toHaveLength(10);
  expect(bins[9]).toMatchObject({ lower: 0.9, upper: 1, n: 3, accuracy: 1 / 3 });
  expect(bins[9]?.mean_confidence).toBeCloseTo(0.9533, 4);
  expect(bins[2]).toMatchObject({ n: 1, mean_confidence: 0.25, accuracy: 1 });
  expect(bins[5]).toMatchObject({ n: 0, mean_confidence: null, accuracy: null, interval: null });
});

test('what is not graded, or claimed nothing, is in no bin', () => {
  verifies('BW-console.03');
  expect(binsOf([row(null, 1), row(0.9, 1, { graded: false })]).every(({ n }) => n === 0)).toBe(true);
});
