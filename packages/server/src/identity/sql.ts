import type { Statement } from '../postgres/index.ts';
import type { Binding, BindingKind } from './binding.ts';
import { iso } from '../runtime/index.ts';

export interface BindingRow {
  readonly credential_hash: string;
  readonly kind: BindingKind;
  readonly agent_id: string | null;
  readonly assurance: Binding['assurance'];
  readonly expires_at: number;
  readonly revoked_at: number | null;
  readonly name: string | null;
  readonly scopes: readonly string[] | null;
}

export const bindingFromRow = (row: BindingRow): [string, Binding] => [
  row.credential_hash,
  {
    kind: row.kind,
    agentId: row.agent_id,
    assurance: row.assurance,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    operator: row.name === null ? null : { name: row.name, act: row.scopes?.includes('operator:act') === true },
  },
];

const COLUMNS = 'credential_hash, kind, agent_id, assurance, expires_at, revoked_at, name, scopes';

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

/** What was revoked since: the announcement of it may have been missed. */
export const selectRevokedSince = (since: number): Statement => ({
  text: `SELECT ${COLUMNS} FROM core.bindings WHERE revoked_at >= $1::timestamptz`,
  values: [iso(since)],
});

/**
 * New credentials of agents, or of nobody yet; returns their rows. One that is there already stays as it is, and is not
 * returned: a token is its own repeat.
 */
export const insertBindings = (
  bindings: readonly (readonly [hash: string, Pick<Binding, 'kind' | 'agentId' | 'assurance' | 'expiresAt'>])[],
  now: number,
): Statement => ({
  name: 'identity.insert_bindings',
  text: `INSERT INTO core.bindings (credential_hash, kind, agent_id, assurance, created_at, expires_at)
         SELECT b.hash, b.kind, b.agent_id, b.assurance, $5::timestamptz, b.expires_at
         FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $6::timestamptz[])
           AS b (hash, kind, agent_id, assurance, expires_at)
         ORDER BY b.hash
         ON CONFLICT (credential_hash) DO NOTHING
         RETURNING ${COLUMNS}`,
  values: [
    bindings.map(([hash]) => hash),
    bindings.map(([, { kind }]) => kind),
    bindings.map(([, { agentId }]) => agentId),
    bindings.map(([, { assurance }]) => assurance),
    iso(now),
    bindings.map(([, { expiresAt }]) => iso(expiresAt)),
  ],
});

/**
 * Ties a transport session to an agent, and returns its row. This is the guard of a mint: unless `replace`, a session that
 * another mint has tied meanwhile stays as it is, and so does a revoked or expired one; then no row is returned
 * (BW-identity.04).
 */
export const bindTransport = (hash: string, agentId: string, replace: boolean, now: number): Statement => ({
  name: 'identity.bind_transport',
  text: `UPDATE core.bindings SET agent_id = $2
         WHERE credential_hash = $1 AND kind = 'mcp_session' AND revoked_at IS NULL AND expires_at >= $3::timestamptz
           AND ($4 OR agent_id IS NULL)
         RETURNING ${COLUMNS}`,
  values: [hash, agentId, iso(now), replace],
});

/**
 * A row when no other living agent is the resident of this name. The lock on the name, which a mint holds, makes two
 * mints of it wait for each other, on whatever node.
 */
export const onlyResident = (agentId: string, name: string): Statement => ({
  name: 'identity.only_resident',
  text: `SELECT 1 WHERE NOT EXISTS (
           SELECT 1 FROM core.agents
           WHERE id <> $1 AND label IN ($2, $2 || '_' || left(id, 8)) AND tags @> '{persistent,autonomous}'
             AND status NOT IN ('archived', 'disabled', 'deleted'))`,
  values: [agentId, name],
});

/** Writes pins. One in force is left alone when `onlyIfFree`: the child that a parent sent must not take its pin. */
export const upsertPins = (
  hashes: readonly string[],
  pin: { readonly agentId: string; readonly expiresAt: number; readonly onlyIfFree: boolean },
  now: number,
): Statement => ({
  name: 'identity.upsert_pins',
  text: `INSERT INTO core.bindings (credential_hash, kind, agent_id, assurance, created_at, expires_at)
         SELECT h, 'pin', $2, 'weak', $3::timestamptz, $4::timestamptz FROM unnest($1::text[]) AS h ORDER BY h
         ON CONFLICT (credential_hash) DO UPDATE
           SET agent_id = excluded.agent_id, created_at = excluded.created_at, expires_at = excluded.expires_at,
               revoked_at = NULL
           WHERE NOT $5 OR core.bindings.expires_at < $3::timestamptz OR core.bindings.revoked_at IS NOT NULL`,
  values: [hashes, pin.agentId, iso(now), iso(pin.expiresAt), pin.onlyIfFree],
});

