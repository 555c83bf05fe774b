import type { Statement } from '../postgres/index.ts';
import type { FlagChange, StoredFlag } from './flag.ts';

export interface FlagRow {
  readonly key: string;
  readonly value: unknown;
  readonly updated_by: string;
  readonly reason: string | null;
}

export const flagFromRow = (row: FlagRow): StoredFlag => ({ value: row.value, by: row.updated_by, reason: row.reason });

const SELECT = `
  SELECT f.key, f.value, f.updated_by, h.reason
  FROM core.feature_flags f
  LEFT JOIN LATERAL (
    SELECT reason FROM core.feature_flag_history WHERE key = f.key ORDER BY id DESC LIMIT 1
  ) h ON true`;

export const selectFlags = (): Statement => ({ text: SELECT });

/** Holds the row until the transaction ends, so that the history names the value that was really replaced. */
export const lockFlag = (key: string): Statement => ({
  text: 'SELECT value FROM core.feature_flags WHERE key = $1 FOR NO KEY UPDATE',
  values: [key],
});

export const upsertFlag = (key: string, { value, by }: StoredFlag): Statement => ({
  text: `INSERT INTO core.feature_flags (key, value, updated_by) VALUES ($1, $2::jsonb, $3)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_by = excluded.updated_by, updated_at = now()`,
  values: [key, JSON.stringify(value), by],
});

/** `old` is null when the flag had no row. */
export const insertHistory = (key: string, old: unknown, { value, by, reason }: StoredFlag): Statement => ({
  text: `INSERT INTO core.feature_flag_history (key, old_value, new_value, changed_by, reason)
         VALUES ($1, $2::jsonb, $3::jsonb, $4, $5)`,
  values: [key, old === undefined ? null : JSON.stringify(old), JSON.stringify(value), by, reason],
});

/** The newest changes first, of one flag or (null) of all; rows are {@link FlagChange}s. */
export const selectHistory = (key: FlagChange['key'] | null, limit: number): Statement => ({
  text: `SELECT key, old_value AS "from", new_value AS "to", changed_at AS at, changed_by AS by, reason
         FROM core.feature_flag_history WHERE $1::text IS NULL OR key = $1 ORDER BY id DESC LIMIT $2`,
  values: [key, limit],
});
