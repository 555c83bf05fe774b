import { expect, it } from 'vitest';
import { numbersInTitles } from '../../testing/titles.ts';

const FILES = ['src/dialectic/**/*.test.ts', 'e2e/resolution.e2e.test.ts'];

it('every case of the dialectic specification is the title of a test, and no other', () => {
  expect(numbersInTitles('case', FILES)).toEqual(Array.from({ length: 102 }, (_, i) => `${i + 1}`).sort());
});
