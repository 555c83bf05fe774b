import type { Phase } from '@breakwater/contract';
import { appended, clamp } from './numbers.ts';
import type { Observation } from './observations.ts';

export type Dimension = 'E' | 'I' | 'S' | 'V';

/** Energy, integrity, entropy (each 0 to 1) and volatility (−1 to 1). */
export type Eisv = Readonly<Record<Dimension, number>>;

/** Running mean and sum of squared distances; the count is the state's. */
export interface Spread {
  readonly mean: number;
  readonly m2: number;
}

/** An agent's smoothed behaviour (spec checkin 2.6). Histories hold what the rules look back on, oldest first. */
export interface Behaviour extends Eisv {
  /** Updates so far. */
  readonly count: number;
  readonly spread: Readonly<Record<Dimension, Spread>>;
  /** Last 10 of E, I and S, last 100 of V. */
  readonly history: Readonly<Record<Dimension, readonly number[]>>;
}

const ALPHA: Eisv = { E: 0.12, I: 0.08, S: 0.15, V: 0.1 };
export const HISTORY_LIMIT: Readonly<Record<Dimension, number>> = { E: 10, I: 10, S: 10, V: 100 };
/** Updates that learn faster than the steady rate. */
const FAST_UPDATES = 10;
const TREND_WINDOW = 5;
export const WARMUP_TARGET = 30;
/** A spread narrower than this would make every twitch a deviation. */
const LEAST_STD = 0.05;

const NO_SPREAD: Spread = Object.freeze({ mean: 0, m2: 0 });

export const INITIAL_BEHAVIOUR: Behaviour = Object.freeze({
  E: 0.5,
  I: 0.5,
  S: 0.2,
  V: 0,
  count: 0,
  spread: Object.freeze({ E: NO_SPREAD, I: NO_SPREAD, S: NO_SPREAD, V: NO_SPREAD }),
  history: Object.freeze({
    E: Object.freeze([]),
    I: Object.freeze([]),
    S: Object.freeze([]),
    V: Object.freeze([]),
  }),
});

const learnSpread = ({ mean, m2 }: Spread, value: number, count: number): Spread => {
  const delta = value - mean;
  const next = mean + delta / count;
  return { mean: next, m2: m2 + delta * (value - next) };
};

/** The behaviour after one more observation. */
export const advance = (old: Behaviour, observed: Observation): Behaviour => {
  const boost = old.count < FAST_UPDATES ? 0.5 * (1 - old.count / FAST_UPDATES) : 0;
  const smooth = (dimension: Dimension, reading: number) => {
    const alpha = ALPHA[dimension] + boost;
    return (1 - alpha) * old[dimension] + alpha * reading;
  };
  const E_observed = clamp(observed.E);
  const I_observed = clamp(observed.I);
  const E = clamp(smooth('E', E_observed));
  const I = clamp(smooth('I', I_observed));
  const S = clamp(smooth('S', clamp(observed.S)));
  // Adding 0 turns −0 into 0, which JSON would do behind our back.
  const V = clamp(smooth('V', E_observed - I_observed), -1, 1) + 0;
  const count = old.count + 1;
  const { spread, history } = old;
  return {
    E,
    I,
    S,
    V,
    count,
    spread: {
      E: learnSpread(spread.E, E, count),
      I: learnSpread(spread.I, I, count),
      S: learnSpread(spread.S, S, count),
      V: learnSpread(spread.V, V, count),
    },
    history: {
      E: appended(history.E, E, HISTORY_LIMIT.E),
      I: appended(history.I, I, HISTORY_LIMIT.I),
      S: appended(history.S, S, HISTORY_LIMIT.S),
      V: appended(history.V, V, HISTORY_LIMIT.V),
    },
  };
};

/** How much the state is worth, 0 to 1: full after ten updates. */
export const confidenceOf = (count: number): number => Math.min(1, count / FAST_UPDATES);

/** How much the baseline is worth, 0 to 1: nothing below 5 updates, full from 30. */
export const baselineConfidence = (count: number): number =>
  count >= WARMUP_TARGET ? 1 : count < 5 ? 0 : (count - 5) / (WARMUP_TARGET - 5);

/** Whether deviations from the own baseline are judged; from update 25 on, before the phase says so. */
export const isBaselined = (count: number): boolean => baselineConfidence(count) >= 0.8;

export const phaseOf = (count: number): Phase =>
  count === 0
    ? 'uninitialized'
    : count < FAST_UPDATES
      ? 'bootstrapping'
      : count < WARMUP_TARGET
        ? 'warming_up'
        : 'baselined';

/** Standard deviations from the own mean; the current value is already part of it. 0 while not baselined. */
export const deviations = (state: Behaviour): Eisv => {
  const of = (dimension: Dimension): number => {
    if (!isBaselined(state.count) || state.count < 5) return 0;
    const { mean, m2 } = state.spread[dimension];
    const divisor = Math.max(Math.sqrt(m2 / (state.count - 1)), LEAST_STD);
    return (state[dimension] - mean) / divisor;
  };
  return { E: of('E'), I: of('I'), S: of('S'), V: of('V') };
};

/** Least-squares slope per update over the last five values; 0 with fewer than two. */
export const trend = (history: readonly number[]): number => {
  const recent = history.slice(-TREND_WINDOW);
  const n = recent.length;
  if (n < 2) return 0;
  const middle = (n - 1) / 2;
  let total = 0;
  for (const y of recent) total += y;
  const centre = total / n;
  let above = 0;
  let below = 0;
  recent.forEach((y, x) => {
    above += (x - middle) * (y - centre);
    below += (x - middle) * (x - middle);
  });
  return above / below;
};

/** The change of one dimension at the last update; 0 before there are two states. */
export const lastChange = (history: readonly number[]): number => {
  const now = history.at(-1);
  const before = history.at(-2);
  return now === undefined || before === undefined ? 0 : now - before;
};

/** How far the state moved at its last update: the absolute changes of the four dimensions together. */
export const velocity = ({ history }: Behaviour): number =>
  Math.abs(lastChange(history.E)) +
  Math.abs(lastChange(history.I)) +
  Math.abs(lastChange(history.S)) +
  Math.abs(lastChange(history.V));
