import type { CalibrationAdvisory, CalibrationCheck, CalibrationIssue, CalibrationStatus } from '@breakwater/contract';
import { GATE, type Assessment, type GroupCalibration } from './assess.ts';
import type { CurveBin } from './curve.ts';
import { chanceIfHonest, SEQUENTIAL_TEST, type DetectorReading, type FleetDetectors } from './sequential.ts';
import type { Skill } from './skill.ts';
import { iso } from '../../runtime/index.ts';

/** Whose claims were looked at, and the state of what only that scope has. */
export type ScopeReading =
  | { readonly scope: 'fleet'; readonly detectors: FleetDetectors }
  | {
      readonly scope: 'agent';
      /** As the caller named it. */
      readonly agent: string;
      readonly detector: DetectorReading;
      /** The over-confidence that the agent's check-ins use: of all its graded outcomes, not only of the newest. */
      readonly checkIns: { readonly error: number | null; readonly graded: number };
    };

/** When the outcomes were counted, and over which time. ms since the epoch, UTC. */
export interface Freshness {
  readonly since: number;
  readonly asOf: number;
  readonly ageMs: number;
}

const round = (x: number): number => Math.round(x * 1e4) / 1e4;
const rounded = (x: number | null): number | null => (x === null ? null : round(x));
const roundedPair = ([low, high]: readonly [number, number]) => [round(low), round(high)] as const;

/** The bins of a curve; `named` gives each result its name. */
const binsOf = <R extends object>(curve: readonly CurveBin[], named: (result: number | null) => R) =>
  curve.map(({ lower, upper, n, meanConfidence, accuracy, interval }) => ({
    lower,
    upper,
    n,
    mean_confidence: rounded(meanConfidence),
    ...named(rounded(accuracy)),
    interval: interval && roundedPair(interval),
  }));
const asAccuracy = (accuracy: number | null) => ({ accuracy });
const asHealthy = (healthy: number | null) => ({ healthy });

const groupJson = ({ n, meanConfidence, accuracy, interval, gap }: GroupCalibration) => ({
  n,
  mean_confidence: round(meanConfidence),
  accuracy: round(accuracy),
  interval: roundedPair(interval),
  gap: round(gap),
});

const skillJson = ({ n, brier, reliability, resolution, uncertainty, withinBins, skill, oneClass }: Skill) => ({
  n,
  brier: rounded(brier),
  reliability: rounded(reliability),
  resolution: rounded(resolution),
  uncertainty: rounded(uncertainty),
  within_bins: rounded(withinBins),
  skill: rounded(skill),
  one_class: oneClass,
});

/** A finding with its numbers rounded. */
const findingJson = <F extends CalibrationIssue | CalibrationAdvisory>(finding: F): F => {
  const shown = { ...finding };
  for (const [key, value] of Object.entries(finding)) {
    if (typeof value === 'number') Object.assign(shown, { [key]: round(value) });
  }
  return shown;
};

const mapped = <T, V>(groups: ReadonlyMap<string, T>, of: (group: T) => V): Record<string, V> =>
  Object.fromEntries([...groups].map(([name, group]) => [name, of(group)]));

const POLICY: Readonly<Record<CalibrationStatus, string>> = {
  no_data: 'Claims have not been held against results: nothing is known of what they are worth.',
  signal_stale: 'What is known of the claims is old: take it for history.',
  undecided: 'The results do not yet show whether the claims hold: neither may be said.',
  calibrated: 'Claims came true as often as they said, give or take a tenth.',
  miscalibrated: 'Claims and results do not agree: read the issues before relying on a stated confidence.',
};

const ACTIONS: Readonly<Record<CalibrationStatus, readonly string[]>> = {
  no_data: ['Send confidence with sync_state, and record_result with its prediction_id and evidence.'],
  signal_stale: ['Record results again: record_result with the prediction_id of a new check-in.'],
  undecided: ['Go on recording results: the interval narrows with every graded outcome.'],
  calibrated: [],
  miscalibrated: ['State confidence as the bins say: claims of a bin with a factor, times that factor, came true.'],
};

/** What the number at the beginning of a path is (design, section 3.7); a path that no entry starts has no number. */
type Label = 'measured' | 'derived' | 'prior' | 'unknown';

const known = (value: unknown, label: Label): Label => (value === null ? 'unknown' : label);

