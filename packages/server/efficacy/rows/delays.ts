import { bernoulli, drifting, selective, selectiveBefore, steady, type Shape, type Stream } from '../agents.ts';
import { share, type Row } from '../figure.ts';
import { delayOf, pausedAfter, pausedByRun } from '../measure.ts';
import type { Random } from '../../src/runtime/index.ts';

const row = (
  name: string,
  about: string,
  shape: Shape,
  agents: number,
  study: string,
  most?: number,
  before = steady(0.9, 0.9),
): Row => ({
  name: `delay/${name}`,
  about,
  run: (random, effort) => [
    {
      ...delayOf(shape, before, random, effort.of(agents)),
      id: `delay/${name}`,
      says: `${about}: mean results to the pause, after 100 calibrated`,
      unit: 'results',
      study,
      ...(most !== undefined && { aim: { most } }),
    },
  ],
});

/** A real job that fails at .95, and before it so many trivial successes claimed at `claim`. */
const diluted =
  (successes: number, claim: number, truth = 0): Shape =>
  (random) => {
    let left = successes;
    return () => {
      if (left > 0) {
        left -= 1;
        return { claim, result: 1 };
      }
      left = successes;
      return { claim: 0.95, result: bernoulli(random, truth) };
    };
  };

const jobsUntilPause = (next: Stream, successes: number, most: number): number | undefined => {
  const results = pausedAfter(next, most * (successes + 1));
  return results === undefined ? undefined : Math.ceil(results / (successes + 1));
};

const DILUTIONS = [0, 1, 3, 5, 8, 15] as const;
const MOST_JOBS = 1_000;

const dilution = (claim: number, study: Readonly<Record<number, string>>, aim?: number): Row => ({
  name: `dilution/${claim}`,
  about: `real jobs claimed at .95 all fail; k trivial successes claimed at ${claim} before each`,
  run: (random) =>
    DILUTIONS.map((k) => {
      const jobs = jobsUntilPause(diluted(k, claim)(random), k, MOST_JOBS);
      const value = jobs ?? MOST_JOBS;
      return {
        value,
        low: value,
        high: value,
        n: 1,
        ...(jobs === undefined && { instead: 'never' }),
        id: `dilution/${claim}/${k}`,
        says: `all real jobs fail at .95, ${k} successes at ${claim} beside each: real jobs to the pause`,
        unit: 'jobs' as const,
        ...(study[k] !== undefined && { study: study[k] }),
        ...(aim !== undefined && { aim: { most: aim } }),
      };
    }),
});

const halfRight: Row = {
  name: 'dilution/half',
  about: 'real jobs claimed at .95 fail in half; three trivial successes claimed at .01 before each',
  run: (random, effort) => {
    const agents = effort.of(500);
    let paused = 0;
    for (let i = 0; i < agents; i += 1) {
      if (jobsUntilPause(diluted(3, 0.01, 0.5)(random), 3, 300) !== undefined) paused += 1;
    }
    return [
      {
        ...share(paused, agents),
        id: 'dilution/half',
        says: 'real jobs at .95 true in .5, 3 successes at .01 beside each: paused within 300 real jobs',
        unit: 'share',
        study: '0.022 (three bets), 1 (six)',
      },
    ];
  },
};

const runOf = (claim: number, run: number, study: string): Row => ({
  name: `outage/run-${claim}-${run}`,
  about: `claims ${claim}, calibrated, then ${run} failures in a row`,
  run: (random: Random, effort) => [
    {
      ...pausedByRun(claim, run, random, effort.of(4_000)),
      id: `outage/run-${claim}-${run}`,
      says: `calibrated at ${claim}, then ${run} failures in a row, alone: paused`,
      unit: 'share',
      study,
    },
  ],
});

/** How soon agents are found whose claims run ahead of results, and what a run of failures does to those whose do not. */
export const delayRows: readonly Row[] = [
  row('gap-.1', 'claims .9, right in .8', steady(0.9, 0.8), 500, '622 (three bets), 622 (six)'),
  row('gap-.2', 'claims .9, right in .7', steady(0.9, 0.7), 2_000, '86, 86'),
  row('gap-.3', 'claims .9, right in .6', steady(0.9, 0.6), 2_000, '37.5, 37.5'),
  row('gap-.5', 'claims .9, right in .4', steady(0.9, 0.4), 2_000, '14.6, 14.6'),
  row('gap-.9', 'claims .9, all fail', steady(0.9, 0), 500, '5.8, 5.8'),
  row('drift', 'claims .9, right in .9 down to .5 over 500 results', drifting(0.9, 0.5, 500), 1_000, '213, 213'),
  row(
    'selective',
    'claims .95 true .65 and .6 true .85, mixed',
    selective,
    4_000,
    '151 (three bets), 63 (six)',
    65,
    selectiveBefore,
  ),
  dilution(0.01, { 0: '5, 5', 1: '7, 6', 3: '21, 6', 5: '65, 6', 8: 'never, 6', 15: 'never, 6' }, 6),
  dilution(0.75, { 0: '5, 5', 1: '7, 6', 3: '21, 6', 5: '65, 6', 8: 'never, 6', 15: 'never, 6' }, 6),
  dilution(0.95, { 0: '5, 5', 1: '7, 7', 3: '21, 21', 5: '65, 65', 8: 'never, never', 15: 'never, never' }),
  halfRight,
  runOf(0.9, 3, '0.011'),
  runOf(0.9, 4, '0.054'),
  runOf(0.9, 5, '0.26'),
  runOf(0.9, 6, '1'),
  runOf(0.8, 8, '0.48'),
];
