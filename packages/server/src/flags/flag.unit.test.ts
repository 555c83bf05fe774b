import { describe, expect, it } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import { effective, FLAG_KEYS, FLAGS, flagsOfEnvironment, refusalOfSet, valueOfWord, type StoredFlag } from './flag.ts';

const stored = (value: unknown): StoredFlag => ({ value, by: 'ops', reason: null });

describe('flags', () => {
  it('have a legal default, and a description', () => {
    for (const key of FLAG_KEYS) {
      expect(FLAGS[key].values).toContain(FLAGS[key].default);
      expect(FLAGS[key].description.length).toBeGreaterThan(20);
    }
  });

  it('fall back to a record of inferred writers, and to a refused pin, when no legal value is stored', () => {
    expect(effective('identity_strict_mode', undefined, stored('nonsense')).value).toBe('observe');
    expect(effective('ipua_pin_check_mode', undefined, stored('nonsense')).value).toBe('enforce');
  });

  it('take the environment before PostgreSQL before the default, and say which', () => {
    verifies('BW-flags.01');
    const key = 'identity_strict_mode';
    expect(effective(key, 'off', stored('enforce'))).toEqual({ key, value: 'off', origin: 'environment' });
    expect(effective(key, undefined, stored('enforce'))).toEqual({ key, value: 'enforce', origin: 'postgres' });
    expect(effective(key, undefined, undefined)).toEqual({ key, value: 'observe', origin: 'default' });
  });

  it.each([['enforced'], [true], [null], [['enforce']], [{ toString: 'enforce' }]])(
    'pass an illegal stored value over: %j',
    (value) => {
      verifies('BW-flags.01');
      expect(effective('identity_strict_mode', undefined, stored(value))).toMatchObject({ origin: 'default' });
    },
  );

  it('refuse a misspelt name or value in the environment, naming the legal ones', () => {
    verifies('BW-flags.01');
    const of = (env: Record<string, string | undefined>) => flagsOfEnvironment(env);
    expect(of({ BREAKWATER_FLAG_IDENTITY_STRICT_MODE: 'strict' })).toEqual({
      problem: 'BREAKWATER_FLAG_IDENTITY_STRICT_MODE="strict" is not legal; the values are off, observe, enforce',
    });
    expect(of({ BREAKWATER_FLAG_STRICT: 'off' })).toEqual({
      problem:
        'BREAKWATER_FLAG_STRICT names no flag; the flags are identity_strict_mode, ipua_pin_check_mode, claims_review',
    });
    expect(of({ BREAKWATER_FLAG_CONSTRUCTOR: 'off' })).toHaveProperty('problem');
    expect(of({ BREAKWATER_FLAG_IPUA_PIN_CHECK_MODE: 'enforce', BREAKWATER_PORT: '1', PATH: '' })).toEqual({
      values: new Map([['ipua_pin_check_mode', 'enforce']]),
    });
  });

  it.each([
    ['no_such_flag', 'off', 'ops', 'test', 'key', 'identity_strict_mode, ipua_pin_check_mode'],
    ['__proto__', 'off', 'ops', 'test', 'key', 'identity_strict_mode'],
    ['identity_strict_mode', 'on', 'ops', 'test', 'value', 'off, observe, enforce'],
    ['identity_strict_mode', 0, 'ops', 'test', 'value', 'off, observe, enforce'],
    ['identity_strict_mode', 'off', ' ', 'test', 'who', 'who sets'],
    ['identity_strict_mode', 'off', 'ops', '', 'why', 'why'],
    ['identity_strict_mode', 'off', 'ops', 'x'.repeat(501), 'why', '500'],
  ])('refuse to set %s to %s by "%s" because "%.5s", naming %s', (key, value, who, why, field, says) => {
    verifies('BW-flags.01', 'W3-10.10');
    const refusal = refusalOfSet(key, value, who, why);
    expect(refusal).toMatchObject({ code: 'PARAMETER_ERROR', details: { field } });
    expect(refusal?.message).toContain(says);
  });

  it.each([
    ['off', 'off'],
    ['observe', 'observe'],
    ['enforce', 'enforce'],
    ['false', 'observe'],
    ['log', 'observe'],
    ['true', 'enforce'],
    ['strict', 'enforce'],
    ['enforced', 'enforce'],
  ])('understand the word %s as %s', (word, value) => {
    for (const key of FLAG_KEYS) expect(valueOfWord(key, word)).toBe(value);
  });

  it('leave every other word as it is, to be refused', () => {
    for (const word of ['on', '', 'Strict', 'toString', '__proto__']) {
      expect(valueOfWord('identity_strict_mode', word)).toBe(word);
      expect(refusalOfSet('identity_strict_mode', word, 'ops', 'drill')).toBeDefined();
    }
    expect(valueOfWord('no_such_flag', 'strict')).toBe('strict');
  });

  it('may be set to every legal value', () => {
    for (const key of FLAG_KEYS) {
      for (const value of FLAGS[key].values) expect(refusalOfSet(key, value, 'ops', 'drill')).toBeUndefined();
    }
  });
});
