import { describe, expect, it } from 'vitest';
import { isLive, liveSignals } from './signs-of-life.ts';

const NOW = Date.UTC(2026, 5, 1);
const traces = (binding: number | null, activity: number | null) => ({
  lastSeenBindingMs: binding === null ? null : NOW - binding,
  lastActivityMs: activity === null ? null : NOW - activity,
  now: NOW,
});

describe('signs of life', () => {
  it.each([
    [null, null, []],
    [300_000, null, ['live_binding']],
    [300_001, null, []],
    [null, 600_000, ['live_presence']],
    [null, 600_001, []],
    [0, 0, ['live_binding', 'live_presence']],
    [-5000, null, ['live_binding']],
  ] as const)('a process seen %s ms ago, activity %s ms ago: %j', (binding, activity, signals) => {
    expect(liveSignals(traces(binding, activity))).toEqual(signals);
    expect(isLive(traces(binding, activity))).toBe(signals.length > 0);
  });
});
