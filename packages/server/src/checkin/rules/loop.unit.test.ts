import { describe, expect, it } from 'vitest';
import { DEFAULT_LOOP_LIMITS, detectLoop, RECENT_KEPT } from './loop.ts';
import type { RecentUpdate } from './state.ts';
import { BLANK_TOPIC } from './text-features.ts';

const NOW = Date.UTC(2026, 0, 2);
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Updates at these ages, oldest first, each on a topic of its own. */
const updates = (ages: readonly number[], of: Partial<RecentUpdate> = {}): RecentUpdate[] =>
  ages.map((age, i) => ({ at: NOW - age, topicHash: `topic-${i}`, action: 'proceed', ...of }));
const every = (ms: number, n: number) => Array.from({ length: n }, (_, i) => (n - i) * ms);

describe('loop detection', () => {
  it('refuses the fifth update on one topic within ten minutes', () => {
    const four = updates(every(2 * MINUTE, 4), { topicHash: 'same' });
    expect(detectLoop(four, NOW, 'same')).toEqual({
      rule: 'same_topic',
      retryAfterSeconds: 30,
      evidence: { count: 5, window_seconds: 600, topic_hash: 'same' },
    });
    expect(detectLoop(four, NOW, 'other')).toBeUndefined();
    expect(detectLoop(four.slice(1), NOW, 'same')).toBeUndefined();
    expect(detectLoop(updates(every(3 * MINUTE, 4), { topicHash: 'same' }), NOW, 'same')).toBeUndefined();
  });

  it('counts an update at the very edge of the window and none beyond it', () => {
    const at = (age: number) => updates([age, MINUTE, MINUTE, MINUTE], { topicHash: 'same' });
    expect(detectLoop(at(10 * MINUTE), NOW, 'same')).toBeDefined();
    expect(detectLoop(at(10 * MINUTE + 1), NOW, 'same')).toBeUndefined();
  });

  it('takes no two reports without words for one topic', () => {
    for (const topicHash of ['', BLANK_TOPIC]) {
      expect(detectLoop(updates(every(MINUTE, 9), { topicHash }), NOW, topicHash)).toBeUndefined();
    }
  });

  it('refuses the twenty-first update within a minute', () => {
    expect(detectLoop(updates(every(3 * SECOND, 20)), NOW, 'new')).toMatchObject({
      rule: 'burst',
      evidence: { count: 21, window_seconds: 60 },
    });
    expect(detectLoop(updates(every(3 * SECOND, 19)), NOW, 'new')).toBeUndefined();
    expect(detectLoop(updates([61 * SECOND, ...every(3 * SECOND, 19)]), NOW, 'new')).toBeUndefined();
  });

  it('lets an agent that checks in every few seconds for long work on', () => {
    expect(detectLoop(updates(every(20 * SECOND, RECENT_KEPT)), NOW, 'new')).toBeUndefined();
  });

  it('refuses after three pauses among the last ten updates', () => {
    const recent = updates(every(5 * MINUTE, 10));
    const withPauses = (...at: number[]) =>
      recent.map((update, i): RecentUpdate => (at.includes(i) ? { ...update, action: 'pause' } : update));
    expect(detectLoop(withPauses(0, 4, 9), NOW, 'new')).toMatchObject({
      rule: 'pauses',
      evidence: { count: 3, among: 10 },
    });
    expect(detectLoop(withPauses(4, 9), NOW, 'new')).toBeUndefined();
    const eleven = [{ ...updates([55 * MINUTE])[0]!, action: 'pause' as const }, ...withPauses(4, 9)];
    expect(detectLoop(eleven, NOW, 'new')).toBeUndefined();
  });

  it('never locks out for ever: what is old counts for nothing', () => {
    const full: RecentUpdate[] = [
      ...updates(every(SECOND, 10), { topicHash: 'same' }),
      ...updates(every(SECOND, 10), { topicHash: 'same', action: 'pause' }),
    ];
    expect(detectLoop(full, NOW, 'same')).toBeDefined();
    expect(detectLoop(full, NOW + HOUR + MINUTE, 'same')).toBeUndefined();
    const spread = updates(every(2 * HOUR, 5), { action: 'pause' });
    expect(detectLoop(spread, NOW, 'new')).toBeUndefined();
  });

  it('survives a clock that was set back', () => {
    const future = updates(every(-MINUTE, 20), { topicHash: 'same', action: 'pause' });
    expect(detectLoop(future, NOW, 'same')).toBeUndefined();
  });

  it('goes by the limits that it is given', () => {
    const limits = { ...DEFAULT_LOOP_LIMITS, sameTopic: 2, coolDownSeconds: 5 };
    expect(detectLoop(updates([MINUTE], { topicHash: 'same' }), NOW, 'same', limits)?.retryAfterSeconds).toBe(5);
  });
});
