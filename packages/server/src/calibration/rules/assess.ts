import type { CalibrationAdvisory, CalibrationIssue, CalibrationStatus } from '@breakwater/contract';
import { curveOf, upperZ, wilson, type CurveBin } from './curve.ts';
import { skillOf, type Skill } from './skill.ts';
import { BINS, errorSums, grouped, strategicBins, tacticalBins, totalOf, type BinSums, type Cell } from './tally.ts';

/** The limits of the gate. Chosen, not measured. */
export const GATE = {
  /** A bin has a correction factor, and is told that its claims are too low, from so many graded outcomes. */
  fullBin: 10,
  /** A bin is held against its claims from so many graded outcomes. */
  testedBin: 5,
  /** Results may fall short of claims by so much; further, surely, and the claims are miscalibrated. */
  tolerance: 0.05,
  /** Claims are calibrated when the whole 95 % interval of the accuracy lies this near to the mean claim. */
  within: 0.1,
  /** Claims may fall behind results by so much without a remark; those of a class also run ahead. */
  gap: 0.2,
  /** So many graded outcomes make a status; fewer are no data. */
  leastGraded: 5,
  /** A reported complexity this far from the derived one is far… */
  complexityGap: 0.3,
  /** …and in more than this share of samples an issue. */
  complexityShare: 0.5,
  /** A class is remarked on from so many graded outcomes. */
  leastOfClass: 30,
  staleMs: 7 * 86_400_000,
} as const;

/** Claims against results of one group. */
export interface GroupCalibration {
  readonly n: number;
  readonly meanConfidence: number;
  readonly accuracy: number;
  readonly interval: readonly [number, number];
  /** Mean claim less accuracy: above 0, claims run ahead of results. */
  readonly gap: number;
}

/** By how much claims of a bin were too high or low: claim × factor came true. Nothing in the server applies it. */
export interface CorrectionFactor {
  readonly lower: number;
  readonly upper: number;
  readonly n: number;
  readonly factor: number;
}

/** What the outcomes say of the claims made before them. Null: not known, for want of samples. */
export interface Assessment {
  readonly status: CalibrationStatus;
  readonly issues: readonly CalibrationIssue[];
  readonly advisories: readonly CalibrationAdvisory[];
  readonly claims: {
    readonly n: number;
    readonly mean: number | null;
    readonly least: number | null;
    readonly most: number | null;
    readonly perBin: readonly number[];
  };
  readonly tactical: {
    readonly n: number;
    readonly meanConfidence: number | null;
    readonly accuracy: number | null;
    readonly interval: readonly [number, number] | null;
    /** Mean claim less accuracy, -1 to 1. */
    readonly meanGap: number | null;
    /** By how much the claims of the worst bin run ahead, 0 to 1: the reading of spec checkin 2.9, over these outcomes. */
    readonly worstBinGap: number | null;
    /** ms since the epoch, UTC. */
    readonly newest: number | null;
    readonly curve: readonly CurveBin[];
  };
  readonly skill: Skill;
  readonly strategic: { readonly n: number; readonly healthy: number | null; readonly curve: readonly CurveBin[] };
  readonly complexity: { readonly n: number; readonly farShare: number | null };
  readonly channels: ReadonlyMap<string, GroupCalibration & { readonly curve: readonly CurveBin[] }>;
  readonly classes: ReadonlyMap<string, GroupCalibration>;
  readonly corrections: readonly CorrectionFactor[];
}

const sum = (cells: readonly Cell[], of: (cell: Cell) => number): number =>
  cells.reduce((all, cell) => all + of(cell), 0);
const share = (part: number, n: number): number | null => (n === 0 ? null : part / n);
/** Whether `a` is above `b`; what the order of a sum makes of its last digits decides nothing. */
const isAbove = (a: number, b: number): boolean => a - b > 1e-9;
const percent = (x: number): string => `${(100 * x).toFixed(0)} %`;

const groupOf = (bins: readonly BinSums[]): GroupCalibration | undefined => {
  const { n, sumClaim, sumResult } = totalOf(bins);
  if (n === 0) return undefined;
  const accuracy = Math.min(1, Math.max(0, sumResult / n));
  const meanConfidence = sumClaim / n;
  return { n, meanConfidence, accuracy, interval: wilson(accuracy, n), gap: meanConfidence - accuracy };
};

const byChannel = (cells: readonly Cell[]): Assessment['channels'] => {
  const channels = new Map<string, GroupCalibration & { curve: readonly CurveBin[] }>();
  for (const [channel, own] of grouped(cells, (cell) => cell.channel)) {
    const bins = tacticalBins(own);
    const group = groupOf(bins);
    if (group !== undefined) channels.set(channel, { ...group, curve: curveOf(bins) });
  }
  return channels;
};

