import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { firstMinute, FleetHour, minuteOf, type FleetCount } from './fleet-guard.ts';

const NOW = Date.UTC(2026, 5, 1, 10, 20);
const count = (agentId: string, results: number, failed: number, at = NOW): FleetCount => ({
  agentId,
  minute: minuteOf(at),
  results,
  sumClaim: results * 0.9,
  failed,
});
const hourOf = (...counts: FleetCount[]): FleetHour => {
  const hour = new FleetHour();
  for (const one of counts) hour.add(one);
  return hour;
};

describe('the fleet guard', () => {
  it('holds bets while at least twenty results of others fall short by more than 0.3 on average', () => {
    verifies('BW-outcomes.07');
    expect(hourOf(count('a', 20, 20)).others('me', NOW).isOutage).toBe(true);
    expect(hourOf(count('a', 19, 19)).others('me', NOW).isOutage).toBe(false);
    expect(hourOf(count('a', 10, 2), count('b', 10, 1)).others('me', NOW).isOutage).toBe(false);
    expect(hourOf(count('a', 100, 21)).others('me', NOW)).toMatchObject({ results: 100, isOutage: false });
    expect(hourOf(count('a', 100, 41)).others('me', NOW)).toMatchObject({ results: 100, isOutage: true });
  });

  it('does not count the agent itself, nor what is older than an hour', () => {
    verifies('BW-outcomes.07');
    expect(hourOf(count('me', 50, 50), count('a', 5, 5)).others('me', NOW)).toMatchObject({ results: 5 });
    const old = hourOf(count('a', 30, 30, NOW - 3_600_000));
    expect(old.others('me', NOW).results).toBe(0);
    expect(old.others('me', NOW - 60_000).results).toBe(30);
  });

  it('says how many of how many other agents failed', () => {
    const hour = hourOf(count('me', 1, 1), count('a', 2, 1), count('b', 3, 0), count('a', 1, 1, NOW - 60_000));
    expect(hour.otherAgents('me', NOW)).toEqual({ agents: 2, failing: 1 });
  });

  it('takes what is stored of the newest minutes in place of what it knew, as often as it is asked', () => {
    const hour = hourOf(count('a', 3, 3, NOW - 300_000), count('a', 1, 1));
    for (let i = 0; i < 3; i += 1) hour.replace(minuteOf(NOW) - 1, [count('a', 4, 4), count('b', 2, 0)]);
    expect(hour.others('me', NOW).results).toBe(9);
    hour.forget(NOW + 10 * 3_600_000);
    expect(hour.others('me', NOW).results).toBe(0);
    expect(firstMinute(NOW)).toBe(minuteOf(NOW) - 59);
  });
});
