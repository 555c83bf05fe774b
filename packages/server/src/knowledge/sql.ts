import type { Statement } from '../postgres/index.ts';
import type { Patch } from './rules/changing.ts';
import type { ClosureClass, Finding, ResponseType, Severity, Status } from './rules/finding.ts';
import { iso } from '../runtime/index.ts';

/** Everything of a finding but its details and its search vector. */
export const COLUMNS = `d.id, d.agent_id, d.type, d.severity, d.status, d.created_at, d.updated_at, d.resolved_at, d.archived_at,
  d.summary, coalesce(char_length(d.details), 0) AS details_length, d.tags, d.references_files, d.related_to, d.response_to_id,
  d.response_type, d.confidence, d.provenance, d.provenance_chain, d.epoch, d.closure_class, d.closure_evidence,
  d.resolution_notes, d.resolved_by, d.superseded_by`;

/** A row of {@link COLUMNS}; times in ms. */
export interface FindingRow {
  readonly id: string;
  readonly agent_id: string;
  readonly type: string;
  readonly severity: Severity;
  readonly status: Status;
  readonly created_at: number;
  readonly updated_at: number | null;
  readonly resolved_at: number | null;
  readonly archived_at: number | null;
  readonly summary: string;
  readonly details_length: number;
  readonly tags: readonly string[];
  readonly references_files: readonly string[];
  readonly related_to: readonly string[];
  readonly response_to_id: string | null;
  readonly response_type: ResponseType | null;
  readonly confidence: number | null;
  readonly provenance: Finding['provenance'];
  readonly provenance_chain: Finding['provenanceChain'];
  readonly epoch: number;
  readonly closure_class: ClosureClass | null;
  readonly closure_evidence: Finding['closureEvidence'];
  readonly resolution_notes: string | null;
  readonly resolved_by: string | null;
  readonly superseded_by: string | null;
}

export const findingFromRow = (row: FindingRow): Finding => ({
  id: row.id,
  agentId: row.agent_id,
  type: row.type,
  severity: row.severity,
  status: row.status,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  resolvedAt: row.resolved_at,
  archivedAt: row.archived_at,
  summary: row.summary,
  detailsLength: row.details_length,
  tags: row.tags,
  files: row.references_files,
  relatedTo: row.related_to,
  responseTo: row.response_to_id === null ? null : { id: row.response_to_id, type: row.response_type ?? 'extend' },
  confidence: row.confidence,
  provenance: row.provenance,
  provenanceChain: row.provenance_chain,
  epoch: row.epoch,
  closureClass: row.closure_class,
  closureEvidence: row.closure_evidence,
  resolutionNotes: row.resolution_notes,
  resolvedBy: row.resolved_by,
  supersededBy: row.superseded_by,
});

export const selectFindings = (ids: readonly string[]): Statement => ({
  name: 'knowledge.findings',
  text: `SELECT ${COLUMNS} FROM knowledge.discoveries d WHERE d.id = ANY($1::text[]) ORDER BY d.id`,
  values: [ids],
});

/** The same, held for the rest of the transaction, in the order of their ids. */
export const lockFindings = (ids: readonly string[]): Statement => ({
  name: 'knowledge.lock',
  text: `SELECT ${COLUMNS} FROM knowledge.discoveries d WHERE d.id = ANY($1::text[]) ORDER BY d.id FOR NO KEY UPDATE`,
  values: [ids],
});

/** The first characters of details. */
export const selectDetails = (ids: readonly string[], most: number): Statement => ({
  name: 'knowledge.details',
  text: `SELECT id, left(details, $2) AS text, char_length(details) > $2 AS more
         FROM knowledge.discoveries WHERE id = ANY($1::text[]) AND details IS NOT NULL`,
  values: [ids, most],
});

export const selectWholeDetails = (id: string): Statement => ({
  name: 'knowledge.whole_details',
  text: `SELECT coalesce(details, '') AS text FROM knowledge.discoveries WHERE id = $1`,
  values: [id],
});

/** Keeps writers without an agent's row to lock from spending one budget twice. */
export const lockWriter = (writerId: string): Statement => ({
  name: 'knowledge.lock_writer',
  text: 'SELECT pg_advisory_xact_lock(7204130, hashtext($1))',
  values: [writerId],
});

/** When the writer stored what it did since `since`, oldest first. */
export const selectSpent = (writerId: string, since: number): Statement => ({
  name: 'knowledge.spent',
  text: `SELECT "timestamp" AS at FROM knowledge.rate_limits WHERE agent_id = $1 AND "timestamp" > $2::timestamptz
         ORDER BY "timestamp"`,
  values: [writerId, iso(since)],
});

/** A finding that is new. `id` is the instant of its birth, to the microsecond. */
export interface NewFinding {
  readonly id: string;
  readonly agentId: string;
  readonly type: string;
  readonly severity: Severity;
  readonly summary: string;
  readonly details: string | null;
  readonly tags: readonly string[];
  readonly files: readonly string[];
  readonly relatedTo: readonly string[];
  readonly responseToId: string | null;
  readonly responseType: string | null;
  readonly confidence: number | null;
  readonly provenance: Readonly<Record<string, unknown>>;
  readonly provenanceChain: readonly Readonly<Record<string, unknown>>[] | null;
  readonly epoch: number;
}

