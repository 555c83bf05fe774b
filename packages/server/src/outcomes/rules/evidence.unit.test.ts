import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import {
  decodeEvidence,
  encodeEvidence,
  freshEvidence,
  recordOutcome,
  viewEvidence,
  withResetClaims,
  type OutcomeEvidence,
  type SettledOutcome,
} from './evidence.ts';
import { HOUR_MS } from '../../runtime/index.ts';

const NOW = Date.UTC(2026, 5, 1);

const outcome = (over: Partial<SettledOutcome> = {}): SettledOutcome => ({
  isBad: true,
  score: 0,
  weight: 0.65,
  fixture: false,
  binding: { claimed: true, confidence: 0.9 },
  ...over,
});

const arbitrary: fc.Arbitrary<SettledOutcome> = fc.record({
  isBad: fc.boolean(),
  score: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
  weight: fc.constantFrom(0.1, 0.35, 0.65, 0.85, 1),
  fixture: fc.boolean(),
  binding: fc.record({ claimed: fc.boolean(), confidence: fc.option(fc.double({ min: 0, max: 1, noNaN: true })) }),
});

const recordAll = (outcomes: readonly SettledOutcome[], start = NOW): OutcomeEvidence =>
  outcomes.reduce<OutcomeEvidence>(
    (evidence, one, i) => recordOutcome(evidence, one, start + i).evidence,
    freshEvidence,
  );

describe('the evidence of an agent', () => {
  it('learns only from what was observed, claimed before, decided and real; nothing else can pause', () => {
    verifies('BW-checkin.13', 'BW-outcomes.02');
    fc.assert(
      fc.property(fc.array(arbitrary, { maxLength: 60, size: 'max' }), (outcomes) => {
        let evidence = freshEvidence;
        let graded = 0;
        for (const one of outcomes) {
          const before = structuredClone(evidence);
          const learned = recordOutcome(evidence, one, NOW);
          expect(evidence).toEqual(before);
          const counts =
            one.weight >= 0.65 &&
            one.binding.claimed &&
            one.binding.confidence !== null &&
            one.score !== null &&
            !one.fixture;
          expect(learned.graded).toBe(counts);
          if (!counts)
            expect([learned.evidence.claims, learned.evidence.bins]).toEqual([evidence.claims, evidence.bins]);
          if (learned.pause) expect(counts && learned.evidence.claims.graded >= 5).toBe(true);
          graded += counts ? 1 : 0;
          evidence = learned.evidence;
        }
        expect(evidence.claims.graded).toBe(graded);
        expect(evidence.bins.reduce((n, bin) => n + bin.n, 0)).toBe(graded);
      }),
    );
  });

  it('asks for a pause with the sixth failure at 0.9, and resuming opens a new account', () => {
    verifies('BW-checkin.13');
    let evidence = recordAll(Array.from({ length: 5 }, () => outcome()));
    const sixth = recordOutcome(evidence, outcome(), NOW);
    expect(sixth.pause?.reason).toMatch(/mean claim 0\.90, accuracy 0\.00 over n=6 graded outcomes/);
    evidence = withResetClaims(sixth.evidence);
    expect(viewEvidence(evidence, NOW).claims).toEqual({ value: 1, graded: 0, meanClaim: null, accuracy: null });
    expect(viewEvidence(evidence, NOW).calibration).toEqual({
      error: expect.closeTo(0.9, 12) as number,
      graded: 6,
      mean_claim: expect.closeTo(0.9, 12) as number,
      pass_rate: 0,
    });
    expect(recordOutcome(evidence, outcome(), NOW).pause).toBeUndefined();
  });

  it('comes back from its JSON to the last bit, and goes on alike', () => {
    fc.assert(
      fc.property(fc.array(arbitrary, { maxLength: 60, size: 'max' }), arbitrary, (outcomes, next) => {
        const evidence = recordAll(outcomes);
        const back = decodeEvidence(JSON.parse(JSON.stringify(encodeEvidence(evidence))) as Record<string, unknown>);
        expect(back).toStrictEqual(evidence);
        expect(recordOutcome(back, next, NOW)).toStrictEqual(recordOutcome(evidence, next, NOW));
      }),
    );
  });

  it('takes over an account of version 1 with the value that it had', () => {
    const stored = { ...encodeEvidence(recordAll([outcome()])), version: 1 } as Record<string, unknown>;
    const old = { ...(stored['claims'] as Record<string, unknown>), bets: [2, 30, 700] };
    const evidence = decodeEvidence({ ...stored, claims: old });
    expect(evidence.claims.bets).toEqual([2, 30, 700, 2, 30, 700]);
    expect(viewEvidence(evidence, NOW).claims.value).toBeCloseTo(244, 9);
    expect(() => decodeEvidence({ ...stored, claims: { ...old, bets: [1, 2, 3, 4, 5, 6] } })).toThrow();
  });

  it('places no bet on a result of an outage, and still counts it', () => {
    verifies('BW-outcomes.07');
    let evidence = freshEvidence;
    for (let i = 0; i < 40; i += 1) {
      const learned = recordOutcome(evidence, outcome({ held: true }), NOW);
      expect([learned.graded, learned.pause]).toEqual([true, undefined]);
      evidence = learned.evidence;
    }
    expect(evidence.claims).toBe(freshEvidence.claims);
    expect(viewEvidence(evidence, NOW).calibration.graded).toBe(40);
  });

  it('stays finite in JSON however often a paused agent goes on failing', () => {
    const evidence = recordAll(
      Array.from({ length: 2000 }, () => outcome({ binding: { claimed: true, confidence: 1 } })),
    );
    expect(JSON.stringify(encodeEvidence(evidence))).not.toContain('null');
    expect(viewEvidence(evidence, NOW).claims.value).toBe(1e9);
  });

  it('does not take damaged evidence for a clean slate', () => {
    const good = encodeEvidence(recordAll([outcome()]));
    for (const key of Object.keys(good)) {
      expect(() => decodeEvidence({ ...good, [key]: 'damaged' })).toThrow();
    }
    expect(() => decodeEvidence({})).toThrow();
  });

  it('shows a check-in the last day of at most twenty outcomes, oldest first, whatever their weight', () => {
    const many = Array.from({ length: 25 }, (_, i) => outcome({ weight: 0.1, score: i / 25, isBad: i % 2 === 0 }));
    const view = viewEvidence(recordAll(many), NOW + HOUR_MS);
    expect(view.outcomes).toEqual(many.slice(5).map(({ isBad, score }) => ({ isBad, score })));
    const old = recordOutcome(
      recordAll([outcome()], NOW - 24 * HOUR_MS),
      outcome({ score: 1, isBad: false }),
      NOW,
    ).evidence;
    expect(viewEvidence(old, NOW).outcomes).toHaveLength(2);
    expect(viewEvidence(old, NOW + 1).outcomes).toEqual([{ isBad: false, score: 1 }]);
  });

  it('knows nothing before the first outcome', () => {
    expect(viewEvidence(freshEvidence, NOW)).toEqual({
      claims: { value: 1, graded: 0, meanClaim: null, accuracy: null },
      calibration: { error: null, graded: 0, mean_claim: null, pass_rate: null },
      outcomes: [],
    });
  });
});
