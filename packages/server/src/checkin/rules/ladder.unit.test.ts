import type { SubAction } from '@breakwater/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { decide, verdictOf, type LadderInput } from './ladder.ts';

const NO_RISK = { low_E: 0, low_I: 0, high_S: 0, high_V: 0, adversarial_rho: 0, high_CE: 0 };

const calm = (changes: Partial<LadderInput> = {}): LadderInput => ({
  claims: { value: 1, graded: 40, meanClaim: 0.8, accuracy: 0.81 },
  risk: { raw: 0.05, final: 0.06, gated: 0.06 },
  verdict: 'safe',
  resonant: false,
  components: { ...NO_RISK, low_I: 0.2, high_S: 0.1 },
  basin: 'boundary',
  voidActive: false,
  margin: { word: 'comfortable', edge: 'void', distance: 0.08 },
  checkIn: 20,
  ...changes,
});
const claims = (value: number, graded = 12) => ({ value, graded, meanClaim: 0.9, accuracy: 0.25 });
const risk = (raw: number, final: number, gated = final) => ({ raw, final, gated });

/** Each rung by an input that meets it and none above it. */
const RUNGS: { rung: string; input: LadderInput; sub: SubAction; names: string[]; critical?: true }[] = [
  {
    rung: 'claims against results, at the pausing value',
    input: calm({ claims: claims(1000, 5) }),
    sub: 'claims_pause',
    names: ['claims against results', '5 graded', 'mean claim 0.90', 'accuracy 0.25'],
  },
  {
    rung: 'final risk above the ceiling',
    input: calm({ risk: risk(0.5, 0.71) }),
    sub: 'cirs_block',
    names: ['ceiling 0.70', '0.71', 'low_I'],
  },
  {
    rung: 'final risk far above the ceiling',
    input: calm({ risk: risk(0.5, 0.8) }),
    sub: 'cirs_block',
    names: ['ceiling 0.70', 'low_I'],
    critical: true,
  },
  {
    rung: 'high risk',
    input: calm({ verdict: 'high-risk', risk: risk(0.62, 0.7) }),
    sub: 'risk_pause',
    names: ['high risk', '0.62', 'low_I'],
  },
  {
    rung: 'claims against results, at the guiding value',
    input: calm({ claims: claims(20), risk: risk(0.4, 0.5), verdict: 'caution', basin: 'low' }),
    sub: 'guide',
    names: ['claims against results', '12 graded'],
  },
  { rung: 'low basin', input: calm({ basin: 'low' }), sub: 'guide', names: ['basin low'] },
  { rung: 'void', input: calm({ voidActive: true }), sub: 'guide', names: ['void active'] },
  {
    rung: 'risk near its edge',
    input: calm({ risk: risk(0.1, 0.2), verdict: 'caution' }),
    sub: 'guide',
    names: ['risk 0.20'],
  },
  { rung: 'caution', input: calm({ verdict: 'caution' }), sub: 'guide', names: ['caution', 'low_I'] },
  { rung: 'oscillation', input: calm({ resonant: true }), sub: 'guide', names: ['oscillates'] },
  { rung: 'approve', input: calm(), sub: 'approve', names: ['margin comfortable', '0.08', 'void'] },
  {
    rung: 'recent risk',
    input: calm({ risk: risk(0, 0.1, 0.45) }),
    sub: 'guide',
    names: ['recent risk 0.45', 'margin'],
  },
  {
    rung: 'recent risk too high',
    input: calm({ risk: risk(0, 0.1, 0.7) }),
    sub: 'reject',
    names: ['recent risk 0.70'],
  },
];

/** The table again, in the order of the specification: the first that holds decides. */
const ORDER: [(input: LadderInput) => boolean, SubAction][] = [
  [({ claims: c }) => c.value >= 1000 && c.graded >= 5, 'claims_pause'],
  [({ risk: r }) => r.final > 0.7, 'cirs_block'],
  [({ verdict }) => verdict === 'high-risk', 'risk_pause'],
  [({ claims: c }) => c.value >= 20, 'guide'],
  [({ basin, voidActive, risk: r }) => basin === 'low' || voidActive || r.final >= 0.2, 'guide'],
  [({ verdict, resonant }) => verdict === 'caution' || (verdict === 'safe' && resonant), 'guide'],
  [({ risk: r }) => r.gated < 0.45, 'approve'],
  [({ risk: r }) => r.gated < 0.7, 'guide'],
  [() => true, 'reject'],
];