const labelsOf = (assessment: Assessment, reading: ScopeReading): Readonly<Record<string, Label>> => ({
  total_samples: 'measured',
  confidence_distribution: known(assessment.claims.mean, 'measured'),
  accuracy: known(assessment.tactical.accuracy, 'measured'),
  mean_gap: known(assessment.tactical.meanGap, 'measured'),
  worst_bin_gap: known(assessment.tactical.worstBinGap, 'measured'),
  skill: known(assessment.skill.brier, 'measured'),
  'skill.resolution': known(assessment.skill.resolution, 'measured'),
  'skill.skill': known(assessment.skill.skill, 'measured'),
  trajectory_health: known(assessment.strategic.healthy, 'derived'),
  tactical_evidence: 'measured',
  complexity: known(assessment.complexity.farShare, 'derived'),
  curves: 'measured',
  per_channel_calibration: 'measured',
  by_class: 'measured',
  correction_factors: 'derived',
  issues: 'measured',
  advisories: 'measured',
  limits: 'prior',
  sequential: reading.scope === 'agent' && reading.detector.graded === 0 ? 'unknown' : 'measured',
  'sequential.limits': 'prior',
  window: 'measured',
  ...(reading.scope === 'agent' && { used_by_check_ins: known(reading.checkIns.error, 'measured') }),
});

/** The answer of `calibration(action=check)`: the keys of spec storage_and_ops 2.2, and beside them a label for each number. */
export const calibrationReply = (
  assessment: Assessment,
  reading: ScopeReading,
  freshness: Freshness,
): CalibrationCheck => {
  const { status, tactical, strategic, claims, complexity } = assessment;
  const checked = {
    calibrated: status === 'calibrated' ? true : status === 'miscalibrated' ? false : null,
    calibration_status: status,
    issues: assessment.issues.map(findingJson),
    advisories: assessment.advisories.map(findingJson),
    accuracy: rounded(tactical.accuracy),
    mean_gap: rounded(tactical.meanGap),
    worst_bin_gap: rounded(tactical.worstBinGap),
    skill: skillJson(assessment.skill),
    trajectory_health: rounded(strategic.healthy),
    truth_channel: tactical.n > 0 ? 'confidence_outcome_match' : strategic.n > 0 ? 'trajectory_proxy' : null,
    total_samples: claims.n,
    confidence_distribution: {
      n: claims.n,
      mean: rounded(claims.mean),
      min: rounded(claims.least),
      max: rounded(claims.most),
      per_bin: claims.perBin,
    },
    tactical_evidence: {
      n: tactical.n,
      mean_confidence: rounded(tactical.meanConfidence),
      interval: tactical.interval && roundedPair(tactical.interval),
      newest_at: tactical.newest === null ? null : iso(tactical.newest),
    },
    curves: {
      tactical: {
        n: tactical.n,
        question: 'Did what was claimed come true?',
        bins: binsOf(tactical.curve, asAccuracy),
      },
      strategic: {
        n: strategic.n,
        question: 'Was the agent still told to proceed when the result came in? A proxy that saturates, no accuracy.',
        bins: binsOf(strategic.curve, asHealthy),
      },
    },
    complexity: { n: complexity.n, far_share: rounded(complexity.farShare) },
    per_channel_calibration: mapped(assessment.channels, (channel) => ({
      ...groupJson(channel),
      bins: binsOf(channel.curve, asAccuracy).filter(({ n }) => n > 0),
    })),
    by_class: mapped(assessment.classes, groupJson),
    correction_factors: assessment.corrections.map((one) => ({ ...one, factor: round(one.factor) })),
    limits: {
      full_bin: GATE.fullBin,
      tested_bin: GATE.testedBin,
      tolerance: GATE.tolerance,
      within: GATE.within,
      gap: GATE.gap,
      least_graded: GATE.leastGraded,
      complexity_gap: GATE.complexityGap,
      complexity_share: GATE.complexityShare,
      least_of_class: GATE.leastOfClass,
      stale_days: GATE.staleMs / 86_400_000,
    },
    guidance: { mode: 'advisory_only', confidence_policy: POLICY[status], actions: ACTIONS[status] },
    window: { since: iso(freshness.since), as_of: iso(freshness.asOf), age_ms: freshness.ageMs },
    provenance: labelsOf(assessment, reading),
  } as const;
  if (reading.scope === 'fleet') {
    const { agents, guided, paused, highest } = reading.detectors;
    const detectors = {
      agents,
      at_guide_or_above: guided,
      at_pause_or_above: paused,
      highest: rounded(highest),
    };
    return { scope: 'fleet', ...checked, sequential: { ...SEQUENTIAL_TEST, ...detectors } };
  }
  const { agent, detector, checkIns } = reading;
  return {
    scope: 'agent',
    agent_id: agent,
    ...checked,
    sequential: {
      ...SEQUENTIAL_TEST,
      value: detector.graded === 0 ? null : round(detector.value),
      graded: detector.graded,
      chance_if_honest_at_most: rounded(chanceIfHonest(detector)),
    },
    used_by_check_ins: { error: rounded(checkIns.error), n: checkIns.graded },
  };
};
