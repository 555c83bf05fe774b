import type { Assessment, GroupCalibration } from './assess.ts';
import type { CurveBin } from './curve.ts';
import type { Freshness, ScopeReading } from './reply.ts';
import { chanceIfHonest, SEQUENTIAL_TEST } from './sequential.ts';

const BAR = 30;
const NONE = '–';

const number = (x: number | null): string => (x === null ? NONE : x.toFixed(2));
const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const interval = (pair: readonly [number, number] | null): string =>
  pair === null ? NONE : `${pair[0].toFixed(2)}–${pair[1].toFixed(2)}`;

/** A result as a bar from 0 to 1, and upon it the mean claim as a mark; empty for a bin in which nothing was seen. */
const bar = ({ accuracy, meanConfidence }: CurveBin): string => {
  if (accuracy === null || meanConfidence === null) return '';
  const filled = Math.round(accuracy * BAR);
  const mark = Math.min(BAR - 1, Math.floor(meanConfidence * BAR));
  return Array.from({ length: BAR }, (_, i) => (i === mark ? '|' : i < filled ? '█' : '·')).join('');
};

const table = (rows: readonly (readonly string[])[]): string[] => {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd());
};

const curveTable = (curve: readonly CurveBin[], result: string): string[] =>
  table([
    ['CONFIDENCE', 'N', 'CLAIM', result, '95 %', ''],
    ...curve.map((bin) => [
      `${bin.lower.toFixed(1)}–${bin.upper.toFixed(1)}`,
      String(bin.n),
      number(bin.meanConfidence),
      number(bin.accuracy),
      interval(bin.interval),
      bar(bin),
    ]),
  ]);

const groupTable = (heading: string, groups: ReadonlyMap<string, GroupCalibration>): string[] =>
  groups.size === 0
    ? []
    : [
        '',
        ...table([
          [heading, 'N', 'CLAIM', 'RESULT', '95 %', 'GAP'],
          ...[...groups].map(([name, { n, meanConfidence, accuracy, interval: range, gap }]) => [
            name,
            String(n),
            number(meanConfidence),
            number(accuracy),
            interval(range),
            `${gap > 0 ? '+' : ''}${gap.toFixed(2)}`,
          ]),
        ]),
      ];

const findings = (heading: string, all: readonly { readonly message: string }[]): string[] =>
  all.length === 0 ? [] : ['', `${heading}:`, ...all.map(({ message }) => `  ${message}`)];

const sequential = (reading: ScopeReading): string => {
  const { guide, pause } = SEQUENTIAL_TEST.limits;
  if (reading.scope === 'fleet') {
    const { agents, guided, paused, highest } = reading.detectors;
    return agents === 0
      ? 'Claims detectors: no agent has a graded outcome.'
      : `Claims detectors of ${agents} agents: ${guided} at ${guide} or above, ${paused} at ${pause} or above; highest ${number(highest)}.`;
  }
  const chance = chanceIfHonest(reading.detector);
  return chance === null
    ? 'Claims detector: unmeasured, there is no graded outcome.'
    : `Claims detector: ${number(reading.detector.value)} after ${reading.detector.graded} graded outcomes; ` +
        `the chance of that is at most ${chance.toPrecision(2)} if claims hold.`;
};

/** The gaps by their right names, and what the claims know of results beyond their mean. */
const skillLines = ({ tactical, skill }: Assessment): string[] => {
  if (skill.brier === null) return [];
  const signed = (x: number | null): string => (x === null ? NONE : `${x > 0 ? '+' : ''}${x.toFixed(2)}`);
  const fine = (x: number | null): string => (x === null ? NONE : x.toFixed(3));
  const parts = `reliability ${fine(skill.reliability)}, resolution ${fine(skill.resolution)}, uncertainty ${fine(skill.uncertainty)}`;
  return [
    '',
    `Claims less results: ${signed(tactical.meanGap)} on average, ${number(tactical.worstBinGap)} in the worst bin.`,
    `Brier score ${fine(skill.brier)} (${parts}); skill ${number(skill.skill)}, of 1.`,
  ];
};

/**
 * The report for a terminal: status, both curves with a bar and the count of each bin, what is wrong, and the groups. In
 * a bar, `█` is the result and `|` the mean claim: a mark right of the bar's end means claims that ran ahead.
 */
export const reportText = (assessment: Assessment, reading: ScopeReading, freshness: Freshness): string => {
  const { tactical, strategic } = assessment;
  return [
    `Calibration of ${reading.scope === 'fleet' ? 'the fleet' : reading.agent}, ${day(freshness.since)} to ${day(freshness.asOf)}: ${assessment.status}`,
    '',
    `Tactical, did what was claimed come true? ${tactical.n} graded outcomes` +
      (tactical.accuracy === null
        ? '.'
        : `, accuracy ${number(tactical.accuracy)} (${interval(tactical.interval)}), mean claim ${number(tactical.meanConfidence)}.`),
    ...(tactical.n === 0 ? [] : curveTable(tactical.curve, 'RESULT')),
    ...skillLines(assessment),
    '',
    `Strategic, was the agent still told to proceed? ${strategic.n} claims; a proxy that saturates, no accuracy.`,
    ...(strategic.n === 0 ? [] : curveTable(strategic.curve, 'HEALTHY')),
    ...findings('Issues', assessment.issues),
    ...findings('Advisories', assessment.advisories),
    ...groupTable('CHANNEL', assessment.channels),
    ...groupTable('CLASS', assessment.classes),
    '',
    sequential(reading),
  ].join('\n');
};
