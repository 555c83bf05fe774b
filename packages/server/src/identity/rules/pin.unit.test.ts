import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { isDispatchedChild, pinDecision, pinScopes } from './pin.ts';

const origin = {
  address: '1.2.3.4',
  userAgent: 'agent/1',
  clientHint: undefined,
  modelFamily: undefined,
  modelGiven: false,
};

describe('the scopes of a pin', () => {
  it('case 11: hold the whole address; a connection without one has no pin', () => {
    const here = pinScopes(origin);
    expect(here).toHaveLength(1);
    expect(pinScopes({ ...origin, address: '9.9.9.9' })).not.toEqual(here);
    expect(pinScopes({ ...origin, userAgent: 'agent/2' })).not.toEqual(here);
    expect(pinScopes({ ...origin, address: undefined })).toEqual([]);
    expect(pinScopes({ ...origin, userAgent: undefined })).toEqual([]);
    expect(pinScopes({ ...origin, userAgent: '' })).toEqual([]);
  });

  it('case A8: tell two addresses of IPv6 apart that begin alike', () => {
    const at = (address: string) => pinScopes({ ...origin, address });
    expect(at('2001:db8::1')).not.toEqual(at('2001:db8::2'));
    expect(at('::1')).not.toEqual(at('::2'));
  });

  it('case 12: are three with a hint and a model, and no bare one', () => {
    const scopes = pinScopes({ ...origin, clientHint: 'cursor', modelFamily: 'claude', modelGiven: true });
    expect(scopes).toHaveLength(3);
    expect(scopes).not.toContain(pinScopes(origin)[0]);
    expect(new Set(scopes).size).toBe(3);
  });

  it('case 15: leave the bare one out when a hint or a model is there', () => {
    const [bare] = pinScopes(origin);
    expect(pinScopes({ ...origin, clientHint: 'cursor' })).not.toContain(bare);
    expect(pinScopes({ ...origin, modelFamily: 'claude', modelGiven: true })).not.toContain(bare);
    // A family that only the user agent gives away leaves it in.
    expect(pinScopes({ ...origin, modelFamily: 'claude' })).toContain(bare);
    expect(pinScopes({ ...origin, clientHint: 'unknown' })).toEqual([bare]);
  });

  it('cannot be made alike by what stands in them', () => {
    const a = pinScopes({ ...origin, userAgent: 'a","b', clientHint: 'c' });
    const b = pinScopes({ ...origin, userAgent: 'a', clientHint: 'b","c' });
    expect(a).not.toEqual(b);
  });
});

describe('what a pin does', () => {
  it('cases 18, 20: under enforce nothing but a report; observe resumes and reports; off resumes', () => {
    verifies('W3-3.06');
    expect(pinDecision('enforce', 'a', undefined)).toEqual({ resume: false, report: true });
    expect(pinDecision('observe', 'a', undefined)).toEqual({ resume: true, report: true });
    expect(pinDecision('off', 'a', undefined)).toEqual({ resume: true, report: false });
    for (const mode of ['off', 'observe', 'enforce'] as const) {
      expect(pinDecision(mode, undefined, undefined)).toEqual({ resume: false, report: false });
    }
  });

  it('case 19: an agent_id passes the check unreported, and a pin of another agent is not used', () => {
    verifies('W3-3.06');
    for (const mode of ['off', 'observe', 'enforce'] as const) {
      expect(pinDecision(mode, 'a', 'a').report).toBe(false);
      expect(pinDecision(mode, 'a', 'b')).toEqual({ resume: false, report: false });
    }
  });

  it('case 17: only a declared child leaves the pin of its parent alone', () => {
    for (const reason of ['subagent', 'dialectic_reviewer', 'dispatch']) expect(isDispatchedChild(reason)).toBe(true);
    for (const reason of [null, '', 'new_session', 'Subagent']) expect(isDispatchedChild(reason)).toBe(false);
  });
});
