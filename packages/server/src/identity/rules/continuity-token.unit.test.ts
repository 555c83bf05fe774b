import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { derivedPrefix, issueContinuityToken, readContinuityToken } from './continuity-token.ts';

const secret = Buffer.from('0123456789abcdef0123456789abcdef');
const AGENT = 'aaaaaaaa-1111-4111-8111-111111111111';
const NOW = 1_800_000_000_400;
const claims = { secret, agentId: AGENT, modelFamily: 'claude', clientHint: 'Claude-Code', issuedAtMs: NOW };
const token = issueContinuityToken(claims);
const read = (text: string, over: { now?: number; expectedFamily?: string | undefined; secret?: Uint8Array } = {}) =>
  readContinuityToken(text, { secret, now: NOW, expectedFamily: undefined, ...over });
const payloadOf = (text: string) =>
  JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
const signed = (payload: unknown) => {
  const text = Buffer.from(JSON.stringify(payload)).toString('base64url');
  return `v1.${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
};

describe('a continuity token', () => {
  it('has the fields and the form of the reference', () => {
    verifies('W3-3.05');
    expect(token).toMatch(/^v1\.[\w-]+\.[\w-]{43}$/);
    const text = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
    expect(text).toBe(
      `{"aid":"${AGENT}","ch":"claude_code","exp":1800003600,"iat":1800000000,"mf":"claude","opv":1,` +
        `"sid":"agent-aaaaaaaa-111","v":1}`,
    );
  });

  it('case 85: lives an hour, at least a minute, with 30 s of grace, and lapsed 30 days; nothing altered is read', () => {
    verifies('W3-3.05');
    const { iat, exp } = payloadOf(token) as { iat: number; exp: number };
    expect(exp - iat).toBe(3600);
    const short = payloadOf(issueContinuityToken({ ...claims, ttlSeconds: 5 })) as { iat: number; exp: number };
    expect(short.exp - short.iat).toBe(60);
    expect(read(token, { now: (exp + 30) * 1000 })).toMatchObject({ ok: true, lapsed: false });
    expect(read(token, { now: (exp + 30) * 1000 + 1 })).toMatchObject({ ok: true, lapsed: true });
    const last = (iat + 30 * 86_400) * 1000;
    expect(read(token, { now: last })).toMatchObject({ ok: true, lapsed: true });
    expect(read(token, { now: last + 1 })).toEqual({ ok: false, reason: 'expired' });
    expect(read(token, { secret: Buffer.alloc(32, 7) })).toEqual({ ok: false, reason: 'signature' });
    expect(read(token.replace('v1.', 'v2.'))).toEqual({ ok: false, reason: 'version' });
    for (const bad of ['', 'v1', 'v1.a', 'v1..', 'v1.a.b.c', 'x'.repeat(5_000), `${token}.`]) {
      expect(read(bad).ok).toBe(false);
    }
  });

  it('is refused after any change of one character', () => {
    for (let at = 0; at < token.length; at += 1) {
      const other = token[at] === 'A' ? 'B' : 'A';
      // The last character of a base64 text has bits that mean nothing.
      if (at === token.length - 1) continue;
      expect(read(token.slice(0, at) + other + token.slice(at + 1)).ok, `at ${at}`).toBe(false);
    }
  });

  it('is refused when its signature is right and its content is none', () => {
    for (const payload of [null, 1, [], {}, { ...payloadOf(token), v: 2 }, { ...payloadOf(token), sid: '' }]) {
      expect(read(signed(payload))).toEqual({ ok: false, reason: 'malformed' });
    }
    for (const time of ['exp', 'iat']) {
      expect(read(signed({ ...payloadOf(token), [time]: '9999999999' }))).toEqual({ ok: false, reason: 'malformed' });
    }
  });

  it('case 86: of one family of models is refused to another', () => {
    expect(read(token, { expectedFamily: 'gpt' })).toEqual({ ok: false, reason: 'model_mismatch' });
    expect(read(token, { expectedFamily: 'claude' })).toMatchObject({ ok: true });
    const anyModel = issueContinuityToken({ ...claims, modelFamily: undefined });
    expect(read(anyModel, { expectedFamily: 'gpt' })).toMatchObject({ ok: true });
  });

  it('case 87: names its agent only while it is fresh, so that a proposer can be held to it', () => {
    expect(read(token)).toMatchObject({ ok: true, agentId: AGENT, lapsed: false });
    expect(read(token, { now: NOW + 31 * 86_400_000 })).not.toHaveProperty('agentId');
  });

  it('has a derivable session id inside, which is known for one', () => {
    expect(derivedPrefix('agent-aaaaaaaa-111')).toBe('aaaaaaaa-111');
    expect(derivedPrefix('AGENT-AAAAAAAA-111')).toBe('aaaaaaaa-111');
    for (const text of ['agent-', 'agent-aaaaaaaa1111', 'agent-aaaaaaaa-1111', 'aaaaaaaa-111', '']) {
      expect(derivedPrefix(text)).toBeUndefined();
    }
  });
});
