import fc from 'fast-check';
import { expect, test } from 'vitest';
import { axisTimes, counted, number, percent, plain, points, relativeTime, size } from './format.ts';

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
  [30, 'in 30 s'],
  [12 * 3_600 - 60, 'in 12 hours'],
  [24 * 3_600 - 60, 'in 24 hours'],
  [72 * 3_600 - 60, 'in 72 hours'],
  [3_599, 'in 1 hour'],
  [365 * 86_400 - 60, 'in 365 days'],
])('%d seconds from now reads "%s"', (seconds, text) => {
  expect(relativeTime(at(seconds), NOW)).toBe(text);
});

test('what is not known is a dash, and never a zero', () => {
  expect([number(null), number(undefined), percent(null), size(null)]).toEqual(['–', '–', '–', '–']);
  expect([number(0), percent(0), size(0)]).toEqual(['0', '0%', '0 B']);
});

test('numbers, shares and sizes are short', () => {
  expect([number(1128.9712), number(0.10164), number(1234, 0)]).toEqual(['1,128.97', '0.1', '1,234']);
  expect([percent(0.455), percent(1)]).toEqual(['46%', '100%']);
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

test('an end is never told nearer or farther than half a unit', () => {
  const lengths: Readonly<Record<string, number>> = {
    s: 1,
    min: 60,
    hour: 3_600,
    hours: 3_600,
    day: 86_400,
    days: 86_400,
  };
  fc.assert(
    fc.property(fc.integer({ min: 5, max: 400 * 86_400 }), (seconds) => {
      const [, count, unit] = /^in (\d+) (\w+)$/.exec(relativeTime(at(seconds), NOW)) ?? [];
      const length = lengths[unit ?? ''] ?? Number.NaN;
      expect(Math.abs(Number(count) * length - seconds)).toBeLessThanOrEqual(length / 2);
    }),
  );
});

test('the marks of a time axis name the day once, and are written as the reader writes times', () => {
  const noon = NOW / 1000;
  const clean = (marks: readonly string[]) => marks.map((mark) => mark.replaceAll('\u202f', ' '));
  expect(clean(axisTimes([noon, noon + 900], 900, 'de-DE', 'UTC'))).toEqual(['12:00\n1. Jan.', '12:15']);
  expect(clean(axisTimes([noon, noon + 900], 900, 'en-US', 'UTC'))).toEqual(['12:00 PM\nJan 1', '12:15 PM']);
  expect(clean(axisTimes([noon, noon + 15], 15, 'de-DE', 'UTC'))).toEqual(['12:00:00\n1. Jan.', '12:00:15']);
  expect(clean(axisTimes([noon, noon + 12 * 3600], 43_200, 'de-DE', 'UTC'))).toEqual([
    '12:00\n1. Jan.',
    '0:00\n2. Jan.',
  ]);
  expect(clean(axisTimes([noon, noon + 86_400], 86_400, 'de-DE', 'UTC'))).toEqual(['1. Jan.', '2. Jan.']);
});
