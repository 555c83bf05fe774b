import { expect, it } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import { ManualClock } from '../runtime/testing/manual-clock.ts';
import { createLastMinute } from './last-minute.ts';

it('the requests of the last minute are not known before somebody counted, nor when nobody counts any more', () => {
  verifies('BW-console.03');
  const clock = new ManualClock();
  const minute = createLastMinute(clock);
  expect(minute.read()).toBeUndefined();
  minute.hear({ requests: 200, unavailable: 3 });
  clock.advance(29_999);
  expect(minute.read()).toEqual({ requests: 200, unavailable: 3 });
  clock.advance(1);
  expect(minute.read()).toBeUndefined();
  minute.hear({ requests: 0, unavailable: 0 });
  expect(minute.read()).toEqual({ requests: 0, unavailable: 0 });
});
