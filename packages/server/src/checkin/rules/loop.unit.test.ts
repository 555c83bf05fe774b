import { describe, expect, it } from 'vitest';
import { DEFAULT_LOOP_LIMITS, detectLoop, RECENT_KEPT, watchedTopic } from './loop.ts';
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

/** Ages of reports at no regular interval, oldest first. */
const UNEVEN = [97, 80, 41, 7].map((seconds) => seconds * SECOND);

describe('loop detection', () => {
  it('refuses the fifth update on one topic within ten minutes, until the first of them is ten minutes old', () => {
    const four = updates(UNEVEN, { topicHash: 'same' });
    expect(detectLoop(four, NOW, 'same')).toEqual({
      rule: 'same_topic',
      retryAt: NOW - 97 * SECOND + 10 * MINUTE + 1,
      topicHash: 'same',
      evidence: { count: 5, window_seconds: 600, topic_hash: 'same' },
    });
    expect(detectLoop(four, NOW, 'other')).toBeUndefined();
    expect(detectLoop(four.slice(1), NOW, 'same')).toBeUndefined();
  });

  it('counts an update at the very edge of the window and none beyond it', () => {
    const at = (age: number) => updates([age, ...UNEVEN.slice(1)], { topicHash: 'same' });
    expect(detectLoop(at(10 * MINUTE), NOW, 'same')).toBeDefined();
    expect(detectLoop(at(10 * MINUTE + 1), NOW, 'same')).toBeUndefined();
  });

  it('is over when it says: an update then is taken, and one a moment before is not', () => {
    const loops = [
      updates(UNEVEN, { topicHash: 'same' }),
      updates(every(2 * SECOND, 20)),
      updates(
        [40, 30, 20].map((n) => n * MINUTE),
        { action: 'pause' },
      ),
    ];
    for (const recent of loops) {
      const loop = detectLoop(recent, NOW, 'same');
      if (loop === undefined) throw new Error('a loop');
      expect(detectLoop(recent, loop.retryAt, 'same'), loop.rule).toBeUndefined();
      // Far from the last report, what is left of a loop of the text may lie on a beat; the others are loops to the end.
      if (loop.rule !== 'same_topic') expect(detectLoop(recent, loop.retryAt - 1, 'same')?.rule).toBe(loop.rule);
    }
  });

  it.each([12, 30, 60, 120, 150])(
    'takes a constant text every %i s, late by a few of them and with misses',
    (seconds) => {
      let recent: RecentUpdate[] = [];
      for (let beat = 0; beat < 300; beat += 1) {
        // Late by up to a tenth of a beat, and every eleventh report is lost on its way.
        const at = beat * seconds * SECOND + ((beat * 37) % 11) * seconds * 9;
        if (beat % 11 === 10) continue;
        expect(detectLoop(recent, at, 'same'), `beat ${beat}`).toBeUndefined();
        recent = [...recent, { at, topicHash: 'same', action: 'proceed' as const }].slice(-RECENT_KEPT);
      }
    },
  );

  it('takes no burst for a beat, however even', () => {
    const even = updates(every(9 * SECOND, 4), { topicHash: 'same' });
    expect(detectLoop(even, NOW, 'same')?.rule).toBe('same_topic');
    const dead = updates([0, 0, 0, 0], { topicHash: 'same' });
    expect(detectLoop(dead, NOW, 'same')?.rule).toBe('same_topic');
  });

  it('holds no observer and no resident to its words, and everybody else', () => {
    const of = (epistemicClass: string, ...tags: string[]) => watchedTopic('same', { epistemicClass, tags });
    expect(of('agent_report')).toBe('same');
    expect(of('prediction', 'ephemeral')).toBe('same');
    expect(of('substrate_interpretation')).toBe('');
    expect(of('substrate_observation', 'ephemeral')).toBe('');
    expect(of('agent_report', 'autonomous')).toBe('');
    expect(of('agent_report', 'x', 'persistent')).toBe('');
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
    const limits = { ...DEFAULT_LOOP_LIMITS, sameTopic: 3, sameTopicWindowMs: 2 * MINUTE };
    const two = updates([90 * SECOND, 3 * SECOND], { topicHash: 'same' });
    expect(detectLoop(two, NOW, 'same', limits)?.retryAt).toBe(NOW + 30 * SECOND + 1);
    expect(detectLoop(two, NOW, 'same')).toBeUndefined();
  });
});
