import { expect, test } from 'vitest';
import { counted, number, percent, plain, points, relativeTime, size } from './format.ts';

const NOW = Date.parse('2026-01-01T12:00:00.000Z');
const at = (seconds: number): string => new Date(NOW + seconds * 1000).toISOString();

test.each([
  [0, 'now'],
  [-4, 'now'],
  [-5, '5 s ago'],
  [-59, '59 s ago'],
  [-60, '1 min ago'],
  [-3_599, '59 min ago'],
  [-3_600, '1 hour ago'],
  [-7_200, '2 hours ago'],
  [-86_400, '1 day ago'],
  [7_300, 'in 2 hours'],
  [3 * 86_400, 'in 3 days'],
])('%d seconds from now reads "%s"', (seconds, text) => {
  expect(relativeTime(at(seconds), NOW)).toBe(text);
});

test('what is not known is a dash, and never a zero', () => {
  expect([number(null), number(undefined), percent(null), size(null)]).toEqual(['–', '–', '–', '–']);
  expect([number(0), percent(0), size(0)]).toEqual(['0', '0 %', '0 B']);
});

test('numbers, shares and sizes are short', () => {
  expect([number(1128.9712), number(0.10164), number(1234, 0)]).toEqual(['1,128.97', '0.1', '1,234']);
  expect([percent(0.455), percent(1)]).toEqual(['46 %', '100 %']);
  expect([size(1023), size(1024), size(12 * 2 ** 20), size(5 * 2 ** 40)]).toEqual(['1,023 B', '1 KB', '12 MB', '5 TB']);
  expect([counted(1, 'agent'), counted(1000, 'agent')]).toEqual(['1 agent', '1,000 agents']);
  expect([plain('text'), plain({ a: 1 }), plain(null)]).toEqual(['text', '{"a":1}', 'null']);
});

test.each([
  [0.254, '+25'],
  [-0.1, '-10'],
  [0.001, '0'],
  [-0.001, '0'],
  [null, '–'],
])('a gap of %s is %s points', (gap, text) => {
  expect(points(gap)).toBe(text);
});
