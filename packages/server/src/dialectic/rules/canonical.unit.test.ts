import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { canonicalPayload, resolutionHash, resolutionText, sign, verify, type Signed } from './canonical.ts';

const KEY_A = 'test-key-A';
const KEY_B = 'test-key-B';

const resolution = (change: Partial<Signed> = {}): Signed => ({
  action: 'resume',
  conditions: ['b', 'a'],
  rootCause: 'rc',
  reasoning: 'rs',
  timestamp: '2026-05-13T12:00:00+00:00',
  signatureA: '',
  signatureB: '',
  signatureVersion: 2,
  ...change,
});
const signed = (change: Partial<Signed> = {}): Signed => {
  const unsigned = resolution(change);
  return { ...unsigned, signatureA: sign(unsigned, KEY_A), signatureB: sign(unsigned, KEY_B), ...change };
};
const conditionsIn = (payload: string): unknown => (JSON.parse(payload) as { conditions: unknown }).conditions;

describe('the payload that is signed', () => {
  it('case 40: is the same for the conditions in another order, and so is the signature', () => {
    verifies('BW-dialectic.01', 'W3-5.07');
    const [one, other] = [resolution({ conditions: ['b', 'a'] }), resolution({ conditions: ['a', 'b'] })];
    expect(canonicalPayload(one)).toBe(
      '{"action": "resume", "conditions": ["a", "b"], "reasoning": "rs", "root_cause": "rc", ' +
        '"timestamp": "2026-05-13T12:00:00+00:00"}',
    );
    expect(canonicalPayload(other)).toBe(canonicalPayload(one));
    expect(sign(other, KEY_A)).toBe(sign(one, KEY_A));
    expect(sign(other, KEY_A)).not.toBe(sign(one, KEY_B));
    expect(one.conditions).toEqual(['b', 'a']);
    expect(sign(resolution({ conditions: ['a', 'b', 'b'] }), KEY_A)).not.toBe(sign(one, KEY_A));
  });

  it('case 41: has its conditions in the order of code points', () => {
    verifies('BW-dialectic.01');
    const inOrder = ['', '\ud800', '\ue000', '\ufb01', '\ufb01a', '\u{10000}', '\u{1f600}', '\u{1f600}z'];
    expect(conditionsIn(canonicalPayload(resolution({ conditions: inOrder.toReversed() })))).toEqual(inOrder);
  });

  it('case 42: is printable ASCII, whatever the texts hold', () => {
    verifies('BW-dialectic.01');
    const payload = canonicalPayload(
      resolution({ reasoning: '\x7f\u2028\u{1f600}é\ud83d/~ \0\x1f\b\t\n\f\r"\\', conditions: null }),
    );
    expect(payload).toContain(
      String.raw`"reasoning": "\u007f\u2028\ud83d\ude00\u00e9\ud83d/~ \u0000\u001f\b\t\n\f\r\"\\"`,
    );
    expect(payload).toContain('"conditions": []');
    expect(payload).toMatch(/^[ -~]*$/);
    expect(canonicalPayload(resolution({ rootCause: null }))).toContain('"root_cause": null');
  });
});

describe('signatures', () => {
  it('hold for what was signed and for nothing else', () => {
    verifies('BW-dialectic.01', 'W3-5.07');
    const good = signed();
    expect(good.signatureA).toMatch(/^[0-9a-f]{64}$/);
    expect(verify(good, KEY_A, KEY_B)).toBe(true);
    expect(verify({ ...good, conditions: ['a', 'b'] }, KEY_A, KEY_B)).toBe(true);
    expect(verify(good, KEY_B, KEY_A)).toBe(false);
    for (const change of [
      { action: 'block' },
      { conditions: ['a'] },
      { rootCause: 'other' },
      { reasoning: 'other' },
      { timestamp: '2026-05-13T12:00:01+00:00' },
      { signatureA: good.signatureB },
      { signatureB: good.signatureA },
      { signatureA: good.signatureA.toUpperCase() },
    ] as const) {
      expect(verify({ ...good, ...change }, KEY_A, KEY_B), JSON.stringify(change)).toBe(false);
    }
  });

  it('case 43: of an empty key are empty and never hold', () => {
    verifies('BW-dialectic.01');
    expect(sign(resolution(), '')).toBe('');
    const good = signed();
    expect(verify({ ...good, signatureA: '' }, '', KEY_B)).toBe(false);
    expect(verify({ ...good, signatureB: '' }, KEY_A, '')).toBe(false);
    expect(verify(good, '', KEY_B)).toBe(false);
    expect(verify({ ...good, signatureA: '' }, KEY_A, KEY_B)).toBe(false);
    expect(verify({ ...good, signatureB: '' }, KEY_A, KEY_B)).toBe(false);
  });

  it('case 44: of another scheme never hold', () => {
    verifies('BW-dialectic.01');
    for (const signatureVersion of [1, 3, 0, Number.NaN]) {
      expect(verify(signed({ signatureVersion }), KEY_A, KEY_B)).toBe(false);
    }
  });

  it('that are no signatures are false and no exception', () => {
    verifies('BW-dialectic.01');
    for (const text of ['é', 'é'.repeat(32), 'é'.repeat(64), 'zz', '\ud800', '0'.repeat(64), '0'.repeat(10_000)]) {
      expect(verify(signed({ signatureA: text }), KEY_A, KEY_B)).toBe(false);
      expect(verify(signed({ signatureB: text }), KEY_A, KEY_B)).toBe(false);
    }
  });
});

describe('the hash of a resolution', () => {
  it('covers every field, the signatures, the scheme and the order of the conditions', () => {
    verifies('BW-dialectic.01', 'W3-5.07');
    const good = signed();
    expect(resolutionText(resolution())).toBe(
      '{"action": "resume", "conditions": ["b", "a"], "reasoning": "rs", "root_cause": "rc", "signature_a": "", ' +
        '"signature_b": "", "signature_version": 2, "timestamp": "2026-05-13T12:00:00+00:00"}',
    );
    const hashes = [
      good,
      { ...good, signatureA: 'x' },
      { ...good, signatureB: 'x' },
      { ...good, signatureVersion: 1 },
      { ...good, conditions: ['a', 'b'] },
      { ...good, rootCause: null },
    ].map(resolutionHash);
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(resolutionHash({ ...good })).toBe(hashes[0]);
  });
});
