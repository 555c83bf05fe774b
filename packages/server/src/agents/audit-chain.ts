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

/** The hash of a row: over everything that it says and the hash of the row before it. */
export const chainHash = (row: {
  readonly prevHash: string;
  readonly agentId: string;
  readonly chainIndex: number;
  readonly eventId: string;
  readonly ts: string;
  readonly type: string;
  readonly payload: unknown;
}): string =>
  hash(
    'sha256',
    canonicalJson([row.prevHash, row.agentId, row.chainIndex, row.eventId, row.ts, row.type, row.payload]),
  );

/**
 * Chains rows onto an agent's trail: each row's hash covers the hash before it, so that an altered, missing or reordered
 * row shows. The caller commits the rows together with the new end of the chain.
 */
export const chain = (
  agentId: string,
  end: ChainEnd,
  drafts: readonly AuditDraft[],
  now: number,
  nextId: () => string,
): { rows: AuditRow[]; end: ChainEnd } => {
  const ts = new Date(now).toISOString();
  let { auditHead, auditCount } = end;
  const rows = drafts.map(({ type, payload }): AuditRow => {
    const eventId = nextId();
    const prevHash = auditHead;
    auditCount += 1;
    auditHead = chainHash({ prevHash, agentId, chainIndex: auditCount, eventId, ts, type, payload });
    return { type, payload, eventId, ts, chainIndex: auditCount, prevHash, hash: auditHead };
  });
  return { rows, end: { auditHead, auditCount } };
};
