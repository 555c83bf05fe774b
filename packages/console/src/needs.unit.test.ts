import { expect, test } from 'vitest';
import { saidOfNew } from './needs.ts';

const max = { key: 'paused:1', title: 'Max is paused' };
const tom = { key: 'paused:2', title: 'Tom is paused' };
const ada = { key: 'paused:3', title: 'Ada is paused' };

test('what a page opens with is not news, and neither is what was known', () => {
  expect(saidOfNew(undefined, [max])).toBeUndefined();
  expect(saidOfNew(new Set([max.key, tom.key]), [tom])).toBeUndefined();
});

test('what came is said, the first by its title', () => {
  expect(saidOfNew(new Set(), [max])).toBe('Needs attention: Max is paused');
  expect(saidOfNew(new Set([max.key]), [max, tom, ada])).toBe('2 more need attention: Tom is paused, …');
});
