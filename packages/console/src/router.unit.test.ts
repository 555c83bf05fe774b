import { expect, test } from 'vitest';
import { addressOf, partsOf } from './router.ts';

test('an address holds what says something, and nothing else', () => {
  expect(addressOf('/')).toBe('/dashboard/');
  expect(addressOf('/agents')).toBe('/dashboard/agents');
  expect(addressOf('/agents', { search: '', status: 'paused', offset: 50, sort: undefined })).toBe(
    '/dashboard/agents?status=paused&offset=50',
  );
  expect(addressOf('/knowledge', { search: 'a b&c' })).toBe('/dashboard/knowledge?search=a+b%26c');
});

test('a path has parts by their names, and one that is encoded wrongly has none', () => {
  expect(partsOf('/')).toEqual(['']);
  expect(partsOf('/agents/Tom%20A%2FB')).toEqual(['agents', 'Tom A/B']);
  expect(partsOf('/agents/%zz')).toBeUndefined();
});
