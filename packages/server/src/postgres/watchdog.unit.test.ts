import { expect, it } from 'vitest';
import { isAtWork, type Backend } from './watchdog.ts';

const backend = (state: string | null, wait: string | null = null): Backend => ({
  pid: 1,
  state,
  wait_event_type: wait,
});

it.each([
  ['works', backend('active'), true],
  ['waits for a lock', backend('active', 'Lock'), true],
  ['waits for a synchronous standby', backend('active', 'IPC'), true],
  ['answers a client that does not read', backend('active', 'Client'), false],
  ['has nothing to do', backend('idle', 'Client'), false],
  ['waits for the next statement of a transaction', backend('idle in transaction', 'Client'), false],
])('a backend that %s', (_, found, atWork) => {
  expect([isAtWork(found, 'real'), isAtWork(found, 'unknown')]).toEqual([atWork, atWork]);
});

it('one that is not there is gone, unless a pooler stands in between and its number says nothing', () => {
  expect([isAtWork(undefined, 'real'), isAtWork(undefined, 'unknown')]).toEqual([false, true]);
});
