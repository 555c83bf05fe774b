import { hash } from 'node:crypto';

const hashOf = (value: unknown): string | undefined =>
  value === undefined ? undefined : hash('sha256', JSON.stringify(value));

/** Payload of `ets_pg_divergence`: which row of which store differed, and both sides by hash, never by value (W3-10.08). */
export const divergencePayload = (
  store: string,
  key: string,
  live: unknown,
  stored: unknown,
): Readonly<Record<string, unknown>> => ({
  store,
  key,
  ets_value_hash: hashOf(live),
  pg_value_hash: hashOf(stored),
});
