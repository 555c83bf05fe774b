/** Running statistics of one metric. */
interface Metric {
  readonly mean: number;
  readonly std: number;
  readonly count: number;
}

/** What is known of how an agent behaves: check-ins so far, and its metrics by name. */
export interface Behaviour {
  readonly updateCount: number;
  readonly metrics: Readonly<Record<string, Metric>>;
}

/** How well a child's behaviour continues its parent's. */
export interface Score {
  readonly plausibility: 'plausible' | 'unsupported' | 'inconclusive';
  /** |z| of each shared metric: how many standard deviations of the parent the child's mean is away. */
  readonly components: Readonly<Record<string, number>>;
  /** Check-ins of the child that it stands on. */
  readonly observations: number;
  readonly parentMature: boolean;
  /** Why it is inconclusive, or the mean distance that decided. */
  readonly reasons: readonly string[];
}

// The thresholds are priors [ours]: no data set of true and false successions stands behind them.
const LEAST_CHILD_OBSERVATIONS = 5;
const MATURE_PARENT_OBSERVATIONS = 10;
/** Mean |z| up to which the child behaves like its parent. */
const PLAUSIBLE_UP_TO = 1.5;
/** Mean |z| from which it does not. */
const UNSUPPORTED_FROM = 3;
/** A parent that hardly varies would make every child a stranger: its spread counts as at least this much. */
const LEAST_STD = 0.05;

/** Distance of the child's mean in standard deviations of the parent; undefined when a side is measured too little. */
const distance = (parent: Metric | undefined, child: Metric): number | undefined => {
  if (parent === undefined) return undefined;
  if (parent.count < MATURE_PARENT_OBSERVATIONS || child.count < LEAST_CHILD_OBSERVATIONS) return undefined;
  const z = Math.abs(child.mean - parent.mean) / Math.max(parent.std, LEAST_STD);
  return Number.isFinite(z) ? z : undefined;
};

/**
 * Scores a claim of lineage by behaviour [ours]: mean |z| over the metrics that both sides have measured often enough.
 * Inconclusive with fewer than five check-ins of the child, fewer than ten of the parent, or no shared metric; an absent
 * measurement is never taken for likeness.
 */
export const scoreContinuity = (parent: Behaviour, child: Behaviour): Score => {
  const components: Record<string, number> = {};
  for (const [name, metric] of Object.entries(child.metrics)) {
    const z = distance(Object.hasOwn(parent.metrics, name) ? parent.metrics[name] : undefined, metric);
    if (z !== undefined) components[name] = z;
  }
  const distances = Object.values(components);
  const parentMature = parent.updateCount >= MATURE_PARENT_OBSERVATIONS;
  const missing = [
    ...(child.updateCount < LEAST_CHILD_OBSERVATIONS ? ['too_few_child_observations'] : []),
    ...(parentMature ? [] : ['parent_immature']),
    ...(distances.length === 0 ? ['no_shared_metric'] : []),
  ];
  const score = { components, observations: child.updateCount, parentMature };
  if (missing.length > 0) return { ...score, plausibility: 'inconclusive', reasons: missing };
  const mean = distances.reduce((sum, z) => sum + z, 0) / distances.length;
  return {
    ...score,
    plausibility: mean <= PLAUSIBLE_UP_TO ? 'plausible' : mean >= UNSUPPORTED_FROM ? 'unsupported' : 'inconclusive',
    reasons: [`mean distance ${mean.toFixed(2)} of ${PLAUSIBLE_UP_TO} plausible, ${UNSUPPORTED_FROM} unsupported`],
  };
};
