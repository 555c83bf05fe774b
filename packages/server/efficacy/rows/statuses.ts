import type { CalibrationStatus } from '@breakwater/contract';
import { calibrationError } from '../../src/outcomes/index.ts';
import { assess } from '../../src/calibration/rules/assess.ts';
import { BINS, type Cell } from '../../src/calibration/rules/tally.ts';
import type { ClaimAndResult } from '../../src/outcomes/rules/claims.ts';
import { spread, steady, type Shape } from '../agents.ts';
import { share, type Row } from '../figure.ts';
import type { Random } from '../../src/runtime/index.ts';

const EMPTY: Omit<Cell, 'bin'> = {
  day: 0,
  channel: 'tests',
  claimClass: null,
  claims: 0,
  sumClaim: 0,
  leastClaim: 0,
  mostClaim: 1,
  judged: 0,
  sumJudgedClaim: 0,
  healthy: 0,
  graded: 0,
  sumGradedClaim: 0,
  sumResult: 0,
  sumSquaredResult: 0,
  sumSquaredError: 0,
  newestGraded: null,
  complexities: 0,
  complexityFar: 0,
};

/** Graded outcomes as calibration counts them: a cell a bin, all of one moment. */
const cellsOf = (all: readonly ClaimAndResult[]): Cell[] => {
  const cells = new Map<number, Cell>();
  for (const { claim, result } of all) {
    const bin = Math.min(BINS - 1, Math.floor(claim * BINS));
    const before = cells.get(bin) ?? { ...EMPTY, bin };
    cells.set(bin, {
      ...before,
      claims: before.claims + 1,
      sumClaim: before.sumClaim + claim,
      graded: before.graded + 1,
      sumGradedClaim: before.sumGradedClaim + claim,
      sumResult: before.sumResult + result,
      sumSquaredResult: before.sumSquaredResult + result * result,
      sumSquaredError: before.sumSquaredError + (claim - result) ** 2,
      newestGraded: 0,
    });
  }
  return [...cells.values()];
};

/** What calibration says of these graded outcomes, looked at right after the last. */
export const assessed = (all: readonly ClaimAndResult[]) => assess(cellsOf(all), 0, calibrationError);

const shareOf = (status: CalibrationStatus, shape: Shape, n: number, random: Random, agents: number) => {
  let hits = 0;
  for (let i = 0; i < agents; i += 1) {
    const next = shape(random);
    if (assessed(Array.from({ length: n }, next)).status === status) hits += 1;
  }
  return share(hits, agents);
};

const COUNTS = [5, 10, 20, 50, 100, 1_000] as const;

const honest = (name: string, shape: Shape, study: string): Row => ({
  name: `status/${name}`,
  about: `honest agents, ${name}`,
  run: (random, effort) =>
    COUNTS.map((n) => ({
      ...shareOf('miscalibrated', shape, n, random, effort.of(1_000)),
      id: `status/${name}/${n}`,
      says: `honest, ${name}, ${n} results: reads miscalibrated`,
      unit: 'share' as const,
      study,
    })),
});

const found = (id: string, says: string, status: CalibrationStatus, shape: Shape, n: number, study: string): Row => ({
  name: `status/${id}`,
  about: says,
  run: (random, effort) => [
    { ...shareOf(status, shape, n, random, effort.of(1_000)), id: `status/${id}`, says, unit: 'share', study },
  ],
});

/** What the calibration report says of honest and of over-claiming agents. */
export const statusRows: readonly Row[] = [
  honest('claims .9', steady(0.9, 0.9), 'at most 0.016 (limits: 0.094)'),
  honest('claims .7', steady(0.7, 0.7), 'at most 0.037 (limits: 0.16)'),
  honest('claims .5 to 1', spread(0.5, 1), 'at most 0.022 (limits: 0.16)'),
  honest('claims 0 to 1', spread(0, 1), 'at most 0.018 (limits: 0.23)'),
  found(
    'over-.2-20',
    'claims .9, right in .7, 20 results: miscalibrated',
    'miscalibrated',
    steady(0.9, 0.7),
    20,
    '0.59',
  ),
  found(
    'over-.2-100',
    'claims .9, right in .7, 100 results: miscalibrated',
    'miscalibrated',
    steady(0.9, 0.7),
    100,
    '0.98',
  ),
  found(
    'over-.15',
    'claims .9, right in .75, 1,000 results: miscalibrated',
    'miscalibrated',
    steady(0.9, 0.75),
    1_000,
    '1',
  ),
  found('calibrated-50', 'claims .9, right in .9, 50 results: calibrated', 'calibrated', steady(0.9, 0.9), 50, '0.43'),
  found(
    'calibrated-100',
    'claims .9, right in .9, 100 results: calibrated',
    'calibrated',
    steady(0.9, 0.9),
    100,
    '0.81',
  ),
];
