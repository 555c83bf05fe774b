import { createHmac, timingSafeEqual } from 'node:crypto';

/** How long a token is good for everywhere, in seconds. */
const TOKEN_TTL_SECONDS = 3600;
/** How long after its issue a token still resumes its agent, in ms: as long as a session secret lives. */
const RESUME_MS = 30 * 86_400_000;
const LEAST_TTL_SECONDS = 60;
/** Clocks of two machines may differ by this much. */
const SKEW_SECONDS = 30;
const MAX_LENGTH = 4096;
const VERSION = 'v1';

/** What a token says. Field names and order are the reference's, so that its clients can carry and read it (W3-3.05). */
interface Payload {
  readonly aid: string;
  readonly ch: string | null;
  readonly exp: number;
  readonly iat: number;
  readonly mf: string | null;
  readonly opv: number;
  readonly sid: string;
  readonly v: number;
}

const sign = (secret: Uint8Array, payload: string): Buffer => createHmac('sha256', secret).update(payload).digest();

/** The session id that can be made of an agent's id: a name for it, and no proof of anything. */
const derivableSessionId = (agentId: string): string => `agent-${agentId.slice(0, 12)}`;

/** The first characters of the agent's id that a derivable session id holds; undefined when it is none. */
export const derivedPrefix = (text: string): string | undefined =>
  /^agent-([0-9a-f]{8}-[0-9a-f]{3})$/i.exec(text)?.[1]?.toLowerCase();

/**
 * Makes a continuity token: `v1.<payload>.<signature>`, both base64url without padding; the payload is JSON with sorted
 * keys and no spaces, the signature HMAC-SHA256 over the payload's text (W3-3.05). `ttlSeconds` is at least a minute.
 * Of tokens made in one second for one agent, all are the same: one credential.
 */
export const issueContinuityToken = (token: {
  readonly secret: Uint8Array;
  readonly agentId: string;
  readonly modelFamily: string | undefined;
  readonly clientHint: string | undefined;
  readonly issuedAtMs: number;
  readonly ttlSeconds?: number;
}): string => {
  const iat = Math.floor(token.issuedAtMs / 1000);
  const payload: Payload = {
    aid: token.agentId,
    ch: token.clientHint?.toLowerCase().replaceAll(/[- ]/g, '_') ?? null,
    exp: iat + Math.max(LEAST_TTL_SECONDS, token.ttlSeconds ?? TOKEN_TTL_SECONDS),
    iat,
    mf: token.modelFamily ?? null,
    opv: 1,
    sid: derivableSessionId(token.agentId),
    v: 1,
  };
  const text = Buffer.from(JSON.stringify(payload)).toString('base64url');
  return `${VERSION}.${text}.${sign(token.secret, text).toString('base64url')}`;
};

/** What a token is found to be. */
export type TokenVerdict =
  | {
      readonly ok: true;
      readonly agentId: string;
      readonly expiresAt: number;
      /** Its hour is over, and its 30 days are not: it resumes its agent, and proves nothing else. */
      readonly lapsed: boolean;
    }
  | { readonly ok: false; readonly reason: 'malformed' | 'version' | 'signature' | 'expired' | 'model_mismatch' };

const isPayload = (value: unknown): value is Payload => {
  if (typeof value !== 'object' || value === null) return false;
  const { aid, exp, iat, mf, sid, v, opv } = value as Record<string, unknown>;
  const known = v === 1 && opv === 1 && (mf === null || typeof mf === 'string');
  const times = Number.isSafeInteger(exp) && Number.isSafeInteger(iat);
  return known && times && typeof aid === 'string' && typeof sid === 'string' && sid !== '';
};

const parse = (text: string): unknown => {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
};

/**
 * Reads a token. The signature is compared in constant time before anything of the payload is believed. After its
 * hour a token has lapsed; 30 days after its issue it has expired and proves nothing. A token made for one family of models is refused to another, when both are known. Never throws.
 */
export const readContinuityToken = (
  token: string,
  {
    secret,
    now,
    expectedFamily,
  }: { readonly secret: Uint8Array; readonly now: number; readonly expectedFamily: string | undefined },
): TokenVerdict => {
  const [version, text, signature, ...rest] = token.length > MAX_LENGTH ? [] : token.split('.');
  if (version === undefined || text === undefined || signature === undefined || rest.length > 0) {
    return { ok: false, reason: 'malformed' };
  }
  if (version !== VERSION) return { ok: false, reason: 'version' };
  const given = Buffer.from(signature, 'base64url');
  const right = sign(secret, text);
  if (given.length !== right.length || !timingSafeEqual(given, right)) return { ok: false, reason: 'signature' };
  const payload = parse(text);
  if (!isPayload(payload)) return { ok: false, reason: 'malformed' };
  const expiresAt = (payload.exp + SKEW_SECONDS) * 1000;
  const lapsed = now > expiresAt;
  if (lapsed && now > payload.iat * 1000 + RESUME_MS) return { ok: false, reason: 'expired' };
  if (payload.mf !== null && expectedFamily !== undefined && payload.mf !== expectedFamily) {
    return { ok: false, reason: 'model_mismatch' };
  }
  return { ok: true, agentId: payload.aid, expiresAt, lapsed };
};
