import { expect, test } from 'vitest';
import { agentsRoute, changedAddress, columnOf, lastOffset, stateOf } from './agents-query.ts';

const of = (query: string) => stateOf(new URLSearchParams(query));

test('an address is read and written without a loss, and asked for as it stands', () => {
  const query = 'search=a+b&status=paused&verdict=guide&tag=build&sort=risk&order=asc&offset=50';
  expect(changedAddress(of(query), { offset: 50 })).toBe(`/dashboard/agents?${query}`);
  expect(agentsRoute(of(query))).toBe(`/api/agents?${query}&limit=50`);
  expect(agentsRoute(of(''))).toBe('/api/agents?limit=50');
});

test('what is filtered or sorted anew begins at the first part', () => {
  expect(changedAddress(of('status=paused&offset=100'), { search: 'x' })).toBe(
    '/dashboard/agents?search=x&status=paused',
  );
});

test('a heading turns the order it stands in, and begins with the one that is natural', () => {
  expect(columnOf(of(''), 'activity')).toEqual({ sorted: 'descending', next: 'asc' });
  expect(columnOf(of(''), 'name')).toEqual({ sorted: undefined, next: '' });
  expect(columnOf(of('sort=name'), 'name')).toEqual({ sorted: 'ascending', next: 'desc' });
  expect(columnOf(of('sort=name&order=desc'), 'name')).toEqual({ sorted: 'descending', next: 'asc' });
  expect(columnOf(of('sort=risk'), 'risk')).toEqual({ sorted: 'descending', next: 'asc' });
});

test('the last part of a list holds something', () => {
  expect([0, 1, 50, 51, 100, 101].map(lastOffset)).toEqual([0, 0, 0, 50, 50, 100]);
});
