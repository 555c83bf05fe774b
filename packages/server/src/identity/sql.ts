import type { Statement } from '../postgres/index.ts';
import type { Binding, BindingKind } from './binding.ts';

interface BindingRow {
  readonly credential_hash: string;
  readonly kind: BindingKind;
  readonly agent_id: string | null;
  readonly expires_at: number;
  readonly revoked_at: number | null;
}

export const bindingFromRow = (row: BindingRow): [string, Binding] => [
  row.credential_hash,
  { kind: row.kind, agentId: row.agent_id, expiresAt: row.expires_at, revokedAt: row.revoked_at },
];

const COLUMNS = 'credential_hash, kind, agent_id, expires_at, revoked_at';
const iso = (ms: number) => new Date(ms).toISOString();

/** Every binding that can still prove anything. */
export const selectBindings = (now: number): Statement => ({
  text: `SELECT ${COLUMNS} FROM core.bindings WHERE revoked_at IS NULL AND expires_at >= $1::timestamptz`,
  values: [iso(now)],
});

export const selectBindingsOf = (hashes: readonly string[]): Statement => ({
  name: 'identity.bindings_of',
  text: `SELECT ${COLUMNS} FROM core.bindings WHERE credential_hash = ANY($1::text[])`,
  values: [hashes],
});

export const insertBinding = (hash: string, binding: Binding, now: number): Statement => ({
  name: 'identity.insert_binding',
  text: `INSERT INTO core.bindings (credential_hash, kind, agent_id, created_at, expires_at)
         VALUES ($1, $2, $3, $4::timestamptz, $5::timestamptz)`,
  values: [hash, binding.kind, binding.agentId, iso(now), iso(binding.expiresAt)],
});

/** Ties a transport session to an agent; a revoked or expired one stays as it is and returns no row. */
export const bindTransport = (hash: string, agentId: string, now: number): Statement => ({
  name: 'identity.bind_transport',
  text: `UPDATE core.bindings SET agent_id = $2
         WHERE credential_hash = $1 AND kind = 'mcp_session' AND revoked_at IS NULL AND expires_at >= $3::timestamptz
         RETURNING ${COLUMNS}`,
  values: [hash, agentId, iso(now)],
});

export const revokeBinding = (hash: string, now: number): Statement => ({
  name: 'identity.revoke_binding',
  text: `UPDATE core.bindings SET revoked_at = $2::timestamptz
         WHERE credential_hash = $1 AND revoked_at IS NULL RETURNING ${COLUMNS}`,
  values: [hash, iso(now)],
});

/** Bindings that stopped proving anything a week ago. */
export const pruneBindings = (now: number): Statement => ({
  text: `DELETE FROM core.bindings WHERE expires_at < $1::timestamptz OR revoked_at < $1::timestamptz`,
  values: [iso(now - 7 * 86_400_000)],
});

export type { BindingRow };