const byClass = (cells: readonly Cell[]): Assessment['classes'] => {
  const classes = new Map<string, GroupCalibration>();
  for (const [name, own] of grouped(cells, (cell) => cell.claimClass ?? 'unknown')) {
    const group = groupOf(tacticalBins(own));
    if (group !== undefined) classes.set(name, group);
  }
  return classes;
};

/** Bins of a curve in which something was seen. */
const knownBins = (curve: readonly CurveBin[]) =>
  curve.flatMap((bin) =>
    bin.accuracy !== null && bin.meanConfidence !== null
      ? [{ ...bin, accuracy: bin.accuracy, meanConfidence: bin.meanConfidence }]
      : [],
  );

const fullBins = (curve: readonly CurveBin[]) => knownBins(curve).filter(({ n }) => n >= GATE.fullBin);

/**
 * The bins whose claims are surely ahead of their results: the upper bound of the accuracy, at 95 % over all bins that are
 * tested, lies below the mean claim less the tolerance. More data decide it; five honest results do not.
 */
const overConfident = (curve: readonly CurveBin[]): CalibrationIssue[] => {
  const tested = knownBins(curve).filter(({ n }) => n >= GATE.testedBin);
  const z = upperZ(tested.length);
  return tested.flatMap(({ lower, upper, n, accuracy, meanConfidence }) => {
    const [, atMost] = wilson(accuracy, n, z);
    if (!isAbove(meanConfidence - GATE.tolerance, atMost)) return [];
    return [
      {
        code: 'over_confidence',
        message:
          `Claims of ${lower} to ${upper} said ${meanConfidence.toFixed(2)} and came true in ${percent(accuracy)} of ${n} ` +
          `graded outcomes; with 95 % certainty in less than ${percent(atMost)}.`,
        lower,
        upper,
        n,
        accuracy,
        mean_confidence: meanConfidence,
        at_most: atMost,
        limit: GATE.tolerance,
      },
    ];
  });
};

const complexityMisreported = ({ n, farShare }: Assessment['complexity']): CalibrationIssue[] =>
  farShare === null || n < GATE.fullBin || farShare <= GATE.complexityShare
    ? []
    : [
        {
          code: 'complexity_misreported',
          message:
            `Reported and derived complexity differ by more than ${GATE.complexityGap} in ${percent(farShare)} of ` +
            `${n} samples; ${percent(GATE.complexityShare)} is the limit.`,
          share: farShare,
          n,
          limit: GATE.complexityShare,
        },
      ];

const underConfident = (curve: readonly CurveBin[]): CalibrationAdvisory[] =>
  fullBins(curve)
    .filter(({ accuracy, meanConfidence }) => isAbove(accuracy - meanConfidence, GATE.gap))
    .map(({ lower, upper, n, accuracy, meanConfidence }) => ({
      code: 'under_confidence',
      message: `Claims of ${lower} to ${upper} came true in ${percent(accuracy)} of ${n} graded outcomes: they may be higher.`,
      lower,
      upper,
      n,
      value: accuracy - meanConfidence,
      limit: GATE.gap,
    }));

const classGaps = (classes: Assessment['classes']): CalibrationAdvisory[] =>
  [...classes]
    .filter(([, { n, gap }]) => n >= GATE.leastOfClass && isAbove(Math.abs(gap), GATE.gap))
    .map(([name, { n, gap }]) => ({
      code: 'class_gap',
      message: `Claims of class ${name} are ${Math.abs(gap).toFixed(2)} too ${gap > 0 ? 'high' : 'low'}, over ${n} graded outcomes.`,
      class: name,
      n,
      gap,
      limit: GATE.gap,
    }));

const tooFew = (n: number): CalibrationAdvisory[] =>
  n >= GATE.leastGraded
    ? []
    : [
        {
          code: 'too_few',
          message: `${n} graded outcomes; ${GATE.leastGraded} are needed to say anything.`,
          n,
          least: GATE.leastGraded,
        },
      ];

/** Whether the accuracy is surely near the mean claim. */
const isNear = ({ meanConfidence, interval: [least, most] }: GroupCalibration): boolean =>
  !isAbove(meanConfidence - GATE.within, least) && !isAbove(most, meanConfidence + GATE.within);

const undecided = (status: CalibrationStatus, overall: GroupCalibration | undefined): CalibrationAdvisory[] => {
  if (status !== 'undecided' || overall === undefined) return [];
  const { n, meanConfidence, interval } = overall;
  const [least, most] = interval;
  return [
    {
      code: 'undecided',
      message:
        `The accuracy lies between ${percent(least)} and ${percent(most)} (95 %, n = ${n}); ${percent(meanConfidence)} was ` +
        `claimed on average. Calibrated takes an interval within ${GATE.within} of that.`,
      n,
      least,
      most,
      mean_confidence: meanConfidence,
      limit: GATE.within,
    },
  ];
};