/** Stores new findings and charges their writers' budgets; returns the ids that were free. */
export const insertFindings = (findings: readonly NewFinding[]): Statement => ({
  name: 'knowledge.insert',
  text: `WITH made AS (
           INSERT INTO knowledge.discoveries (id, agent_id, type, severity, created_at, summary, details, tags,
             references_files, related_to, response_to_id, response_type, confidence, provenance, provenance_chain, epoch)
           SELECT n.id, n."agentId", n.type, n.severity, n.id::timestamptz, n.summary, n.details, n.tags, n.files, n."relatedTo",
                  n."responseToId", n."responseType", n.confidence, n.provenance, n."provenanceChain", n.epoch
           FROM jsonb_to_recordset($1::jsonb) AS n (id text, "agentId" text, type text, severity text, summary text,
             details text, tags text[], files text[], "relatedTo" text[], "responseToId" text, "responseType" text,
             confidence float8, provenance jsonb, "provenanceChain" jsonb, epoch int)
           ON CONFLICT (id) DO NOTHING
           RETURNING id, agent_id, created_at
         ), charged AS (
           INSERT INTO knowledge.rate_limits (agent_id, "timestamp") SELECT agent_id, created_at FROM made
         )
         SELECT id FROM made`,
  values: [JSON.stringify(findings)],
});

/** One finding that points at another. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly type: 'RELATED_TO' | 'RESPONDS_TO' | 'SUPERSEDES';
  readonly responseType: string | null;
  /** How near the two are, 0 to 1. */
  readonly weight: number;
}

export const insertEdges = (edges: readonly Edge[], by: string, now: number): Statement => ({
  name: 'knowledge.edges',
  text: `INSERT INTO knowledge.discovery_edges (src_id, dst_id, edge_type, response_type, weight, created_at, created_by)
         SELECT *, $6::timestamptz, $7 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::float8[])
         ON CONFLICT DO NOTHING`,
  values: [
    edges.map((edge) => edge.from),
    edges.map((edge) => edge.to),
    edges.map((edge) => edge.type),
    edges.map((edge) => edge.responseType),
    edges.map((edge) => edge.weight),
    iso(now),
    by,
  ],
});

const json = (value: unknown) => (value === undefined || value === null ? null : JSON.stringify(value));
const time = (ms: number | null | undefined) => (ms === null || ms === undefined ? null : iso(ms));

/** How each part of a patch is written. */
const PATCHED: {
  readonly [K in keyof Required<Patch>]: readonly [column: string, type: string, value: (given: never) => unknown];
} = {
  status: ['status', 'text', String],
  summary: ['summary', 'text', String],
  details: ['details', 'text', String],
  type: ['type', 'text', String],
  severity: ['severity', 'text', String],
  tags: ['tags', 'text[]', (tags) => tags],
  resolutionNotes: ['resolution_notes', 'text', (text) => text],
  closureClass: ['closure_class', 'text', (text) => text],
  closureEvidence: ['closure_evidence', 'jsonb', json],
  supersededBy: ['superseded_by', 'text', (id) => id],
  resolvedAt: ['resolved_at', 'timestamptz', time],
  resolvedBy: ['resolved_by', 'text', (by) => by],
  archivedAt: ['archived_at', 'timestamptz', time],
};

/** Writes what a patch holds. The caller holds the row. */
export const updateFinding = (id: string, patch: Patch, now: number): Statement => {
  const given = Object.entries(patch) as [keyof Patch, never][];
  const sets = given.map(([key], i) => `${PATCHED[key][0]} = $${i + 3}::${PATCHED[key][1]}`);
  return {
    text: `UPDATE knowledge.discoveries SET updated_at = $2::timestamptz, ${sets.join(', ')} WHERE id = $1`,
    values: [id, iso(now), ...given.map(([key, value]) => PATCHED[key][2](value))],
  };
};

/** An audit row outside of every chain: of a read, and of a writer that has no trail of its own. */
export const insertAuditRow = (row: {
  readonly eventId: string;
  readonly at: number;
  readonly agentId: string | null;
  readonly type: string;
  readonly payload: Readonly<Record<string, unknown>>;
}): Statement => ({
  name: 'knowledge.audit_row',
  text: `INSERT INTO audit.events (ts, event_id, agent_id, event_type, payload) VALUES ($1::timestamptz, $2, $3, $4, $5::jsonb)`,
  values: [iso(row.at), row.eventId, row.agentId, row.type, JSON.stringify(row.payload)],
});

/** The newest findings that share a tag and are still looked at. */
export const selectSharingTags = (tags: readonly string[], most: number): Statement => ({
  text: `SELECT d.id, d.tags, d.summary, d.agent_id FROM knowledge.discoveries d
         WHERE d.tags && $1::text[] AND d.status IN ('open', 'disputed', 'resolved')
         ORDER BY d.created_at DESC LIMIT $2`,
  values: [tags, most],
});
