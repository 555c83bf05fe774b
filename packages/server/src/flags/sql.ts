import type { Statement } from '../postgres/index.ts';

export interface FlagRow {
  readonly key: string;
  readonly value: unknown;
}

export const selectAll = (): Statement => ({ text: 'SELECT key, value FROM core.feature_flags' });

export const selectOne = (key: string): Statement => ({
  name: 'flags.one',
  text: 'SELECT key, value FROM core.feature_flags WHERE key = $1',
  values: [key],
});

/** Sets a flag and writes down who changed it and why; one statement, so both or neither. */
export const setFlag = (key: string, value: unknown, who: string, why: string): Statement => ({
  text: `WITH old AS (SELECT value FROM core.feature_flags WHERE key = $1 FOR UPDATE),
         flag AS (
           INSERT INTO core.feature_flags (key, value, updated_by) VALUES ($1, $2::jsonb, $3)
           ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = now(), updated_by = excluded.updated_by
         )
         INSERT INTO core.feature_flag_history (key, old_value, new_value, changed_by, reason)
         VALUES ($1, (SELECT value FROM old), $2::jsonb, $3, $4)`,
  values: [key, JSON.stringify(value), who, why],
});

export const selectHistory = (key: string): Statement => ({
  text: `SELECT old_value, new_value, changed_at, changed_by, reason FROM core.feature_flag_history
         WHERE key = $1 ORDER BY id DESC`,
  values: [key],
});
