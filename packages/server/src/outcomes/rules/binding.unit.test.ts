import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { bindPrediction, type StoredPrediction } from './binding.ts';

const NOW = Date.UTC(2026, 5, 1);
const stored = (over: Partial<StoredPrediction> = {}): StoredPrediction => ({
  predictionId: 'p',
  agentId: 'me',
  updateIndex: 7,
  confidence: 0.8,
  source: 'reported',
  expiresAt: NOW + 1,
  consumedAt: null,
  claimClass: null,
  complexityGap: null,
  vitals: null,
  ...over,
});
const bind = (prediction: StoredPrediction | undefined, argument?: number) =>
  bindPrediction({ predictionId: 'p', stored: prediction, agentId: 'me', argument, now: NOW });

describe('binding an outcome to a claim', () => {
  it('takes the registered confidence and the check-in that made it, and uses the prediction up', () => {
    verifies('BW-outcomes.02');
    const bound = { source: 'registry', confidence: 0.8, updateIndex: 7, consume: true, claimed: true };
    expect(bind(stored())).toEqual(bound);
    expect(bind(stored(), 0.1)).toEqual(bound);
  });

  it('binds a derived confidence, but nobody claimed it', () => {
    expect(bind(stored({ source: 'derived' }))).toMatchObject({ source: 'registry', consume: true, claimed: false });
  });

  it.each([
    ['unknown', undefined],
    ['used', stored({ consumedAt: NOW - 1 })],
    ['used and expired', stored({ consumedAt: NOW - 1, expiresAt: NOW - 1 })],
    ["another agent's", stored({ agentId: 'you' })],
  ])('does not bind one that is %s, and does not tell which', (_, prediction) => {
    verifies('BW-outcomes.02');
    const unbound = {
      source: 'missing_prediction',
      confidence: null,
      updateIndex: null,
      consume: false,
      claimed: false,
    };
    expect(bind(prediction)).toEqual(unbound);
    expect(bind(prediction, 0.4)).toEqual({ ...unbound, confidence: 0.4 });
  });

  it('expires on the millisecond, and makes up no confidence', () => {
    verifies('BW-outcomes.02');
    const unbound = {
      source: 'ttl_expired_fallback',
      confidence: null,
      updateIndex: null,
      consume: false,
      claimed: false,
    };
    expect(bind(stored({ expiresAt: NOW }))).toEqual(unbound);
    expect(bind(stored({ expiresAt: NOW }), 0.4)).toEqual({ ...unbound, confidence: 0.4 });
  });

  it('without a prediction takes the argument, or nothing; neither is a claim', () => {
    const ask = (argument?: number) =>
      bindPrediction({ predictionId: undefined, stored: undefined, agentId: 'me', argument, now: NOW });
    expect(ask(0.4)).toMatchObject({ source: 'argument_fallback', confidence: 0.4, claimed: false, consume: false });
    expect(ask(0)).toMatchObject({ source: 'argument_fallback', confidence: 0 });
    expect(ask()).toMatchObject({ source: 'no_binding', confidence: null, claimed: false, consume: false });
  });

  it('never claims nor consumes but by an own, unused, unexpired, reported prediction', () => {
    verifies('BW-outcomes.02');
    const prediction = fc.record({
      agentId: fc.constantFrom('me', 'you'),
      source: fc.constantFrom('reported' as const, 'derived' as const),
      expiresAt: fc.integer({ min: NOW - 2, max: NOW + 2 }),
      consumedAt: fc.constantFrom(null, NOW),
    });
    fc.assert(
      fc.property(
        fc.option(prediction, { nil: undefined }),
        fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
        (p, a) => {
          const bound = bind(p && stored(p), a ?? undefined);
          const good = p !== undefined && p.agentId === 'me' && p.consumedAt === null && p.expiresAt > NOW;
          expect(bound.consume).toBe(good);
          expect(bound.claimed).toBe(good && p.source === 'reported');
          expect(bound.confidence).toBe(good ? 0.8 : a);
        },
      ),
    );
  });
});
