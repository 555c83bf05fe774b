import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { seededRandom, type Random } from '../../runtime/index.ts';
import { claimsDemandPause, claimsPause, claimsValue, FRACTIONS, freshClaims, growth, observeClaim } from './claims.ts';

const unit = fc.double({ min: 0, max: 1, noNaN: true });

/** After how many results the agent is paused, or undefined when it never is. */
const pausedAfter = (results: number, next: (i: number) => { claim: number; result: number }): number | undefined => {
  let state = freshClaims;
  for (let i = 1; i <= results; i += 1) {
    state = observeClaim(state, next(i));
    if (claimsDemandPause(state)) return i;
  }
  return undefined;
};

/** How many of `agents` are paused within `results`, and after how many results in the middle. */
const simulate = (
  agents: number,
  results: number,
  next: (random: Random) => { claim: number; result: number },
): { paused: number; median: number } => {
  const random = seededRandom(20_260_101);
  const ends = Array.from({ length: agents }, () => pausedAfter(results, () => next(random))).filter(
    (end) => end !== undefined,
  );
  ends.sort((a, b) => a - b);
  return { paused: ends.length, median: ends[Math.floor(ends.length / 2)] ?? Number.NaN };
};

const passes = (random: Random, chance: number) => (random() < chance ? 1 : 0);
const steady = (claim: number, chance: number) => (random: Random) => ({ claim, result: passes(random, chance) });

describe('the claims detector', () => {
  it('does not grow on average while results are at least as good as claims less five points', () => {
    // A result is any mixture of outcomes between 0 and 1; growth is linear in it, so its mean is all that counts.
    for (const fraction of FRACTIONS) {
      for (let i = 0; i <= 1000; i += 1) {
        const claim = i / 1000;
        const least = Math.max(0, claim - 0.05);
        for (let j = 0; j <= 20; j += 1) {
          const accuracy = least + ((1 - least) * j) / 20;
          const expected =
            accuracy * growth(fraction, { claim, result: 1 }) + (1 - accuracy) * growth(fraction, { claim, result: 0 });
          expect(expected).toBeLessThanOrEqual(1 + 1e-12);
          expect(growth(fraction, { claim, result: accuracy })).toBeCloseTo(expected, 12);
        }
        expect(growth(fraction, { claim, result: 1 })).toBeGreaterThanOrEqual(0);
      }
    }
  });

  it('grows on average once results fall short by more than five points', () => {
    for (const fraction of FRACTIONS) {
      for (let claim = 0.1; claim <= 1; claim += 0.01) {
        const accuracy = Math.min(claim, 1) - 0.06;
        expect(growth(fraction, { claim, result: accuracy })).toBeGreaterThan(1);
      }
    }
  });

  it('stays finite, positive and under its ceiling whatever is observed, and never changes what it was given', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ claim: unit, result: unit }), { maxLength: 400, size: 'max' }), (all) => {
        let state = freshClaims;
        for (const observed of all) {
          const before = structuredClone(state);
          const next = observeClaim(state, observed);
          expect(state).toEqual(before);
          expect(claimsValue(next)).toBeGreaterThanOrEqual(0);
          expect(claimsValue(next)).toBeLessThanOrEqual(1e9);
          state = next;
        }
        expect(state.graded).toBe(all.length);
        expect(state.recent).toEqual(all.slice(-10));
      }),
      { numRuns: 50 },
    );
  });

  it('pauses an agent that fails at 0.9 within 8 results, also after 30 good ones', () => {
    verifies('BW-checkin.13');
    expect(pausedAfter(20, () => ({ claim: 0.9, result: 0 }))).toBe(6);
    expect(pausedAfter(60, (i) => ({ claim: 0.9, result: i <= 30 ? 1 : 0 }))).toBe(36);
  });

  it('is not bought off by trivial successes that were claimed low', () => {
    verifies('BW-checkin.13');
    // One real job in four, claimed at 0.95 and failed; the others are claimed at 0.01 and true.
    const diluted = (i: number) => (i % 4 === 0 ? { claim: 0.95, result: 0 } : { claim: 0.01, result: 1 });
    expect(pausedAfter(400, diluted)).toBe(24);
  });

  it('places the bets of a band only on claims within it', () => {
    const low = observeClaim(freshClaims, { claim: 0.79, result: 0 }).bets;
    expect(low.map((bet) => bet > 1)).toEqual([true, true, true, false, false, false]);
    const high = observeClaim(freshClaims, { claim: 0.8, result: 0 }).bets;
    expect(high.slice(3)).toEqual(high.slice(0, 3));
  });

  it('says claim, accuracy and n in one sentence', () => {
    verifies('BW-checkin.13');
    let state = freshClaims;
    for (let i = 0; i < 36; i += 1) state = observeClaim(state, { claim: 0.9, result: i < 30 ? 1 : 0 });
    const pause = claimsPause(state);
    expect(pause.reason).toBe(
      'Claims run ahead of results: mean claim 0.90, accuracy 0.83 over n=36 graded outcomes; ' +
        'the last 10 were claimed at 0.90 and came to 0.40.',
    );
    expect(pause.evidence).toMatchObject({ detector: 'claims', limit: 1000, graded: 36, accuracy: 30 / 36 });
    expect(pause.evidence['mean_claim']).toBeCloseTo(0.9, 12);
    expect(pause.evidence['value']).toBeGreaterThanOrEqual(1000);
    expect(pause.evidence['recent']).toHaveLength(10);
  });

  it('needs five graded outcomes, however strong the evidence', () => {
    let state = freshClaims;
    for (let i = 0; i < 4; i += 1) state = observeClaim(state, { claim: 1, result: 0 });
    expect(claimsValue(state)).toBeGreaterThan(1000);
    expect(claimsDemandPause(state)).toBe(false);
    expect(claimsDemandPause(observeClaim(state, { claim: 1, result: 0 }))).toBe(true);
  });

  it('leaves honest agents alone', () => {
    verifies('BW-checkin.15');
    const honest = simulate(1000, 300, (random) => {
      const claim = 0.5 + 0.45 * random();
      return { claim, result: passes(random, claim) };
    });
    expect(honest.paused).toBeLessThanOrEqual(10);
    expect(simulate(1000, 300, steady(0.8, 0.9)).paused).toBe(0);
  });

  // Published figures of the same simulations: 1, 15, 883 at 140, 1000 at 31, 1000 at 6. The bounds leave room for
  // another generator: five standard deviations of the count.
  it.each([
    { name: 'always 0.95, and true', claim: 0.95, chance: 0.95, least: 0, most: 8, median: [0, 300] },
    { name: 'five points worse than claimed', claim: 0.9, chance: 0.85, least: 0, most: 40, median: [0, 300] },
    { name: '0.9 claimed, 0.75 true', claim: 0.9, chance: 0.75, least: 830, most: 935, median: [115, 165] },
    { name: '0.9 claimed, 0.6 true', claim: 0.9, chance: 0.6, least: 1000, most: 1000, median: [27, 35] },
    { name: '0.9 claimed, all failing', claim: 0.9, chance: 0, least: 1000, most: 1000, median: [6, 6] },
  ])('pauses as often as it should: $name', ({ claim, chance, least, most, median }) => {
    const { paused, median: middle } = simulate(1000, 300, steady(claim, chance));
    expect(paused).toBeGreaterThanOrEqual(least);
    expect(paused).toBeLessThanOrEqual(most);
    if (paused > 0) {
      expect(middle).toBeGreaterThanOrEqual(median[0]!);
      expect(middle).toBeLessThanOrEqual(median[1]!);
    }
  });
});
