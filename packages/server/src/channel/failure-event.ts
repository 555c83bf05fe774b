import { hash } from 'node:crypto';
import type { FailureEventType, IdentityEventType } from '@breakwater/contract';
import { canonicalJson } from '../agents/index.ts';

/** A JSON object. */
export type Json = Readonly<Record<string, unknown>>;

/** A failure on its way to audit.coordination_events, or a suspicion about identity on its way to audit.events. */
export interface FailureEvent {
  readonly eventId: string;
  /** ms since the epoch, UTC. */
  readonly at: number;
  readonly type: FailureEventType | IdentityEventType;
  readonly agentId: string | null;
  /** A JSON object as text: what it says cannot change after it was emitted. */
  readonly payload: string;
}

/** Emissions are kept in memory while PostgreSQL is away; together with the number of them this bounds how much. */
const MAX_PAYLOAD = 8_192;
const MAX_INCIDENT_ID = 200;

/** PostgreSQL's JSON holds neither NUL nor half a surrogate pair; callers' text may. */
export const storable = (_key: string, value: unknown): unknown =>
  typeof value === 'string' ? value.replaceAll('\0', '\ufffd').toWellFormed() : value;

/**
 * The payload as text, with its incident's id (BW-channel.02). One that is too long keeps only that id and its size.
 * Throws on what JSON cannot say.
 */
export const payloadText = (payload: Json, newId: () => string): string => {
  const given = payload['incident_id'];
  const incident_id = typeof given === 'string' && given.length <= MAX_INCIDENT_ID ? given : newId();
  const text = JSON.stringify({ ...payload, incident_id }, storable);
  return text.length <= MAX_PAYLOAD
    ? text
    : JSON.stringify({ incident_id, truncated_from_chars: text.length }, storable);
};

const hashOf = (value: unknown): string => hash('sha256', canonicalJson(value));

/** What a difference between memory and PostgreSQL is reported as; a side without the row has no hash (W3-10.08). */
export const divergencePayload = (store: string, key: string, live: unknown, stored: unknown): Json => ({
  store,
  key,
  ...(live !== undefined && { ets_value_hash: hashOf(live) }),
  ...(stored !== undefined && { pg_value_hash: hashOf(stored) }),
});
