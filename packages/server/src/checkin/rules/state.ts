import type { Regime } from '@breakwater/contract';
import { HISTORY_LIMIT, INITIAL_BEHAVIOUR, type Behaviour, type Dimension, type Spread } from './behaviour.ts';
import { INITIAL_DRIFT_BASELINE, type DriftBaseline } from './drift.ts';
import { INITIAL_OSCILLATION, type OscillationState } from './oscillation.ts';

/** One accepted update, as loop detection remembers it. */
export interface RecentUpdate {
  /** ms since the epoch, UTC; whole. */
  readonly at: number;
  readonly topicHash: string;
  readonly action: 'proceed' | 'pause';
}

/**
 * All that the next check-in of an agent depends on, besides its evidence and its behavioural baseline. Restored from
 * the newest state row and the drift baseline's row, it gives the same results as if it had never left memory.
 */
export interface ScoringState {
  readonly behaviour: Behaviour;
  readonly drift: DriftBaseline;
  /** Last 10, oldest first. */
  readonly regimes: readonly Regime[];
  /** Updates running that were calm enough for STABLE. */
  readonly calm: number;
  /** Final risks of the last 10 updates, oldest first. */
  readonly finalRisks: readonly number[];
  readonly oscillation: OscillationState;
  readonly voidActive: boolean;
  readonly derivedComplexity: number | null;
  /** Time of the last check-in, ms since the epoch, UTC; whole. */
  readonly lastAt: number | null;
  /** Last 20, oldest first. */
  readonly recent: readonly RecentUpdate[];
}

export const initialScoring: ScoringState = Object.freeze({
  behaviour: INITIAL_BEHAVIOUR,
  drift: INITIAL_DRIFT_BASELINE,
  regimes: Object.freeze([]),
  calm: 0,
  finalRisks: Object.freeze([]),
  oscillation: INITIAL_OSCILLATION,
  voidActive: false,
  derivedComplexity: null,
  lastAt: null,
  recent: Object.freeze([]),
});

/** The drift baseline by the column names of core.agent_baselines. */
type DriftBaselineColumns = {
  readonly baseline_coherence: number;
  readonly baseline_confidence: number;
  readonly baseline_complexity: number;
  readonly prev_coherence: number | null;
  readonly prev_confidence: number | null;
  readonly prev_complexity: number | null;
  readonly recent_decisions: readonly string[];
  readonly decision_consistency: number;
  readonly update_count: number;
  readonly alpha: number;
};

const VERSION = 1;
const FINAL_RISKS_KEPT = 10;

/** Words that are stored by one letter each. */
const REGIME_LETTERS: Readonly<Record<Regime, string>> = {
  STABLE: 'S',
  EXPLORATION: 'E',
  DIVERGENCE: 'D',
  TRANSITION: 'T',
  CONVERGENCE: 'C',
};
const ROUTE_LETTERS: Readonly<Record<string, string>> = { safe: 's', caution: 'c', 'high-risk': 'h' };

const swapped = <W extends string>(letters: Readonly<Record<W, string>>): ReadonlyMap<string, W> =>
  new Map((Object.keys(letters) as W[]).map((word) => [letters[word], word]));
const REGIMES = swapped(REGIME_LETTERS);
const ROUTES = swapped(ROUTE_LETTERS);

/** Where each list of numbers stands in the packed histories; all lengths follow from the number of updates. */
const STORED: readonly Dimension[] = ['E', 'I', 'S', 'V'];
const historyLength = (dimension: Dimension, count: number) => Math.min(count, HISTORY_LIMIT[dimension]);
const packedLength = (count: number) =>
  2 * STORED.length +
  STORED.reduce((total, dimension) => total + historyLength(dimension, count), 0) +
  Math.min(count, FINAL_RISKS_KEPT);

/**
 * The histories as base64 of little-endian float64: a third of the size of decimal digits, exact, and it costs a memory
 * copy instead of 140 conversions at every check-in.
 */
