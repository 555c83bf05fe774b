import { noisy, offBy, sharedFates, spells, spread, steady, type Shape } from '../agents.ts';
import type { Row } from '../figure.ts';
import { pausedWithin, resultsToPause } from '../measure.ts';

/** The study's mean results to a pause with the three bets of before, and the lower end of its interval. */
interface Before {
  readonly study: string;
  /** An honest agent must not be paused sooner than before. */
  readonly least?: number;
}

const row = (name: string, about: string, shape: Shape, results: number, before: Before): Row => ({
  name: `alarms/${name}`,
  about,
  run: (random, effort) => [
    {
      ...resultsToPause(shape, random, effort.of(results, 20_000)),
      id: `alarms/${name}/arl`,
      says: `${about}: mean results to a pause`,
      unit: 'results',
      study: before.study,
      ...(before.least !== undefined && { aim: { least: before.least, byInterval: true } }),
    },
    {
      ...pausedWithin(shape, random, effort.of(500), 1_000),
      id: `alarms/${name}/1000`,
      says: `${about}: paused within 1,000 results`,
      unit: 'share',
    },
  ],
});

const M = 1_000_000;

/** How often agents are paused that keep, or nearly keep, what they claim. */
export const alarmRows: readonly Row[] = [
  row('calibrated-.6', 'claims .6, right in .6', steady(0.6, 0.6), 3 * M, {
    study: '346,000 (284-425 k)',
    least: 284_000,
  }),
  row('calibrated-.8', 'claims .8, right in .8', steady(0.8, 0.8), 3 * M, {
    study: '189,000 (155-232 k)',
    least: 155_000,
  }),
  row('calibrated-.9', 'claims .9, right in .9', steady(0.9, 0.9), 3 * M, {
    study: '271,000 (221-335 k)',
    least: 221_000,
  }),
  row('calibrated-.95', 'claims .95, right in .95', steady(0.95, 0.95), 3 * M, {
    study: '629,000 (462-881 k)',
    least: 462_000,
  }),
  row('calibrated-mix', 'claims .5 to .95, calibrated', spread(0.5, 0.95), 3 * M, {
    study: '270,000 (223-330 k)',
    least: 223_000,
  }),
  row('edge-.6', 'claims .6, right in .55', steady(0.6, 0.55), 0.6 * M, { study: '22,000', least: 20_000 }),
  row('edge-.8', 'claims .8, right in .75', steady(0.8, 0.75), 0.6 * M, { study: '14,700', least: 13_500 }),
  row('edge-.9', 'claims .9, right in .85', steady(0.9, 0.85), 0.6 * M, { study: '10,700', least: 10_000 }),
  row('edge-.95', 'claims .95, right in .9', steady(0.95, 0.9), 0.6 * M, { study: '10,700', least: 10_000 }),
  row('edge-.99', 'claims .99, right in .94', steady(0.99, 0.94), 0.6 * M, { study: '9,600', least: 9_000 }),
  row('edge-mix', 'claims 0 to 1, each five points short', spread(0, 1, 0.05), 0.6 * M, {
    study: '25,000 (23.5-26.6 k)',
    least: 23_500,
  }),
  row('off-by', 'right on average, each claim off by exactly .1', offBy(0.5, 0.9, 0.1), 0.1 * M, {
    study: '31,900 (another noise)',
  }),
  row('noisy', 'right on average, each claim off by up to .1', noisy(0.5, 0.9, 0.1), 0.6 * M, {
    study: '31,900 (another noise)',
  }),
  row('flaky-2', 'claims .95; a CI that fails 2 % of good work', steady(0.95, 0.95 * 0.98), 3 * M, {
    study: '119,000',
  }),
  row('flaky-5', 'claims .95; a CI that fails 5 % of good work', steady(0.95, 0.95 * 0.95), 0.3 * M, {
    study: '12,900',
  }),
  row('flaky-10', 'claims .95; a CI that fails 10 % of good work', steady(0.95, 0.95 * 0.9), 0.3 * M, { study: '605' }),
  row('spells-5', 'claims .9 = mean; spells of 5 at .5', spells(0.9, 5, 0.5), 0.3 * M, { study: '748' }),
  row('spells-20', 'claims .9 = mean; spells of 20 at .5', spells(0.9, 20, 0.5), 0.3 * M, { study: '265' }),
  row('fates-3', 'claims .9 = mean; fates shared by 3', sharedFates(0.9, 3), 0.3 * M, { study: '311' }),
  row('fates-10', 'claims .9 = mean; fates shared by 10', sharedFates(0.9, 10), 0.3 * M, { study: '91' }),
];