const oneClass = ({ n, oneClass: same }: Skill): CalibrationAdvisory[] =>
  same === true && n >= GATE.leastGraded
    ? [
        {
          code: 'one_class',
          message: `All ${n} graded outcomes came out the same: whether claims can tell good work from bad was not tested.`,
          n,
        },
      ]
    : [];

const isStale = (newest: number | null, now: number): boolean => newest !== null && now - newest > GATE.staleMs;

const stale = (newest: number | null, now: number): CalibrationAdvisory[] => {
  if (newest === null || !isStale(newest, now)) return [];
  const days = Math.floor((now - newest) / 86_400_000);
  return [
    {
      code: 'stale',
      message: `The newest graded outcome is ${days} days old: what it says may not hold any more.`,
      days,
      limit: GATE.staleMs / 86_400_000,
    },
  ];
};

const newestOf = (cells: readonly Cell[]): number | null =>
  cells.reduce<number | null>(
    (newest, { newestGraded }) => (newestGraded === null ? newest : Math.max(newest ?? newestGraded, newestGraded)),
    null,
  );

const claimsOf = (cells: readonly Cell[]): Assessment['claims'] => {
  const n = sum(cells, (cell) => cell.claims);
  const filled = cells.filter((cell) => cell.claims > 0);
  const perBin = Array.from({ length: BINS }, () => 0);
  for (const { bin, claims } of cells) perBin[bin] = (perBin[bin] ?? 0) + claims;
  return {
    n,
    mean: share(
      sum(cells, (cell) => cell.sumClaim),
      n,
    ),
    least: n === 0 ? null : Math.min(...filled.map((cell) => cell.leastClaim)),
    most: n === 0 ? null : Math.max(...filled.map((cell) => cell.mostClaim)),
    perBin,
  };
};

const statusOf = (
  overall: GroupCalibration | undefined,
  newest: number | null,
  now: number,
  issues: readonly CalibrationIssue[],
): CalibrationStatus => {
  if (overall === undefined || overall.n < GATE.leastGraded) return 'no_data';
  if (isStale(newest, now)) return 'signal_stale';
  if (issues.length > 0) return 'miscalibrated';
  return isNear(overall) ? 'calibrated' : 'undecided';
};

/**
 * Holds claims against results (spec storage_and_ops 2.2, with intervals in place of fixed limits). Issues make the status
 * `miscalibrated`; advisories never do. Without issues it is `calibrated` when the accuracy is surely near the mean claim,
 * and `undecided` while it may be or not. The status stands on graded outcomes alone: with fewer than five it is `no_data`,
 * and when the newest of them is more than seven days old, `signal_stale`, whatever they say. `now` is ms since the epoch;
 * `overConfidenceOf` is the reading that check-ins take of an agent's own outcomes (spec checkin 2.9): its worst bin's gap.
 */
export const assess = (
  cells: readonly Cell[],
  now: number,
  overConfidenceOf: (bins: readonly BinSums[]) => { readonly error: number | null },
): Assessment => {
  const bins = tacticalBins(cells);
  const curve = curveOf(bins);
  const overall = groupOf(bins);
  const n = overall?.n ?? 0;
  const newest = newestOf(cells);
  const strategic = strategicBins(cells);
  const well = totalOf(strategic);
  const complexities = sum(cells, (cell) => cell.complexities);
  const complexity = {
    n: complexities,
    farShare: share(
      sum(cells, (cell) => cell.complexityFar),
      complexities,
    ),
  };
  const classes = byClass(cells);
  const skill = skillOf(bins, errorSums(cells));
  const issues = [...overConfident(curve), ...complexityMisreported(complexity)];
  const status = statusOf(overall, newest, now, issues);
  return {
    status,
    issues,
    advisories: [
      ...tooFew(n),
      ...stale(newest, now),
      ...undecided(status, overall),
      ...oneClass(skill),
      ...underConfident(curve),
      ...classGaps(classes),
    ],
    claims: claimsOf(cells),
    tactical: {
      n,
      meanConfidence: overall?.meanConfidence ?? null,
      accuracy: overall?.accuracy ?? null,
      interval: overall?.interval ?? null,
      meanGap: overall?.gap ?? null,
      worstBinGap: overConfidenceOf(bins).error,
      newest,
      curve,
    },
    skill,
    strategic: { n: well.n, healthy: share(well.sumResult, well.n), curve: curveOf(strategic) },
    complexity,
    channels: byChannel(cells),
    classes,
    corrections: fullBins(curve)
      // No factor turns a claim of nothing into something.
      .filter(({ meanConfidence }) => meanConfidence > 0)
      .map(({ lower, upper, n: count, accuracy, meanConfidence }) => ({
        lower,
        upper,
        n: count,
        factor: accuracy / meanConfidence,
      })),
  };
};
