import { expect, it } from 'vitest';
import { numbersInTitles } from '../../../testing/titles.ts';

const FILES = ['src/identity/**/*.test.ts', 'src/serve/peer.unit.test.ts', 'e2e/{socket,attacks}.e2e.test.ts'];
const upTo = (count: number, prefix = '') => Array.from({ length: count }, (_, i) => `${prefix}${i + 1}`);

it('every case of the identity specification is the title of a test, and no other', () => {
  expect(numbersInTitles('case', FILES)).toEqual([...upTo(104), ...upTo(10, 'A')].sort());
});

it('every hazard of the identity specification is the title of a test, and no other', () => {
  expect(numbersInTitles('hazard', FILES)).toEqual(upTo(15).sort());
});
