import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { calibrationError } from '../../outcomes/index.ts';
import { assess, GATE, type Assessment } from './assess.ts';
import type { Cell } from './tally.ts';
import { cellOf, claims, NOW, type Claim } from './testing/cells.ts';

const DAY = 86_400_000;
const look = (cells: readonly Cell[], now = NOW) => assess(cells, now, calibrationError);
const codes = (all: Assessment['issues']) => all.map(({ code }) => code);

const claim: fc.Arbitrary<Claim> = fc.record({
  claim: fc.double({ min: 0, max: 1, noNaN: true }),
  result: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
  channel: fc.constantFrom('tests', 'tasks', 'lint'),
  claimClass: fc.constantFrom('agent_report', 'prediction', null),
  healthy: fc.constantFrom(true, false, null),
  gap: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: null }),
  at: fc.integer({ min: NOW - 20 * DAY, max: NOW }),
});
const some = fc.array(claim, { maxLength: 80, size: 'max' });

describe('the status', () => {
  it('is no_data without graded outcomes, and every number is null, none a default', () => {
    verifies('BW-outcomes.03');
    for (const cells of [[], [cellOf({ claim: 0.9 })], claims(GATE.leastGraded - 1, 4, 0.9)]) {
      const { status, tactical } = look(cells);
      expect(status).toBe('no_data');
      expect(tactical.overConfidence).toBeNull();
    }
    const nothing = look([]);
    expect(nothing.tactical).toMatchObject({
      n: 0,
      accuracy: null,
      meanConfidence: null,
      interval: null,
      newest: null,
    });
    expect(nothing.strategic.healthy).toBeNull();
    expect(nothing.claims).toMatchObject({ n: 0, mean: null, least: null, most: null });
    expect(nothing.complexity.farShare).toBeNull();
    expect([...nothing.tactical.curve, ...nothing.strategic.curve].map(({ accuracy }) => accuracy)).toEqual(
      Array.from({ length: 20 }, () => null),
    );
    expect([nothing.corrections, [...nothing.channels], [...nothing.classes], nothing.issues]).toEqual([
      [],
      [],
      [],
      [],
    ]);
    expect(codes(nothing.advisories)).toEqual(['too_few']);
  });

  it('is calibrated when claims come true as often as they say', () => {
    verifies('BW-outcomes.03');
    expect(look([...claims(20, 18, 0.9), ...claims(20, 11, 0.55)])).toMatchObject({
      status: 'calibrated',
      issues: [],
      tactical: { n: 40, accuracy: 29 / 40 },
    });
  });

  it('goes stale on the millisecond after seven days, whatever the curve says', () => {
    verifies('BW-outcomes.03');
    const good = claims(10, 9, 0.9, { at: NOW - 7 * DAY });
    const bad = claims(10, 0, 0.9, { at: NOW - 7 * DAY });
    expect([look(good).status, look(bad).status]).toEqual(['calibrated', 'miscalibrated']);
    expect([look(good, NOW + 1).status, look(bad, NOW + 1).status]).toEqual(['signal_stale', 'signal_stale']);
    expect(codes(look(bad, NOW + 1).issues)).toContain('confident_and_wrong');
    // One new result is a signal again; a claim without one is not.
    expect(look([...good, ...claims(1, 1, 0.9)], NOW + 1).status).toBe('calibrated');
    expect(look([...good, cellOf({ claim: 0.9 })], NOW + 1).status).toBe('signal_stale');
  });
});