const packNumbers = ({ behaviour, finalRisks }: ScoringState): string => {
  const numbers = new Float64Array(packedLength(behaviour.count));
  let at = 0;
  for (const dimension of STORED) {
    const { mean, m2 } = behaviour.spread[dimension];
    numbers[at] = mean;
    numbers[at + 1] = m2;
    at += 2;
  }
  for (const dimension of STORED) {
    const list = behaviour.history[dimension];
    numbers.set(list, at);
    at += list.length;
  }
  numbers.set(finalRisks, at);
  return Buffer.from(numbers.buffer).toString('base64');
};

const unpackNumbers = (text: string, count: number): Pick<ScoringState, 'behaviour' | 'finalRisks'> => {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== 8 * packedLength(count)) throw new Error('scoring state: histories do not fit the count');
  let at = 0;
  const take = (): number => {
    const value = bytes.readDoubleLE(at);
    at += 8;
    if (!Number.isFinite(value)) throw new Error('scoring state: a history holds a number that is not finite');
    return value;
  };
  const takeSpread = (): Spread => ({ mean: take(), m2: take() });
  const takeList = (length: number): number[] => Array.from({ length }, take);
  const spread = { E: takeSpread(), I: takeSpread(), S: takeSpread(), V: takeSpread() };
  const history = {
    E: takeList(historyLength('E', count)),
    I: takeList(historyLength('I', count)),
    S: takeList(historyLength('S', count)),
    V: takeList(historyLength('V', count)),
  };
  const current = (dimension: Dimension) => history[dimension].at(-1) ?? INITIAL_BEHAVIOUR[dimension];
  return {
    behaviour: { E: current('E'), I: current('I'), S: current('S'), V: current('V'), count, spread, history },
    finalRisks: takeList(Math.min(count, FINAL_RISKS_KEPT)),
  };
};

/** One update as `<time in base 36>.<topic hash><p or P>`; P is a pause. */
const packRecent = (recent: readonly RecentUpdate[]): string => {
  let text = '';
  for (const { at, topicHash, action } of recent) {
    text += `${text === '' ? '' : ' '}${at.toString(36)}.${topicHash}${action === 'pause' ? 'P' : 'p'}`;
  }
  return text;
};

const unpackRecent = (text: string): RecentUpdate[] =>
  text === ''
    ? []
    : text.split(' ').map((entry) => {
        const dot = entry.indexOf('.');
        const at = Number.parseInt(entry.slice(0, dot), 36);
        if (dot < 1 || !Number.isSafeInteger(at)) throw new Error('scoring state: a recent update is unreadable');
        return { at, topicHash: entry.slice(dot + 1, -1), action: entry.endsWith('P') ? 'pause' : 'proceed' };
      });

const packWords = (words: readonly string[], letters: Readonly<Record<string, string>>): string => {
  let text = '';
  for (const word of words) text += letters[word] ?? '?';
  return text;
};

const unpackWords = <W>(text: string, words: ReadonlyMap<string, W>): W[] =>
  Array.from(text, (letter) => {
    const word = words.get(letter);
    if (word === undefined) throw new Error(`scoring state: unknown letter ${letter}`);
    return word;
  });

/** The state as it is stored; short keys, because it is written at every check-in. */
interface StoredScoring {
  readonly v: typeof VERSION;
  /** Updates. */
  readonly n: number;
  /** Packed numbers. */
  readonly h: string;
  /** Regimes, and calm updates running. */
  readonly g: string;
  readonly c: number;
  /** Oscillation: index, sides of risk and coherence, routes. */
  readonly o: readonly [number, number, number, string];
  /** Void active, 0 or 1. */
  readonly a: number;
  /** Derived complexity. */
  readonly d: number | null;
  /** Time of the last check-in. */
  readonly t: number | null;
  /** Recent updates. */
  readonly r: string;
}

