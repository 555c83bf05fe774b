import { expect, test } from 'vitest';
import { addressOf } from './router.ts';

test('an address holds what says something, and nothing else', () => {
  expect(addressOf('/')).toBe('/dashboard/');
  expect(addressOf('/agents')).toBe('/dashboard/agents');
  expect(addressOf('/agents', { search: '', status: 'paused', offset: 50, sort: undefined })).toBe(
    '/dashboard/agents?status=paused&offset=50',
  );
  expect(addressOf('/knowledge', { search: 'a b&c' })).toBe('/dashboard/knowledge?search=a+b%26c');
});