describe('the gate', () => {
  it.each([
    ['ten of 0.85 with accuracy 0.6', claims(10, 6, 0.85), ['confident_and_wrong', 'over_confidence']],
    ['ten of 0.8 with accuracy 0.6: the bin begins at 0.8', claims(10, 6, 0.8), ['confident_and_wrong']],
    ['ten of 0.85 with accuracy exactly 0.7', claims(10, 7, 0.85), []],
    ['nine of 0.85, all failed: the overall reading alone', claims(9, 0, 0.85), ['over_confidence']],
    ['ten of 0.79 with accuracy 0.6', claims(10, 6, 0.79), []],
    ['ten of 0.5 with accuracy 0.2: over-confidence needs no high claim', claims(10, 2, 0.5), ['over_confidence']],
    ['a full bin by 0.2 exactly', claims(10, 5, 0.7), []],
    [
      'a bad bin beside a good one',
      [...claims(50, 50, 0.95), ...claims(10, 5, 0.85)],
      ['confident_and_wrong', 'over_confidence'],
    ],
  ])('%s', (_, cells, expected) => {
    verifies('BW-outcomes.03');
    const found = look(cells);
    expect(codes(found.issues)).toEqual(expected);
    expect(found.status).toBe(expected.length === 0 ? 'calibrated' : 'miscalibrated');
  });

  it('takes under-confidence for an advisory only', () => {
    const found = look(claims(30, 30, 0.2));
    expect(found).toMatchObject({ status: 'calibrated', issues: [] });
    expect(codes(found.advisories)).toContain('under_confidence');
    expect(codes(look(claims(9, 9, 0.2)).advisories)).not.toContain('under_confidence');
  });

  it.each([
    [6, 10, true],
    [5, 10, false],
    [9, 9, false],
  ])('finds complexity misreported in %d of %d samples: %s', (far, n, issue) => {
    const cells = claims(n, n, 0.9).map((cell, i) => ({ ...cell, complexities: 1, complexityFar: i < far ? 1 : 0 }));
    expect(codes(look(cells).issues).includes('complexity_misreported')).toBe(issue);
  });

  it('does not call a gap of 0.3 far, and leaves out samples without a report', () => {
    const at = (gap: number | null) => Array.from({ length: 10 }, () => cellOf({ claim: 0.9, result: 1, gap }));
    expect(look(at(0.3)).complexity).toEqual({ n: 10, farShare: 0 });
    expect(look(at(0.31)).complexity).toEqual({ n: 10, farShare: 1 });
    expect(look([...at(null), ...at(0.9)]).complexity).toEqual({ n: 10, farShare: 1 });
  });

  it('remarks on a class from thirty graded outcomes and a gap above 0.2 on, in either direction', () => {
    const of = (n: number, good: number, claimed: number) =>
      codes(look(claims(n, good, claimed, { claimClass: 'prediction' })).advisories).includes('class_gap');
    expect([of(30, 20, 0.95), of(29, 19, 0.95), of(30, 29, 0.5), of(30, 27, 0.95)]).toEqual([true, false, true, false]);
  });
});

describe('the curves', () => {
  it('hold only hard evidence against claims in the tactical one, and never mix the two', () => {
    const cells = [
      ...claims(10, 3, 0.9, { healthy: true }),
      ...Array.from({ length: 90 }, () => cellOf({ claim: 0.9, healthy: true })),
    ];
    const found = look(cells);
    expect(found.tactical).toMatchObject({ n: 10, accuracy: 0.3 });
    expect(found.strategic).toMatchObject({ n: 100, healthy: 1 });
    expect(found.status).toBe('miscalibrated');
  });

  it('add up: channels and classes part the same graded outcomes, and no order of the rows matters', () => {
    fc.assert(
      fc.property(some, fc.integer(), (all, turn) => {
        const cells = all.map(cellOf);
        const found = look(cells);
        const graded = all.filter(({ result }) => result !== undefined).length;
        expect(found.tactical.n).toBe(graded);
        expect(found.tactical.curve.reduce((sum, { n }) => sum + n, 0)).toBe(graded);
        for (const groups of [found.channels, found.classes]) {
          expect([...groups.values()].reduce((sum, { n }) => sum + n, 0)).toBe(graded);
        }
        const at = cells.length === 0 ? 0 : Math.abs(turn) % cells.length;
        const turned = look([...cells.slice(at), ...cells.slice(0, at)]);
        expect(turned.status).toBe(found.status);
        expect(codes(turned.issues)).toEqual(codes(found.issues));
        expect(turned.tactical.accuracy ?? -1).toBeCloseTo(found.tactical.accuracy ?? -1, 9);
      }),
      { numRuns: 300 },
    );
  });

  it('say what the check-in says of the same outcomes', () => {
    verifies('BW-outcomes.03');
    fc.assert(
      fc.property(some, (all) => {
        const found = look(all.map(cellOf));
        if (found.tactical.n < 5) expect(found.tactical.overConfidence).toBeNull();
        else expect(found.tactical.overConfidence).toBeGreaterThanOrEqual(0);
        expect(found.status === 'no_data').toBe(found.tactical.n < 5);
        expect(codes(found.issues).includes('over_confidence')).toBe((found.tactical.overConfidence ?? 0) - 0.2 > 1e-9);
      }),
      { numRuns: 300 },
    );
  });

  it('never get a better status by failing more', () => {
    const rank = { no_data: 0, signal_stale: 0, calibrated: 2, miscalibrated: 1 } as const;
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 60 }), fc.double({ min: 0.8, max: 0.99, noNaN: true }), (n, claimed) => {
        const statuses = Array.from({ length: n + 1 }, (_, good) => rank[look(claims(n, good, claimed)).status]);
        expect(statuses).toEqual(statuses.toSorted((a, b) => a - b));
      }),
      { numRuns: 50 },
    );
  });

  it('give a factor for full bins only: the claim times it came true', () => {
    const found = look([...claims(10, 6, 0.9), ...claims(9, 0, 0.5), ...claims(10, 0, 0)]);
    expect(found.corrections).toEqual([
      { lower: 0.9, upper: 1, n: 10, factor: expect.closeTo(0.6 / 0.9, 9) as number },
    ]);
  });
});
