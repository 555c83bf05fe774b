import { FAILURE_EVENTS } from '@breakwater/contract';
import { expect, it } from 'vitest';
import { storageFailure } from './storage-failure.ts';

it('tells a server that cannot be reached from one that answers with an error', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' });
  expect(storageFailure(refused)).toEqual({
    type: FAILURE_EVENTS.connectError,
    payload: { error: 'Error: connect ECONNREFUSED 127.0.0.1:5432' },
  });
  const cancelled = Object.assign(new Error('canceling statement due to statement timeout'), { code: '57014' });
  expect(storageFailure(cancelled).type).toBe(FAILURE_EVENTS.storageUnavailable);
  expect(storageFailure(new Error('x'.repeat(9000))).payload['error']).toHaveLength(500);
});
