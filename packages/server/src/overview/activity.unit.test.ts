import { describe, expect, it } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import { HOUR, MINUTE, NOW } from '../lifecycle/rules/testing/head.ts';
import { createActivity } from './activity.ts';

describe('activity', () => {
  const bucketsOf = (activity: ReturnType<typeof createActivity>, now: number) =>
    activity.read(now).map(({ from, ...counts }) => [from.slice(11, 16), ...Object.values(counts)]);

  it('counts check-ins by verdict in minutes, from the minute on in which the node began', () => {
    verifies('BW-console.03');
    const activity = createActivity(NOW + 30_000);
    for (const verdict of ['proceed', 'proceed', 'guide', 'pause', 'reject']) activity.observe(verdict, NOW + 59_999);
    activity.observe('guide', NOW + 2 * MINUTE);
    expect(bucketsOf(activity, NOW + 2 * MINUTE + 1)).toEqual([
      ['12:00', 2, 1, 2],
      ['12:01', 0, 0, 0],
      ['12:02', 0, 1, 0],
    ]);
    expect(activity.since).toBe(NOW + 30_000);
  });

  it('shows an hour and forgets what is older, also when nothing happened since', () => {
    const activity = createActivity(NOW - 5 * HOUR);
    activity.observe('proceed', NOW);
    expect(activity.read(NOW + 59 * MINUTE)).toHaveLength(60);
    expect(bucketsOf(activity, NOW + 59 * MINUTE)[0]).toEqual(['12:00', 1, 0, 0]);
    const later = bucketsOf(activity, NOW + 60 * MINUTE);
    expect([later[0], later.at(-1)]).toEqual([
      ['12:01', 0, 0, 0],
      ['13:00', 0, 0, 0],
    ]);
    activity.observe('guide', NOW + 60 * MINUTE);
    expect(bucketsOf(activity, NOW + 60 * MINUTE).at(-1)).toEqual(['13:00', 0, 1, 0]);
  });
});
