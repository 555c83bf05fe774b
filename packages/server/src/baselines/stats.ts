/** The signals of the behavioural baseline, and the order in which they are stored (spec checkin 2.7). */
export const SIGNALS = ['tool_error_rate', 'tool_call_velocity', 'complexity_divergence', 'coherence'] as const;
type Signal = (typeof SIGNALS)[number];

/** Count, mean and sum of squared distances of one signal (Welford's running form). */
interface SignalStats {
  readonly count: number;
  readonly mean: number;
  readonly m2: number;
}

/** An agent's behavioural baseline: the value of the live table, and of core.agent_behavioral_baselines.stats. */
export type BehaviouralStats = Readonly<Record<Signal, SignalStats>>;

/** One check-in's readings; null for what was not measured, which teaches nothing. */
export type Signals = Readonly<Record<Signal, number | null>>;

const NOTHING: SignalStats = Object.freeze({ count: 0, mean: 0, m2: 0 });

export const freshStats: BehaviouralStats = Object.freeze({
  tool_error_rate: NOTHING,
  tool_call_velocity: NOTHING,
  complexity_divergence: NOTHING,
  coherence: NOTHING,
});

/** Coherence is learned but never judged: it is no sign of what the agent did. */
const JUDGED = ['tool_error_rate', 'tool_call_velocity', 'complexity_divergence'] as const satisfies Signal[];
const ENTROPY_PER_ANOMALY = 0.05;
const ANOMALOUS = 2;
const LEAST_SAMPLES = 5;
const LEAST_STD = 1e-9;

/** Standard deviations from the signal's own mean; 0 with fewer than five samples or hardly any spread. */
const zScore = ({ count, mean, m2 }: SignalStats, value: number): number => {
  if (count < LEAST_SAMPLES) return 0;
  const std = Math.sqrt(m2 / (count - 1));
  return std < LEAST_STD ? 0 : (value - mean) / std;
};

/** Entropy that unusual readings add. Judge before learning: a reading must not excuse itself. */
export const anomalyEntropy = (stats: BehaviouralStats, readings: Signals): number => {
  let entropy = 0;
  for (const signal of JUDGED) {
    const value = readings[signal];
    if (value !== null && Math.abs(zScore(stats[signal], value)) > ANOMALOUS) entropy += ENTROPY_PER_ANOMALY;
  }
  return entropy;
};

const learnSignal = (stats: SignalStats, value: number | null): SignalStats => {
  if (value === null || !Number.isFinite(value)) return stats;
  const count = stats.count + 1;
  const delta = value - stats.mean;
  const mean = stats.mean + delta / count;
  return { count, mean, m2: stats.m2 + delta * (value - mean) };
};

/** The baseline after these readings; the one given stays as it is. */
export const learn = (stats: BehaviouralStats, readings: Signals): BehaviouralStats => ({
  tool_error_rate: learnSignal(stats.tool_error_rate, readings.tool_error_rate),
  tool_call_velocity: learnSignal(stats.tool_call_velocity, readings.tool_call_velocity),
  complexity_divergence: learnSignal(stats.complexity_divergence, readings.complexity_divergence),
  coherence: learnSignal(stats.coherence, readings.coherence),
});

/** Whether two baselines hold the same numbers, bit for bit: what a reader compares memory and PostgreSQL by. */
export const sameStats = (a: BehaviouralStats, b: BehaviouralStats): boolean =>
  SIGNALS.every((signal) => {
    const x = a[signal];
    const y = b[signal];
    return x.count === y.count && x.mean === y.mean && x.m2 === y.m2;
  });

const isStats = (value: unknown): value is SignalStats => {
  if (typeof value !== 'object' || value === null) return false;
  const { count, mean, m2 } = value as Record<string, unknown>;
  return Number.isInteger(count) && Number.isFinite(mean) && Number.isFinite(m2);
};

/**
 * Reads a stored baseline. A signal that the row lacks starts anew (an older row may not know it); one that is there but
 * unreadable throws, because a baseline must never be replaced by an empty one in silence.
 */
export const statsFromJson = (json: Readonly<Record<string, unknown>>): BehaviouralStats => {
  const read = (signal: Signal): SignalStats => {
    const value = json[signal];
    if (value === undefined) return NOTHING;
    if (!isStats(value)) throw new Error(`behavioural baseline: signal ${signal} is unreadable`);
    return { count: value.count, mean: value.mean, m2: value.m2 };
  };
  return {
    tool_error_rate: read('tool_error_rate'),
    tool_call_velocity: read('tool_call_velocity'),
    complexity_divergence: read('complexity_divergence'),
    coherence: read('coherence'),
  };
};