/** The state as one JSON object and one row of columns; together they hold all of it. */
export const encodeScoring = (
  state: ScoringState,
): { json: Record<string, unknown>; driftBaseline: DriftBaselineColumns } => {
  const { oscillation, drift } = state;
  const json: StoredScoring = {
    v: VERSION,
    n: state.behaviour.count,
    h: packNumbers(state),
    g: packWords(state.regimes, REGIME_LETTERS),
    c: state.calm,
    o: [
      oscillation.index,
      oscillation.riskSide,
      oscillation.coherenceSide,
      packWords(oscillation.routes, ROUTE_LETTERS),
    ],
    a: state.voidActive ? 1 : 0,
    d: state.derivedComplexity,
    t: state.lastAt,
    r: packRecent(state.recent),
  };
  return {
    json: { ...json },
    driftBaseline: {
      baseline_coherence: drift.coherence,
      baseline_confidence: drift.confidence,
      baseline_complexity: drift.complexity,
      prev_coherence: drift.previousCoherence,
      prev_confidence: drift.previousConfidence,
      prev_complexity: drift.previousComplexity,
      recent_decisions: drift.decisions,
      decision_consistency: drift.consistency,
      update_count: drift.count,
      alpha: drift.alpha,
    },
  };
};

/** Reads the row of the drift baseline; throws when it does not hold what its columns promise. */
const driftFrom = (stored: DriftBaselineColumns | null): DriftBaseline => {
  if (stored === null) return INITIAL_DRIFT_BASELINE;
  const row: Readonly<Record<string, unknown>> = { ...stored };
  const number = (column: keyof DriftBaselineColumns): number => {
    const value = row[column];
    if (typeof value !== 'number' || !Number.isFinite(value)) throw new Error(`drift baseline: ${column} is no number`);
    return value;
  };
  const numberOrNull = (column: keyof DriftBaselineColumns) => (row[column] === null ? null : number(column));
  const decisions = row['recent_decisions'];
  if (!Array.isArray(decisions)) throw new Error('drift baseline: recent_decisions is no list');
  return {
    coherence: number('baseline_coherence'),
    confidence: number('baseline_confidence'),
    complexity: number('baseline_complexity'),
    previousCoherence: numberOrNull('prev_coherence'),
    previousConfidence: numberOrNull('prev_confidence'),
    previousComplexity: numberOrNull('prev_complexity'),
    decisions: decisions.map(String),
    consistency: number('decision_consistency'),
    count: number('update_count'),
    alpha: number('alpha'),
  };
};

const sideOf = (value: number): -1 | 0 | 1 => (value > 0 ? 1 : value < 0 ? -1 : 0);

const isStored = (json: unknown): json is StoredScoring => {
  if (typeof json !== 'object' || json === null) return false;
  const s = json as Partial<Record<keyof StoredScoring, unknown>>;
  const numberOrNull = (x: unknown) => x === null || Number.isFinite(x);
  return (
    s.v === VERSION &&
    Number.isInteger(s.n) &&
    Number.isInteger(s.c) &&
    typeof s.h === 'string' &&
    typeof s.g === 'string' &&
    typeof s.r === 'string' &&
    (s.a === 0 || s.a === 1) &&
    numberOrNull(s.d) &&
    numberOrNull(s.t) &&
    Array.isArray(s.o) &&
    s.o.length === 4 &&
    s.o.slice(0, 3).every(Number.isFinite) &&
    typeof s.o[3] === 'string'
  );
};

/**
 * The state out of its JSON and its row. A row without scoring (written by the reference) starts anew on the drift
 * baseline that is there. Throws on JSON that is there but unreadable: an agent's history must not vanish in silence.
 */
export const decodeScoring = (json: unknown, driftBaseline: DriftBaselineColumns | null): ScoringState => {
  const drift = driftFrom(driftBaseline);
  if (json === undefined || json === null) return { ...initialScoring, drift };
  if (!isStored(json)) throw new Error('scoring state: unreadable');
  const [index, riskSide, coherenceSide, routes] = json.o;
  return {
    ...unpackNumbers(json.h, json.n),
    drift,
    regimes: unpackWords(json.g, REGIMES),
    calm: json.c,
    oscillation: {
      index,
      riskSide: sideOf(riskSide),
      coherenceSide: sideOf(coherenceSide),
      routes: unpackWords(routes, ROUTES),
    },
    voidActive: json.a === 1,
    derivedComplexity: json.d,
    lastAt: json.t,
    recent: unpackRecent(json.r),
  };
};
