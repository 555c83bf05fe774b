import { expect, it } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import { breachOf } from './rate-breach.ts';

it.each([
  [0, 0],
  [0, 7],
  [100, 0],
  [100, 1],
  [1000, 10],
])('of %i requests %i without service are no breach', (requests, unavailable) => {
  verifies('W3-3.14', 'W3-3.15');
  expect(breachOf({ requests, unavailable })).toBeUndefined();
});

it.each([
  [1000, 11, 0.011],
  [1, 1, 1],
  // What was refused before dispatch counts above the line only.
  [2, 3, 1.5],
])('of %i requests %i without service are one', (requests, unavailable, rate) => {
  verifies('W3-3.14');
  expect(breachOf({ requests, unavailable })).toEqual({
    window_seconds: 60,
    rate,
    threshold: 0.01,
    count_503: unavailable,
    count_request: requests,
  });
});
