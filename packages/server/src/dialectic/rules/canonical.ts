import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { Resolution } from '../session.ts';
import { byCodePoint } from './text.ts';

/** The part of a resolution that is signed. Texts that are not there are null; no conditions are none. */
export interface Signable {
  readonly action: Resolution['action'];
  readonly conditions: readonly string[] | null;
  readonly rootCause: string | null;
  readonly reasoning: string | null;
  readonly timestamp: string;
}

/** A resolution with its signatures, in whatever scheme it was signed. */
export interface Signed extends Signable {
  readonly signatureA: string;
  readonly signatureB: string;
  readonly signatureVersion: number;
}

type Value = string | number | null | readonly string[];

/** The one scheme that verifies. */
const SCHEME = 2;

const ascii = (json: string): string =>
  // One escape for each UTF-16 unit: a pair becomes two, and a lone half is kept.
  json.replace(/[\x7f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

const jsonOf = (value: Value): string =>
  typeof value === 'object' && value !== null
    ? `[${value.map((text) => JSON.stringify(text)).join(', ')}]`
    : JSON.stringify(value);

/** Keys in order, `, ` and `: ` between, and nothing but printable ASCII. */
const canonical = (record: Readonly<Record<string, Value>>): string =>
  ascii(
    `{${Object.keys(record)
      .sort()
      .map((key) => `${JSON.stringify(key)}: ${jsonOf(record[key] ?? null)}`)
      .join(', ')}}`,
  );

/**
 * What is signed of a resolution, as text of printable ASCII (spec dialectic C.7). The order of the conditions makes no
 * difference, their number does. It names neither the session nor the agents, so it holds for any session of both keys.
 */
export const canonicalPayload = ({ action, conditions, rootCause, reasoning, timestamp }: Signable): string =>
  canonical({
    action,
    conditions: (conditions ?? []).toSorted(byCodePoint),
    root_cause: rootCause,
    reasoning,
    timestamp,
  });

/** HMAC-SHA256 of the payload under the agent's key, in lower-case hex; '' for an empty key (spec dialectic C.7). */
export const sign = (resolution: Signable, key: string): string =>
  key === '' ? '' : createHmac('sha256', key).update(canonicalPayload(resolution)).digest('hex');

const isSignature = (claimed: string, resolution: Signable, key: string): boolean => {
  if (claimed === '' || key === '') return false;
  const [given, wanted] = [Buffer.from(claimed), Buffer.from(sign(resolution, key))];
  // The comparison throws on unequal lengths, and the length is no secret.
  return given.length === wanted.length && timingSafeEqual(given, wanted);
};

/**
 * Whether both signatures hold, in time that does not tell how far they agree (spec dialectic C.7). Another scheme, an empty
 * key or an empty or malformed signature is false; nothing makes it throw.
 */
export const verify = (resolution: Signed, keyA: string, keyB: string): boolean =>
  resolution.signatureVersion === SCHEME &&
  isSignature(resolution.signatureA, resolution, keyA) &&
  isSignature(resolution.signatureB, resolution, keyB);

/** What `resolutionHash` is taken of: every field, signatures and scheme included, the conditions in their own order. */
export const resolutionText = (resolution: Signed): string =>
  canonical({
    action: resolution.action,
    conditions: resolution.conditions,
    root_cause: resolution.rootCause,
    reasoning: resolution.reasoning,
    signature_a: resolution.signatureA,
    signature_b: resolution.signatureB,
    timestamp: resolution.timestamp,
    signature_version: resolution.signatureVersion,
  });

/** SHA-256 of the whole resolution, in lower-case hex (spec dialectic C.8). */
export const resolutionHash = (resolution: Signed): string => hash('sha256', resolutionText(resolution));
