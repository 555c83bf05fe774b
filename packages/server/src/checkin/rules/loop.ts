import { BLANK_TOPIC } from './text-features.ts';
import type { RecentUpdate } from './state.ts';

/** When an agent counts as going round in circles (spec checkin 6). Times are ms. */
export interface LoopLimits {
  /** This many updates on one topic within the window; the new one counts. */
  readonly sameTopic: number;
  readonly sameTopicWindowMs: number;
  /** More updates than this within the window; the new one counts. At most what the state remembers. */
  readonly burst: number;
  readonly burstWindowMs: number;
  /** This many pauses among the last updates, all within the window. */
  readonly pauses: number;
  readonly pausesAmong: number;
  readonly pausesWindowMs: number;
  readonly coolDownSeconds: number;
}

/** How many updates the state remembers for loop detection. */
export const RECENT_KEPT = 20;

export const DEFAULT_LOOP_LIMITS: LoopLimits = Object.freeze({
  sameTopic: 5,
  sameTopicWindowMs: 600_000,
  burst: RECENT_KEPT,
  burstWindowMs: 60_000,
  pauses: 3,
  pausesAmong: 10,
  pausesWindowMs: 3_600_000,
  coolDownSeconds: 30,
});

interface Loop {
  readonly rule: 'same_topic' | 'burst' | 'pauses';
  readonly retryAfterSeconds: number;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/**
 * Whether the update that is about to be scored closes a loop; undefined when not. A refused update is not remembered,
 * so every rule looks only at a window of time: otherwise the entries that refused it would refuse for ever. Entries
 * from the future (the clock was set back) count for nothing, for the same reason.
 */
export const detectLoop = (
  recent: readonly RecentUpdate[],
  now: number,
  topicHash: string,
  limits: LoopLimits = DEFAULT_LOOP_LIMITS,
): Loop | undefined => {
  const within = (windowMs: number) => (update: RecentUpdate) => now - update.at >= 0 && now - update.at <= windowMs;
  const found = (rule: Loop['rule'], count: number, windowMs: number, more = {}): Loop => ({
    rule,
    retryAfterSeconds: limits.coolDownSeconds,
    evidence: { count, window_seconds: windowMs / 1000, ...more },
  });

  // Reports without words say nothing of their topic, so they cannot repeat it.
  if (topicHash !== '' && topicHash !== BLANK_TOPIC) {
    const same = recent.filter((update) => update.topicHash === topicHash);
    const count = same.filter(within(limits.sameTopicWindowMs)).length + 1;
    if (count >= limits.sameTopic) {
      return found('same_topic', count, limits.sameTopicWindowMs, { topic_hash: topicHash });
    }
  }
  const burst = recent.filter(within(limits.burstWindowMs)).length + 1;
  if (burst > limits.burst) return found('burst', burst, limits.burstWindowMs);

  const pauses = recent
    .slice(-limits.pausesAmong)
    .filter((update) => update.action === 'pause')
    .filter(within(limits.pausesWindowMs)).length;
  if (pauses >= limits.pauses) return found('pauses', pauses, limits.pausesWindowMs, { among: limits.pausesAmong });
  return undefined;
};
