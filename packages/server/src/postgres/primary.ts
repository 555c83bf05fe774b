import { ok, refuse, type Result } from '@breakwater/contract';
import type { Queryable } from './database.ts';

/**
 * Accepts only a connection to the primary. Gates, comparators and sagas read through this: a standby answers from the
 * past (BW-postgres.08).
 */
export const onPrimary = async (tx: Queryable): Promise<Result<Queryable>> => {
  const rows = await tx.query<{ recovering: boolean }>({ text: 'SELECT pg_is_in_recovery() AS recovering' });
  return rows[0]?.recovering === false
    ? ok(tx)
    : refuse('STORAGE_UNAVAILABLE', 'This connection leads to a standby; the read needs the primary.');
};
