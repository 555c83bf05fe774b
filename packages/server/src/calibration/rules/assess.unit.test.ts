import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { calibrationError } from '../../outcomes/index.ts';
import { freshBins, observeCalibration } from '../../outcomes/index.ts';
import { assess, GATE, type Assessment } from './assess.ts';
import type { Cell } from './tally.ts';
import { DAY_MS, seededRandom } from '../../runtime/index.ts';
import { cellOf, claims, NOW, type Claim } from './testing/cells.ts';

const look = (cells: readonly Cell[], now = NOW) => assess(cells, now, calibrationError);
const codes = (all: Assessment['issues' | 'advisories']): string[] => all.map(({ code }) => code);

const claim: fc.Arbitrary<Claim> = fc.record({
  claim: fc.double({ min: 0, max: 1, noNaN: true }),
  result: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
  channel: fc.constantFrom('tests', 'tasks', 'lint'),
  claimClass: fc.constantFrom('agent_report', 'prediction', null),
  healthy: fc.constantFrom(true, false, null),
  gap: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: null }),
  at: fc.integer({ min: NOW - 20 * DAY_MS, max: NOW }),
});
const some = fc.array(claim, { maxLength: 80, size: 'max' });

describe('the status', () => {
  it('is no_data without graded outcomes, and every number is null, none a default', () => {
    verifies('BW-outcomes.03');
    for (const cells of [[], [cellOf({ claim: 0.9 })], claims(GATE.leastGraded - 1, 4, 0.9)]) {
      const { status, tactical } = look(cells);
      expect(status).toBe('no_data');
      expect(tactical.worstBinGap).toBeNull();
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
    expect(look([...claims(100, 90, 0.9), ...claims(100, 55, 0.55)])).toMatchObject({
      status: 'calibrated',
      issues: [],
      tactical: { n: 200, accuracy: 145 / 200 },
    });
  });

  it('goes stale on the millisecond after seven days, whatever the curve says', () => {
    verifies('BW-outcomes.03');
    const good = claims(100, 90, 0.9, { at: NOW - 7 * DAY_MS });
    const bad = claims(10, 0, 0.9, { at: NOW - 7 * DAY_MS });
    expect([look(good).status, look(bad).status]).toEqual(['calibrated', 'miscalibrated']);
    expect([look(good, NOW + 1).status, look(bad, NOW + 1).status]).toEqual(['signal_stale', 'signal_stale']);
    expect(codes(look(bad, NOW + 1).issues)).toContain('over_confidence');
    // One new result is a signal again; a claim without one is not.
    expect(look([...good, ...claims(1, 1, 0.9)], NOW + 1).status).toBe('calibrated');
    expect(look([...good, cellOf({ claim: 0.9 })], NOW + 1).status).toBe('signal_stale');
  });
});

describe('the gate', () => {
  it.each<[string, Cell[], Assessment['status'], string[]]>([
    ['five good results say too little', claims(5, 5, 0.9), 'undecided', []],
    ['five failures say enough', claims(5, 0, 0.9), 'miscalibrated', ['over_confidence']],
    ['four failures decide nothing', claims(4, 0, 0.9), 'no_data', []],
    ['ten of 0.85 with accuracy 0.6 may be chance', claims(10, 6, 0.85), 'undecided', []],
    ['forty of them are not', claims(40, 24, 0.85), 'miscalibrated', ['over_confidence']],
    ['over-confidence needs no high claim', claims(20, 1, 0.5), 'miscalibrated', ['over_confidence']],
    ['five points short are tolerated', claims(1000, 850, 0.9), 'calibrated', []],
    ['.15 short of .9 is proven at n = 1,000', claims(1000, 754, 0.9), 'miscalibrated', ['over_confidence']],
    ['all bad at claims of .05', claims(200, 0, 0.05), 'calibrated', []],
    ['all bad at claims of .2: the bin begins at .2', claims(100, 0, 0.2), 'miscalibrated', ['over_confidence']],
    [
      'a bad bin beside a good one',
      [...claims(100, 95, 0.95), ...claims(20, 8, 0.85)],
      'miscalibrated',
      ['over_confidence'],
    ],
    ['too humble by far is not calibrated', claims(200, 170, 0.5), 'undecided', []],
  ])('%s', (_, cells, status, expected) => {
    verifies('BW-outcomes.03');
    const found = look(cells);
    expect(codes(found.issues)).toEqual(expected);
    expect(found.status).toBe(status);
    expect(codes(found.advisories).includes('undecided')).toBe(status === 'undecided');
  });

  it('tests a bin at 5 % over all tested bins: more bins make each of them harder to find', () => {
    // 13 of 20 at .9: the upper bound of one test is 0.801, of ten tests 0.864.
    const short = claims(20, 13, 0.9);
    const others = [0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85].flatMap((claimed) => claims(5, 5, claimed));
    expect(look(short).status).toBe('miscalibrated');
    expect(look([...short, ...others]).issues).toEqual([]);
    // Bins with fewer than five are not tested, and so cost nothing.
    expect(codes(look([...short, ...others.filter((_, i) => i % 5 < 4)]).issues)).toEqual(['over_confidence']);
  });

  it('calls few honest agents miscalibrated at any number of results, and finds those that over-claim', () => {
    verifies('BW-outcomes.03');
    const random = seededRandom(5);
    const share = (n: number, claimed: () => number, gap: number) => {
      const agents = Array.from({ length: 400 }, () =>
        look(
          Array.from({ length: n }, () => {
            const one = claimed();
            return cellOf({ claim: one, result: random() < one - gap ? 1 : 0 });
          }),
        ),
      );
      return agents.filter(({ status }) => status === 'miscalibrated').length / agents.length;
    };
    for (const n of [5, 10, 50, 100]) {
      expect(
        share(n, () => 0.9, 0),
        `.9, n = ${n}`,
      ).toBeLessThan(0.04);
      expect(share(n, random, 0), `U(0,1), n = ${n}`).toBeLessThan(0.05);
    }
    expect(share(100, () => 0.9, 0.2)).toBeGreaterThan(0.9);
  });

  it('takes under-confidence for an advisory only', () => {
    const found = look(claims(30, 30, 0.2));
    expect(found).toMatchObject({ status: 'undecided', issues: [] });
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
        const direct = all
          .flatMap(({ claim: claimed, result }) => (result === undefined ? [] : [{ claim: claimed, result }]))
          .reduce(observeCalibration, freshBins);
        const { error, graded } = calibrationError(direct);
        expect(found.tactical.n).toBe(graded);
        expect(found.tactical.worstBinGap ?? -1).toBeCloseTo(error ?? -1, 9);
        expect(found.status === 'no_data').toBe(graded < 5);
      }),
      { numRuns: 300 },
    );
  });

  it('never get a better status by failing more', () => {
    const rank = { no_data: 0, signal_stale: 0, miscalibrated: 1, undecided: 2, calibrated: 3 } as const;
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 60 }), fc.double({ min: 0.8, max: 0.99, noNaN: true }), (n, claimed) => {
        // Above the mean claim, more successes may make `calibrated` undecided again: that is no reward for failing.
        const most = Math.floor(n * claimed);
        const statuses = Array.from({ length: most + 1 }, (_, good) => rank[look(claims(n, good, claimed)).status]);
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