const edged = (...edges: number[]) => fc.oneof(fc.constantFrom(...edges), fc.double({ min: 0, max: 1, noNaN: true }));
const arbLadder: fc.Arbitrary<LadderInput> = fc.record({
  claims: fc.record({
    value: fc.oneof(fc.constantFrom(1, 19.99, 20, 999.99, 1000), fc.double({ min: 0, max: 1e300, noNaN: true })),
    graded: fc.constantFrom(0, 4, 5, 300),
    meanClaim: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: null }),
    accuracy: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: null }),
  }),
  risk: fc.record({ raw: edged(0.6, 0.8), final: edged(0.19, 0.2, 0.7, 0.8), gated: edged(0.45, 0.7) }),
  verdict: fc.constantFrom('safe', 'safe', 'caution', 'high-risk'),
  resonant: fc.boolean(),
  components: fc.constantFrom(NO_RISK, { ...NO_RISK, adversarial_rho: 0.15 }),
  basin: fc.constantFrom('high', 'boundary', 'low'),
  voidActive: fc.boolean(),
  margin: fc.record({
    word: fc.constantFrom('settling', 'comfortable', 'tight', 'warning', 'critical'),
    edge: fc.constantFrom('risk', 'void', null),
    distance: fc.double({ min: -1, max: 1, noNaN: true }),
  }),
  checkIn: fc.integer({ min: 1, max: 6 }),
});

describe('the decision ladder', () => {
  for (const { rung, input, sub, names, critical } of RUNGS) {
    it(`${rung}: ${sub}, and the reason says so`, () => {
      verifies('BW-checkin.10');
      const ruling = decide(input);
      expect(ruling.sub_action).toBe(sub);
      expect(ruling.action).toBe(sub === 'approve' || sub === 'guide' ? 'proceed' : 'pause');
      for (const name of names) expect(ruling.reason).toContain(name);
      expect(ruling.critical).toBe(critical);
    });
  }

  it('lets the first matching rung decide', () => {
    verifies('BW-checkin.10');
    const met = new Map<number, number>();
    fc.assert(
      fc.property(arbLadder, (input) => {
        const rung = ORDER.findIndex(([holds]) => holds(input));
        met.set(rung, (met.get(rung) ?? 0) + 1);
        const ruling = decide(input);
        expect(ruling.sub_action).toBe(ORDER[rung]![1]);
        expect(ruling.reason.length).toBeLessThanOrEqual(120);
        expect(ruling.reason.length).toBeGreaterThan(0);
      }),
      { numRuns: 20_000, seed: 7 },
    );
    expect([...met.keys()].sort()).toEqual(ORDER.map((_, i) => i));
  });

  it('never pauses for basin, void or oscillation alone, whatever they say', () => {
    verifies('BW-checkin.09');
    fc.assert(
      fc.property(
        arbLadder,
        fc.double({ min: 0, max: 0.69, noNaN: true }),
        fc.constantFrom('safe' as const, 'caution' as const),
        (input, harmless, verdict) => {
          const quiet = { ...input, claims: claims(1), verdict, risk: risk(harmless, harmless) };
          expect(decide(quiet).action).toBe('proceed');
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it('says warming_up for basin or void in the first three check-ins, and not from the fourth on', () => {
    verifies('BW-checkin.09');
    for (const edge of [{ basin: 'low' as const }, { voidActive: true }]) {
      for (const checkIn of [1, 2, 3]) expect(decide(calm({ ...edge, checkIn })).reason).toBe('warming_up');
      expect(decide(calm({ ...edge, checkIn: 4 })).reason).not.toContain('warming_up');
    }
    expect(decide(calm({ risk: risk(0.1, 0.3), checkIn: 1 })).reason).toContain('risk 0.30');
    expect(decide(calm({ basin: 'low', claims: claims(1e6), checkIn: 1 })).sub_action).toBe('claims_pause');
  });

  it('needs five graded outcomes before claims pause', () => {
    expect(decide(calm({ claims: claims(1e9, 4) })).sub_action).toBe('guide');
  });

  it('sums the ruling up in one word', () => {
    expect(RUNGS.map(({ input }) => verdictOf(decide(input)))).toEqual([
      'pause',
      'pause',
      'pause',
      'pause',
      ...Array.from({ length: 6 }, () => 'guide'),
      'proceed',
      'guide',
      'reject',
    ]);
  });
});
