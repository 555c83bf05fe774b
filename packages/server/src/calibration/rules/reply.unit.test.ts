import { calibrationCheck } from '@breakwater/contract/tools';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { calibrationError } from '../../outcomes/index.ts';
import { assess } from './assess.ts';
import { calibrationReply, type ScopeReading } from './reply.ts';
import { reportText } from './report.ts';
import { cellOf, claims, NOW } from './testing/cells.ts';
import type { Cell } from './tally.ts';

const FRESH = { since: NOW - 90 * 86_400_000, asOf: NOW, ageMs: 0 };
const FLEET: ScopeReading = { scope: 'fleet', detectors: { agents: 0, guided: 0, paused: 0, highest: null } };
const AGENT: ScopeReading = {
  scope: 'agent',
  agent: 'Ada',
  detector: { value: 1, graded: 0 },
  checkIns: { error: null, graded: 0 },
};
const reply = (cells: readonly Cell[], reading: ScopeReading = FLEET) =>
  calibrationReply(assess(cells, NOW, calibrationError), reading, FRESH);

/** Paths of all numbers in a value. */
const numbers = (value: unknown, path = ''): string[] => {
  if (typeof value === 'number') return [path];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => numbers(part, path === '' ? key : `${path}.${key}`));
};
const at = (value: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((part, key) => (part as Record<string, unknown> | undefined)?.[key], value);

const KEYS = [
  'calibrated',
  'calibration_status',
  'issues',
  'advisories',
  'accuracy',
  'trajectory_health',
  'truth_channel',
  'confidence_distribution',
  'total_samples',
  'tactical_evidence',
  'by_class',
  'per_channel_calibration',
  'correction_factors',
  'guidance',
] as const;

describe('the answer of check', () => {
  it('has every key of the specification, with data and without', () => {
    verifies('BW-outcomes.03');
    for (const cells of [[], claims(20, 18, 0.9)])
      expect(Object.keys(reply(cells))).toEqual(expect.arrayContaining([...KEYS]));
    expect(reply([])['guidance']).toMatchObject({ mode: 'advisory_only' });
  });

  it('with no data says no_data, null and unknown, and no number that was not counted', () => {
    verifies('BW-outcomes.03');
    const nothing = reply([]);
    expect(nothing).toMatchObject({
      calibrated: null,
      calibration_status: 'no_data',
      accuracy: null,
      mean_gap: null,
      worst_bin_gap: null,
      skill: { n: 0, brier: null, reliability: null, resolution: null, uncertainty: null, skill: null },
      trajectory_health: null,
      truth_channel: null,
      total_samples: 0,
      confidence_distribution: { n: 0, mean: null, min: null, max: null },
      provenance: { accuracy: 'unknown', mean_gap: 'unknown', worst_bin_gap: 'unknown', skill: 'unknown' },
    });
  });

  it('calls the proxy a proxy while there is no hard evidence', () => {
    const proxy = reply([cellOf({ claim: 0.9 })]);
    expect(proxy).toMatchObject({
      truth_channel: 'trajectory_proxy',
      accuracy: null,
      trajectory_health: 1,
      calibrated: null,
    });
    expect(reply(claims(1, 1, 0.9))).toMatchObject({ truth_channel: 'confidence_outcome_match', accuracy: 1 });
    expect(JSON.stringify((proxy['curves'] as { strategic: unknown }).strategic)).not.toContain('"accuracy"');
  });

  it('labels every number, and as unknown exactly those that are not known', () => {
    verifies('BW-outcomes.03');
    const claim = fc.record({
      claim: fc.double({ min: 0, max: 1, noNaN: true }),
      result: fc.option(fc.constantFrom(0, 1), { nil: undefined }),
      healthy: fc.constantFrom(true, false, null),
      gap: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    });
    fc.assert(
      fc.property(fc.array(claim, { maxLength: 40 }), fc.constantFrom(FLEET, AGENT), (all, reading) => {
        const answer = reply(all.map(cellOf), reading);
        expect(calibrationCheck.parse(answer)).toEqual(answer);
        const labels = answer['provenance'] as Record<string, string>;
        for (const path of numbers(answer)) {
          const owner = Object.keys(labels).find((prefix) => path === prefix || path.startsWith(`${prefix}.`));
          expect(owner, path).toBeDefined();
        }
        for (const [path, label] of Object.entries(labels)) {
          const value = at(answer, path);
          if (typeof value !== 'object' || value === null) expect(label === 'unknown', path).toBe(value === null);
        }
        expect(JSON.stringify(answer)).not.toMatch(/NaN|Infinity/);
      }),
      { numRuns: 200 },
    );
  });

  it('shows the diagram of each curve with counts and intervals', () => {
    verifies('BW-outcomes.04');
    const { curves } = reply(claims(10, 6, 0.85)) as unknown as { curves: { tactical: { bins: unknown[] } } };
    expect(curves.tactical.bins).toHaveLength(10);
    expect(curves.tactical.bins[8]).toEqual({
      lower: 0.8,
      upper: 0.9,
      n: 10,
      mean_confidence: 0.85,
      accuracy: 0.6,
      interval: [0.3127, 0.8318],
    });
    expect(curves.tactical.bins[0]).toEqual({
      lower: 0,
      upper: 0.1,
      n: 0,
      mean_confidence: null,
      accuracy: null,
      interval: null,
    });
  });

  it('states what the sequential test supposes and promises, and its state for the scope', () => {
    expect(reply(claims(10, 6, 0.85), { ...AGENT, detector: { value: 400, graded: 20 } })['sequential']).toMatchObject({
      detector: 'claims',
      null_hypothesis: expect.stringContaining('claim less 0.05') as string,
      guarantee: expect.stringContaining('n / L') as string,
      value: 400,
      graded: 20,
      chance_if_honest_at_most: 0.05,
    });
    expect(reply([], AGENT)['sequential']).toMatchObject({ value: null, chance_if_honest_at_most: null });
    expect(
      reply([], { scope: 'fleet', detectors: { agents: 7, guided: 2, paused: 1, highest: 1500 } })['sequential'],
    ).toMatchObject({
      agents: 7,
      at_guide_or_above: 2,
      at_pause_or_above: 1,
      highest: 1500,
    });
  });
});

describe('the report', () => {
  const text = (cells: readonly Cell[], reading: ScopeReading = FLEET) =>
    reportText(assess(cells, NOW, calibrationError), reading, FRESH);

  it('shows a bar and the count of each bin, the issues and the groups', () => {
    verifies('BW-outcomes.04');
    const lines = text([...claims(10, 5, 0.85), ...claims(4, 4, 0.35, { channel: 'lint' })]).split('\n');
    expect(lines[0]).toBe('Calibration of the fleet, 2026-03-22 to 2026-06-20: miscalibrated');
    expect(lines).toContain('  0.8–0.9     10  0.85   0.50    0.24–0.76  ███████████████··········|····');
    expect(lines).toContain('  0.3–0.4     4   0.35   1.00    0.51–1.00  ██████████|███████████████████');
    expect(lines).toContain('  0.0–0.1     0   –      –       –');
    expect(lines).toContain('Issues:');
    expect(lines.some((line) => line.startsWith('  Claims of 0.8 to 0.9 said 0.85 and came true in 50 % of 10'))).toBe(
      true,
    );
    expect(lines).toContain('  lint     4   0.35   1.00    0.51–1.00  -0.65');
    expect(lines).toContain('Claims less results: +0.06 on average, 0.35 in the worst bin.');
    expect(lines.some((line) => line.startsWith('Brier score 0.387 (reliability 0.208, '))).toBe(true);
  });

  it('with no data says so, and shows no empty tables', () => {
    const said = text([], AGENT);
    expect(said).toContain('Calibration of Ada, 2026-03-22 to 2026-06-20: no_data');
    expect(said).toContain('unmeasured');
    expect(said).not.toMatch(/CONFIDENCE|CHANNEL|Issues/);
  });
});
