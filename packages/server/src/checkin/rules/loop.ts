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
});

/** A loop, and when it is over at the latest if nothing else is reported. */
export interface Loop {
  readonly rule: 'same_topic' | 'burst' | 'pauses';
  /** Clock time in ms from which the same update would be taken. */
  readonly retryAt: number;
  /** The only topic that is refused; undefined: every update is. */
  readonly topicHash: string | undefined;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** Reports closer together than this are work, however even. */
const PACED_FROM_MS = 10_000;
/** How far a gap may be from a multiple of the beat, as a part of it. */
const PACE_TOLERANCE = 0.2;

/**
 * Whether times, oldest first, lie on one beat, as a program's reports do that says the same each minute. A gap may be a
 * multiple of the beat: a refused or missed report must not make the next ones look like a loop.
 */
const isPaced = (times: readonly number[]): boolean => {
  const gaps = times.slice(1).map((at, i) => at - (times[i] ?? at));
  const onBeat = (gap: number, beat: number): boolean => {
    const beats = Math.round(gap / beat);
    return beats >= 1 && Math.abs(gap / beat - beats) <= PACE_TOLERANCE;
  };
  return gaps.every((gap) => gap >= PACED_FROM_MS) && gaps.some((beat) => gaps.every((gap) => onBeat(gap, beat)));
};

/** Tags that only an operator gives, or its roster: of programs that are meant to say the same for days. */
const RESIDENT_TAGS: readonly string[] = ['autonomous', 'persistent'];

/**
 * The topic by which a report is held against earlier ones; '' for one that is not: what an observer reports of an agent
 * (`substrate_*`) is not the agent's own words, and a resident is meant to repeat itself.
 */
export const watchedTopic = (
  topicHash: string,
  of: { readonly epistemicClass: string; readonly tags: readonly string[] },
): string =>
  of.epistemicClass.startsWith('substrate_') || RESIDENT_TAGS.some((tag) => of.tags.includes(tag)) ? '' : topicHash;

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
  const timesWithin = (updates: readonly RecentUpdate[], windowMs: number): number[] =>
    updates.map(({ at }) => at).filter((at) => now - at >= 0 && now - at <= windowMs);
  const found = (rule: Loop['rule'], times: readonly number[], most: number, windowMs: number, more = {}): Loop => ({
    rule,
    // When so many of them have left the window that one more is taken.
    retryAt: (times.at(-most) ?? now) + windowMs + 1,
    topicHash: rule === 'same_topic' ? topicHash : undefined,
    evidence: { window_seconds: windowMs / 1000, ...more },
  });

  // Reports without words say nothing of their topic, so they cannot repeat it.
  if (topicHash !== '' && topicHash !== BLANK_TOPIC) {
    const same = recent.filter((update) => update.topicHash === topicHash);
    const times = timesWithin(same, limits.sameTopicWindowMs);
    const before = limits.sameTopic - 1;
    if (times.length >= before && !isPaced([...times.slice(-before), now])) {
      const evidence = { count: times.length + 1, topic_hash: topicHash };
      return found('same_topic', times, before, limits.sameTopicWindowMs, evidence);
    }
  }
  const burst = timesWithin(recent, limits.burstWindowMs);
  if (burst.length >= limits.burst) {
    return found('burst', burst, limits.burst, limits.burstWindowMs, { count: burst.length + 1 });
  }
  const pauses = timesWithin(
    recent.slice(-limits.pausesAmong).filter((update) => update.action === 'pause'),
    limits.pausesWindowMs,
  );
  if (pauses.length >= limits.pauses) {
    const evidence = { count: pauses.length, among: limits.pausesAmong };
    return found('pauses', pauses, limits.pauses, limits.pausesWindowMs, evidence);
  }
  return undefined;
};
