import { readFileSync } from 'node:fs';
import { CLAIMS_LIMITS } from '@breakwater/contract';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../src/runtime/index.ts';
import { selective, spells, spread, steady, type Shape } from './agents.ts';
import { isMet, mean, perAlarm, share, type Figure } from './figure.ts';
import { ROWS, rowsNamed } from './rows/index.ts';
import { assessed } from './rows/statuses.ts';
import { runRow } from './run.ts';

/** One figure of a row, at a part of its full effort. */
const figureOf = (id: string, scale: number): Figure => {
  const figure = ROWS.filter(({ name }) => id.startsWith(name))
    .flatMap((row) => runRow(row, 1, scale))
    .find((one) => one.id === id);
  if (figure === undefined) throw new Error(`no figure ${id}`);
  return figure;
};

const kept = JSON.parse(readFileSync(new URL('figures.json', import.meta.url), 'utf8')) as {
  readonly limits: unknown;
  readonly figures: readonly Figure[];
};

describe('efficacy in short', () => {
  it('finds selective over-claiming, and trivial successes do not hide failures', () => {
    expect(figureOf('delay/selective', 0.1).low).toBeLessThan(65);
    for (const name of ['dilution/0.01', 'dilution/0.75']) {
      const [row] = rowsNamed(name);
      for (const figure of row === undefined ? [] : runRow(row, 1))
        expect(figure.value, figure.id).toBeLessThanOrEqual(6);
    }
    expect(figureOf('delay/gap-.9', 0.2).value).toBeLessThan(8);
  });

  it('pauses few honest agents: steady ones, ones whose passes are late, and a fleet in an outage', () => {
    expect(figureOf('alarms/calibrated-.9/1000', 0.2).value).toBeLessThan(0.04);
    expect(figureOf('late/0.9-120-10-24h', 0.1).value).toBeLessThan(0.04);
    expect(figureOf('late/0.9-120-10-1h', 0.02).value).toBeGreaterThan(0.9);
    expect(figureOf('outage/fleet-2h', 0.1).value).toBeLessThan(0.02);
    expect(figureOf('outage/fleet-2h-unguarded', 0.1).value).toBeGreaterThan(0.5);
  });

  it('notices silence after the claims that it says, and leaves those alone who record most', () => {
    expect(figureOf(`silence/0-${CLAIMS_LIMITS.guide}`, 1).value).toBe(7);
    expect(figureOf(`silence/0-${CLAIMS_LIMITS.pause}`, 1).value).toBe(13);
    expect(figureOf('silence/honest-0.8', 0.2).value).toBe(0);
  });

  it('gives the same figures for the same seed, whether a row runs alone or not', () => {
    const [row] = rowsNamed('delay/gap-.3');
    if (row === undefined) throw new Error('no row');
    const [first, again, other] = [runRow(row, 1, 0.05), runRow(row, 1, 0.05), runRow(row, 2, 0.05)];
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });
});

describe('the figures that are kept', () => {
  it('are of the rows and limits that there are, and meet every aim', () => {
    const ids = ROWS.flatMap((row) => runRow(row, 1, 0.0001).map(({ id }) => id));
    expect(new Set(ids).size).toBe(ids.length);
    expect(kept.figures.map(({ id }) => id)).toEqual(ids);
    expect(kept.limits).toEqual(CLAIMS_LIMITS);
    expect(kept.figures.filter(({ met }) => met === false).map(({ id }) => id)).toEqual([]);
  });
});

describe('what is simulated', () => {
  it.each<[string, Shape, number, number]>([
    ['steady', steady(0.9, 0.7), 0.9, 0.7],
    ['spread, five points short', spread(0.5, 0.9, 0.05), 0.7, 0.65],
    ['in spells, right on average', spells(0.9, 5, 0.5), 0.9, 0.9],
    ['selective', selective, 0.775, 0.75],
  ])('%s', (_, shape, claim, truth) => {
    const next = shape(seededRandom(3));
    const all = Array.from({ length: 40_000 }, next);
    expect(mean(all.map((one) => one.claim)).value).toBeCloseTo(claim, 1.9);
    expect(mean(all.map((one) => one.result)).value).toBeCloseTo(truth, 1.5);
  });

  it('is told to calibration as it is counted there', () => {
    const { tactical } = assessed([
      { claim: 0.7, result: 1 },
      { claim: 0.7, result: 0 },
      { claim: 1, result: 1 },
    ]);
    expect(tactical.curve.map(({ n }) => n)).toEqual([0, 0, 0, 0, 0, 0, 0, 2, 0, 1]);
    expect(tactical).toMatchObject({ n: 3, accuracy: 2 / 3 });
    expect(tactical.meanConfidence).toBeCloseTo(0.8, 12);
  });
});

describe('intervals', () => {
  it('are those of the tables: Wilson for shares, Byar for rates, normal for means', () => {
    expect(share(5, 10)).toMatchObject({
      low: expect.closeTo(0.2366, 3) as number,
      high: expect.closeTo(0.7634, 3) as number,
    });
    // Ten events: 4.79 to 18.39.
    expect(perAlarm(1_000, 10)).toMatchObject({
      value: 100,
      low: expect.closeTo(54.4, 0) as number,
      high: expect.closeTo(208.7, -1) as number,
    });
    expect(perAlarm(1_000, 0)).toMatchObject({ high: Number.POSITIVE_INFINITY, instead: 'none in 1000' });
    expect(mean([1, 2, 3, 4])).toMatchObject({ value: 2.5, low: expect.closeTo(1.235, 3) as number });
  });

  it('decide an aim by the value, or by the interval where that is said', () => {
    const figure = { value: 90, low: 70, high: 120, n: 9, id: 'x', says: 'x', unit: 'results' as const };
    expect(isMet(figure)).toBeNull();
    expect(isMet({ ...figure, aim: { least: 100 } })).toBe(false);
    expect(isMet({ ...figure, aim: { least: 100, byInterval: true } })).toBe(true);
    expect(isMet({ ...figure, aim: { most: 80 } })).toBe(false);
  });
});
