import { describe, expect, test } from 'vitest';
import { verifies } from '../../server/testing/verifies.ts';
import { concerns, connectionOf, isOld, paceOf, POLL_MS, type Link } from './live-rules.ts';

const NOW = 1_000_000;
const LIVE: Link = { failure: undefined, answeredAt: NOW - 100, feedIsOpen: true, feedLostAt: undefined };

describe('the way to the server in one word', () => {
  test.each<[string, Partial<Link>]>([
    ['live', {}],
    ['connecting', { feedIsOpen: false, answeredAt: 0 }],
    ['reconnecting', { feedIsOpen: false, feedLostAt: NOW - 9_999 }],
    ['polling', { feedIsOpen: false, feedLostAt: NOW - 10_000 }],
    ['polling', { feedIsOpen: false }],
    ['unavailable', { failure: { kind: 'unavailable', message: 'starting' } }],
    ['offline', { failure: { kind: 'offline' }, feedIsOpen: false, answeredAt: 0 }],
    // A refusal is an answer.
    ['live', { failure: { kind: 'refused', code: undefined, message: 'no', action: undefined } }],
  ])('%s', (word, link) => {
    verifies('BW-console.03');
    expect(connectionOf({ ...LIVE, ...link }, NOW)).toBe(word);
  });
});

test('a page is asked for more often without the feed, and seldom where nobody looks', () => {
  expect(paceOf(POLL_MS, false, true)).toBe(5_000);
  expect(paceOf(POLL_MS, false, false)).toBe(2_000);
  expect(paceOf(60_000, false, true)).toBe(60_000);
  expect([paceOf(POLL_MS, true, true), paceOf(POLL_MS, true, false), paceOf(60_000, true, false)]).toEqual([
    30_000, 30_000, 60_000,
  ]);
});

test('what is older than 15 s is old, later for what is asked for seldom', () => {
  verifies('BW-console.03');
  expect([isOld(NOW - 15_000, NOW, POLL_MS), isOld(NOW - 15_001, NOW, POLL_MS)]).toEqual([false, true]);
  expect([isOld(NOW - 75_000, NOW, 60_000), isOld(NOW - 75_001, NOW, 60_000)]).toEqual([false, true]);
});

test('what is of one agent does not follow the others; everything else follows all', () => {
  const id = '12f7a7ec-feff-4ce0-aa19-1923afec9001';
  const other = { type: 'eisv_update', agent_id: '22f7a7ec-feff-4ce0-aa19-1923afec9001' };
  expect([`/api/agents/${id}`, `/api/agents/${id}/states?limit=9`].map((route) => concerns(route, other))).toEqual([
    false,
    false,
  ]);
  expect(concerns(`/api/agents/${id}/states`, { ...other, agent_id: id })).toBe(true);
  // Of a gap, or by a name, it cannot be told.
  expect(concerns(`/api/agents/${id}`, { type: 'gap', check_ins: 3 })).toBe(true);
  expect(concerns(`/api/agents/${id}`, undefined)).toBe(true);
  expect(concerns('/api/agents/Tom', other)).toBe(true);
  for (const route of ['/api/now', '/api/agents?search=a', `/api/reviews/${id}`]) {
    expect(concerns(route, other), route).toBe(true);
  }
});
