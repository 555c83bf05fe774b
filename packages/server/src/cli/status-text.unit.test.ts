import { expect, test } from 'vitest';
import { needsText, reviewsText, sinceText } from './status-text.ts';

test.each([
  [0, '5 open'],
  [1, '5 open, 1 needs a person'],
  [2, '5 open, 2 need a person'],
])('of 5 open reviews %i need a person', (waiting, text) => {
  expect(reviewsText({ open: 5, waiting })).toBe(text);
});

test('one item needs attention, two need it', () => {
  expect(needsText(1)).toBe('1 item needs attention');
  expect(needsText(2)).toBe('2 items need attention');
});

test('the start of the count is told only where it is less than an hour ago', () => {
  const at = '2026-11-30T22:44:10.000Z';
  expect(sinceText('2026-11-30T21:44:10.000Z', at)).toBe('');
  expect(sinceText('2026-11-30T22:40:10.000Z', at)).toBe(', counted since the server started at 2026-11-30T22:40Z');
});
