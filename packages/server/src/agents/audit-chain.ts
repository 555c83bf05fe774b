import { hash } from 'node:crypto';
import type { AuditEventType } from '@breakwater/contract';

/** One row of the audit trail before it is chained. */
export interface AuditDraft {
  readonly type: AuditEventType;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** One chained row of `audit.events`. */
export interface AuditRow extends AuditDraft {
  readonly eventId: string;
  /** ISO 8601, UTC. */
  readonly ts: string;
  readonly chainIndex: number;
  readonly prevHash: string;
  readonly hash: string;
}

/** The end of an agent's chain: hash of its newest row and how many rows it has. */
export interface ChainEnd {
  readonly auditHead: string;
  readonly auditCount: number;
}

/**
 * JSON with object keys in code-unit order, so that a row hashes the same after PostgreSQL's jsonb reordered its keys.
 */
export const canonicalJson = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const record = value as Record<string, unknown>;
    const parts: string[] = [];
    for (const key of Object.keys(record).sort()) {
      if (record[key] !== undefined) parts.push(`${JSON.stringify(key)}:${canonicalJson(record[key])}`);
    }
    return `{${parts.join(',')}}`;
  }
  return JSON.stringify(value);
};

/** Everything that a chained row holds beside its own hash. */
export interface HashedRow {
  readonly prevHash: string;
  readonly agentId: string;
  readonly chainIndex: number;
  readonly eventId: string;
  readonly ts: string;
  readonly type: string;
  readonly payload: unknown;
  readonly sessionId: string | null;
  readonly confidence: number;
  /** The search text of the column payload_tsv, which we never write. */
  readonly searchText: string | null;
}

/** Stands before the hash of a row, and says by which rule it was made; rows of the first rule have none. */
const RULE = 'v2:';

const firstRule = (row: HashedRow): string =>
  hash(
    'sha256',
    canonicalJson([row.prevHash, row.agentId, row.chainIndex, row.eventId, row.ts, row.type, row.payload]),
  );

/** The hash of a row: over every column but the hash itself, among them that of the row before it. */
export const chainHash = (row: HashedRow): string =>
  RULE +
  hash(
    'sha256',
    canonicalJson([
      row.prevHash,
      row.agentId,
      row.chainIndex,
      row.eventId,
      row.ts,
      row.type,
      row.payload,
      row.sessionId,
      row.confidence,
      row.searchText,
    ]),
  );

/**
 * The hash that a row should have, by the rule that the stored one names: rows of earlier releases, whose hash left session and
 * confidence out, stay as good as they were. A row cannot be moved to the older rule, since its hash is part of the next.
 */
export const expectedHash = (row: HashedRow, stored: string | null): string =>
  stored?.startsWith(RULE) === false ? firstRule(row) : chainHash(row);

/** What PostgreSQL puts into the columns of a row that no writer of ours states. */
const UNSTATED = { confidence: 1, searchText: null } as const;

/**
 * Chains rows onto an agent's trail: each row's hash covers the hash before it, so that an altered, missing or reordered
 * row shows. The caller commits the rows together with the new end of the chain, and `sessionId` in their session_id.
 */
export const chain = (
  agentId: string,
  end: ChainEnd,
  drafts: readonly AuditDraft[],
  now: number,
  nextId: () => string,
  sessionId: string | null = null,
): { rows: AuditRow[]; end: ChainEnd } => {
  const ts = new Date(now).toISOString();
  let { auditHead, auditCount } = end;
  const rows = drafts.map(({ type, payload }): AuditRow => {
    const eventId = nextId();
    const prevHash = auditHead;
    auditCount += 1;
    const place = { prevHash, agentId, chainIndex: auditCount, eventId, ts, type, payload };
    auditHead = chainHash({ ...place, sessionId, ...UNSTATED });
    return { type, payload, eventId, ts, chainIndex: auditCount, prevHash, hash: auditHead };
  });
  return { rows, end: { auditHead, auditCount } };
};