/** Records where an agent was met, by hashes; a place that is known already stays as it was first seen. */
export const insertPlaces = (agentId: string, places: readonly string[], now: number): Statement => ({
  name: 'identity.insert_places',
  text: `INSERT INTO core.agent_places (agent_id, place, first_seen)
         SELECT $1, p, $3::timestamptz FROM unnest($2::text[]) AS p ORDER BY p ON CONFLICT DO NOTHING`,
  values: [agentId, places, iso(now)],
});

/** Gives used credentials a whole life again; what was revoked or has expired meanwhile stays so. */
export const renewBindings = (
  renewals: readonly (readonly [hash: string, expiresAt: number])[],
  now: number,
): Statement => ({
  name: 'identity.renew',
  text: `UPDATE core.bindings b SET expires_at = r.expires_at, last_seen_at = $3::timestamptz
         FROM unnest($1::text[], $2::timestamptz[]) AS r (hash, expires_at)
         WHERE b.credential_hash = r.hash AND b.revoked_at IS NULL AND b.expires_at >= $3::timestamptz
         RETURNING ${COLUMNS.replace('expires_at', 'b.expires_at')}`,
  values: [renewals.map(([hash]) => hash), renewals.map(([, expiresAt]) => iso(expiresAt)), iso(now)],
});

export const revokeBinding = (hash: string, now: number): Statement => ({
  name: 'identity.revoke_binding',
  text: `UPDATE core.bindings SET revoked_at = $2::timestamptz
         WHERE credential_hash = $1 AND revoked_at IS NULL RETURNING ${COLUMNS}`,
  values: [hash, iso(now)],
});

/** Revokes what proves an agent, but for `spared` credentials; transport sessions are untied instead, unless they end as well. */
export const revokeBindingsOf = (
  agentId: string,
  spared: readonly string[],
  endTransport: boolean,
  now: number,
): Statement => ({
  text: `UPDATE core.bindings
         SET revoked_at = CASE WHEN kind = 'mcp_session' AND NOT $4 THEN NULL ELSE $3::timestamptz END,
             agent_id = CASE WHEN kind = 'mcp_session' AND NOT $4 THEN NULL ELSE agent_id END
         WHERE agent_id = $1 AND revoked_at IS NULL AND NOT credential_hash = ANY($2::text[])
         RETURNING ${COLUMNS}`,
  values: [agentId, spared, iso(now), endTransport],
});

/** Bindings that stopped proving anything a week ago; tokens and pins, which are many and short-lived, a day ago. */
export const pruneBindings = (now: number): Statement => ({
  text: `DELETE FROM core.bindings
         WHERE least(expires_at, revoked_at) <
               CASE WHEN kind IN ('continuity_token', 'pin') THEN $1::timestamptz ELSE $2::timestamptz END`,
  values: [iso(now - 86_400_000), iso(now - 7 * 86_400_000)],
});

/** The server's own secret of this name, the same for every node. */
export const selectSecret = (name: string): Statement => ({
  text: 'SELECT secret FROM core.server_secrets WHERE name = $1',
  values: [name],
});

/** Keeps `fresh` as the secret of this name, unless there is one by now; returns the one that is kept. */
export const keepSecret = (name: string, fresh: string): Statement => ({
  text: `INSERT INTO core.server_secrets (name, secret) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING secret`,
  values: [name, Buffer.from(fresh)],
});

/** What a caller says of the process that it runs in. */
export interface ProcessReport {
  readonly host_id: string;
  readonly pid: number;
  readonly pid_start_time: number;
  readonly transport?: string | undefined;
  readonly ppid?: number | undefined;
  readonly tty?: string | undefined;
  readonly anchor_path_hash?: string | undefined;
}

export interface ProcessRow {
  /** Processes of the agent that are live, this one among them. */
  readonly live: number;
  readonly concurrent_allowed: boolean;
  readonly parent_consistent: boolean | null;
}

