import type { Provenance } from '@breakwater/contract';
import type { CheckIn } from './check-in.ts';

/** Groups of numbers in an answer that share one label. */
type MetricGroup = 'eisv' | 'risk' | 'coherence' | 'calibration' | 'counts' | 'scoring' | 'claims';

/**
 * Which group a number of an answer belongs to, by its path; the longest entry that starts the path decides. A number
 * that is on no list has no label, and a test finds it.
 */
const GROUP_OF_PATH: readonly (readonly [string, MetricGroup])[] = [
  ['E', 'eisv'],
  ['I', 'eisv'],
  ['S', 'eisv'],
  ['V', 'eisv'],
  ['risk_score', 'risk'],
  ['metrics.E', 'eisv'],
  ['metrics.I', 'eisv'],
  ['metrics.S', 'eisv'],
  ['metrics.V', 'eisv'],
  ['metrics.coherence', 'coherence'],
  ['metrics.risk', 'risk'],
  ['metrics.risk_score', 'risk'],
  ['metrics.risk_score_latest', 'risk'],
  ['update', 'counts'],
  ['warmup', 'counts'],
  ['calibration.error', 'calibration'],
  ['calibration.n', 'counts'],
  ['scoring', 'scoring'],
  ['evidence.graded', 'counts'],
  ['evidence.outcomes', 'counts'],
  ['evidence.claims', 'claims'],
];

/** The group of the number at `path`, or undefined. */
export const groupOf = (path: string): MetricGroup | undefined => {
  let best: readonly [string, MetricGroup] | undefined;
  for (const entry of GROUP_OF_PATH) {
    const [prefix] = entry;
    const starts = path === prefix || path.startsWith(`${prefix}.`);
    if (starts && prefix.length > (best?.[0].length ?? -1)) best = entry;
  }
  return best?.[1];
};

const LABELS: Readonly<Record<MetricGroup, (checkIn: CheckIn) => Provenance>> = {
  eisv: ({ source }) => source,
  risk: ({ source, measured }) => (measured ? source : 'unknown'),
  coherence: () => 'prior',
  calibration: ({ evidence }) => (evidence.calibration.error === null ? 'unknown' : 'measured'),
  counts: () => 'measured',
  scoring: ({ source }) => source,
  claims: ({ evidence }) => (evidence.claims.graded === 0 ? 'unknown' : 'measured'),
};

/** The labels of some groups, as an answer carries them. */
export const provenanceOf = <G extends MetricGroup>(checkIn: CheckIn, groups: readonly G[]): Record<G, Provenance> => {
  const labels = {} as Record<G, Provenance>;
  for (const group of groups) labels[group] = LABELS[group](checkIn);
  return labels;
};
