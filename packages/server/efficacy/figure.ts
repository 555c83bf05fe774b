import { wilson } from '../src/calibration/rules/curve.ts';
import type { Random } from '../src/runtime/index.ts';

/** What a figure must reach: at most, at least; judged on the value, or for a rate on the better end of its interval. */
export interface Aim {
  readonly most?: number;
  readonly least?: number;
  /** Whether the interval only has to reach the aim: for figures that chance moves more than they may move. */
  readonly byInterval?: boolean;
}

/** One measured number, with its 95 % interval and how many agents, results or alarms stand behind it. */
export interface Measured {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly n: number;
  /** Said in place of the value, as "never": it then stands for nothing. */
  readonly instead?: string;
  /** Said beside it. */
  readonly note?: string;
}

/** A measured number as the table prints it, beside what the study of the old detector found. */
export interface Figure extends Measured {
  /** Row and what of it: unique in a run. */
  readonly id: string;
  readonly says: string;
  readonly unit: 'results' | 'share' | 'claims' | 'jobs';
  /** The study's figure as text, with the rule that it is of; undefined: it has none. */
  readonly study?: string;
  readonly aim?: Aim;
  /** null: it has no aim. */
  readonly met: boolean | null;
}

/** How much work a row may do: 1 in a run of the program, less in a test. */
export interface Effort {
  /** How many agents, results or trials in place of `full`; at least `least`. */
  of(full: number, least?: number): number;
}

export const effort = (scale: number): Effort => ({
  of: (full, least = 20) => Math.max(Math.min(full, least), Math.round(full * scale)),
});

/** Some figures that one simulation gives. */
export interface Row {
  readonly name: string;
  /** What it simulates, with the shape of its agents. */
  readonly about: string;
  run(random: Random, effort: Effort): readonly Omit<Figure, 'met'>[];
}

/** A share with its Wilson interval. */
export const share = (hits: number, n: number): Measured => {
  const value = hits / n;
  const [low, high] = wilson(value, n);
  return { value, low, high, n };
};

const Z = 1.959964;
const cube = (x: number): number => x * x * x;

/** Bounds of the mean of a Poisson count, 95 %, after Byar; without an event, the upper one is the rule of three. */
const byar = (events: number): readonly [number, number] => {
  const upper = (events + 1) * cube(1 - 1 / (9 * (events + 1)) + Z / (3 * Math.sqrt(events + 1)));
  if (events === 0) return [0, upper];
  return [events * cube(1 - 1 / (9 * events) - Z / (3 * Math.sqrt(events))), upper];
};

/** The mean number of results between alarms, of so many alarms in so many results; `n` is the alarms. */
export const perAlarm = (results: number, alarms: number): Measured => {
  const [fewest, most] = byar(alarms);
  return {
    value: alarms === 0 ? results : results / alarms,
    low: results / most,
    high: fewest <= 0 ? Number.POSITIVE_INFINITY : results / fewest,
    n: alarms,
    ...(alarms === 0 && { instead: `none in ${results}` }),
  };
};

/** A mean with its normal interval. */
export const mean = (values: readonly number[]): Measured => {
  const n = values.length;
  const value = values.reduce((sum, one) => sum + one, 0) / n;
  const variance = values.reduce((sum, one) => sum + (one - value) ** 2, 0) / Math.max(1, n - 1);
  const half = Z * Math.sqrt(variance / n);
  return { value, low: value - half, high: value + half, n };
};

/** Whether a figure reaches its aim; null when it has none. */
export const isMet = ({ aim, value, low, high }: Omit<Figure, 'met'>): boolean | null => {
  if (aim === undefined) return null;
  const best = aim.byInterval === true ? { least: high, most: low } : { least: value, most: value };
  return (aim.least === undefined || best.least >= aim.least) && (aim.most === undefined || best.most <= aim.most);
};