/** Records that an agent says it runs in a process; returns what else is known to run it. Nothing follows from it. */
export const recordProcess = (
  agentId: string,
  parentAgentId: string | null,
  report: ProcessReport,
  now: number,
): Statement => ({
  name: 'identity.record_process',
  text: `WITH own AS (
           INSERT INTO core.agent_process_bindings AS b (agent_id, host_id, pid, pid_start_time, transport, ppid, tty,
             anchor_path_hash, onboard_ts, last_seen, same_host_ppid_consistent)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::timestamptz, $9::timestamptz,
             (SELECT p.pid = $6 FROM core.agent_process_bindings p
              WHERE p.agent_id = $10 AND p.host_id = $2 ORDER BY p.last_seen DESC LIMIT 1))
           ON CONFLICT (agent_id, host_id, pid, pid_start_time, transport)
             DO UPDATE SET last_seen = excluded.last_seen, stale_at = NULL
           RETURNING id, same_host_ppid_consistent
         )
         SELECT o.same_host_ppid_consistent AS parent_consistent, a.allow_concurrent_contexts AS concurrent_allowed,
                1 + (SELECT count(*)::int FROM core.agent_process_bindings p
                     WHERE p.agent_id = $1 AND p.id <> o.id AND p.stale_at IS NULL
                       AND p.last_seen > $9::timestamptz - interval '300 seconds') AS live
         FROM own o JOIN core.agents a ON a.id = $1`,
  values: [
    agentId,
    report.host_id,
    report.pid,
    report.pid_start_time,
    report.transport ?? 'unknown',
    report.ppid ?? null,
    report.tty ?? null,
    report.anchor_path_hash ?? null,
    iso(now),
    parentAgentId,
  ],
});

/** When a process last said that it runs an agent. */
export const selectLastSeen = (agentId: string): Statement => ({
  text: `SELECT max(last_seen) AS last_seen FROM core.agent_process_bindings WHERE agent_id = $1 AND stale_at IS NULL`,
  values: [agentId],
});

/** What a new agent has in common with one that is paused, and how many successors that has. */
export interface CommonRow {
  readonly agent_id: string;
  readonly mcp_session: boolean;
  readonly process: boolean;
  readonly address_and_program: boolean;
  readonly known: number;
}

/** Which of the paused agents were met where the new one is; by keys of each, so that a crowded place costs nothing. */
export const selectCommon = (
  paused: readonly string[],
  seen: {
    readonly place: string | undefined;
    readonly session: string | undefined;
    readonly process: Pick<ProcessReport, 'host_id' | 'pid' | 'pid_start_time'> | undefined;
  },
): Statement => ({
  name: 'identity.common_with_paused',
  text: `SELECT * FROM (
           SELECT held.agent AS agent_id,
             EXISTS (SELECT FROM core.agent_places p WHERE p.agent_id = held.agent AND p.place = $3) AS mcp_session,
             EXISTS (SELECT FROM core.agent_process_bindings b
                     WHERE b.agent_id = held.agent AND b.host_id = $4 AND b.pid = $5 AND b.pid_start_time = $6) AS process,
             EXISTS (SELECT FROM core.agent_places p WHERE p.agent_id = held.agent AND p.place = $2) AS address_and_program,
             (SELECT count(*)::int FROM core.successors s WHERE s.paused_agent_id = held.agent) AS known
           FROM unnest($1::text[]) AS held (agent)
         ) AS c WHERE mcp_session OR process OR address_and_program`,
  values: [
    paused,
    seen.place ?? null,
    seen.session ?? null,
    seen.process?.host_id ?? null,
    seen.process?.pid ?? null,
    seen.process?.pid_start_time ?? null,
  ],
});

/** Links a new agent to those that it may go on for. */
export const insertSuccessions = (
  successorId: string,
  predecessors: readonly {
    readonly agentId: string;
    readonly actuationId: string;
    readonly evidence: readonly string[];
  }[],
  now: number,
): Statement => ({
  name: 'identity.insert_successions',
  text: `INSERT INTO core.successors (paused_agent_id, successor_agent_id, actuation_id, evidence, linked_at)
         SELECT p->>'agentId', $1, p->>'actuationId', ARRAY(SELECT jsonb_array_elements_text(p->'evidence')), $3::timestamptz
         FROM jsonb_array_elements($2::jsonb) AS p ORDER BY p->>'agentId'`,
  values: [successorId, JSON.stringify(predecessors), iso(now)],
});
