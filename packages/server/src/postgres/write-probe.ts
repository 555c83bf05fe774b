import type { Clock, Timer } from '../runtime/index.ts';
import type { Database } from './database.ts';

/** Within this time a commit must be durable, or the node counts as not ready. */
const LIMIT_MS = 2_000;

interface Answer {
  readonly standby: boolean;
  readonly read_only: boolean;
}

/**
 * A message in the log is a write that leaves no row: its commit waits for the disk, and for a synchronous standby. A transaction
 * that only has an id waits for neither. A standby writes none.
 */
const PROBE = {
  name: 'postgres.probe',
  text: `SELECT pg_is_in_recovery() AS standby, current_setting('transaction_read_only')::bool AS read_only,
           CASE WHEN NOT pg_is_in_recovery() THEN pg_logical_emit_message(true, 'breakwater', '') END`,
};

/** What keeps PostgreSQL from committing a write, in a word that tells a stranger nothing of where it is; and the error for a log. */
export interface WriteTrouble {
  readonly why: 'standby' | 'read_only' | 'late' | 'away';
  readonly error: unknown;
}

const trouble = (why: WriteTrouble['why'], message: string): WriteTrouble => ({ why, error: new Error(message) });

const problemOf = (answer: Answer | undefined): WriteTrouble | undefined => {
  if (answer?.standby === true) return trouble('standby', 'DATABASE_URL leads to a standby, which cannot be written');
  return answer?.read_only === true
    ? trouble('read_only', 'PostgreSQL takes no writes: transactions are read-only')
    : undefined;
};

/**
 * Makes the question whether a write can commit within two seconds (BW-nodes.04). It answers what keeps it from doing so, or
 * undefined: a server that is away, hangs, became a standby, takes no writes, or waits for a synchronous standby that is gone.
 * One question is under way at a time: while one hangs, later ones are answered with its lateness.
 */
export const createWriteProbe = (
  database: Database,
  clock: Clock,
  /** For how long the lane of commits has got nothing through while something waits, ms; it may be stuck while others pass. */
  stalledMs: () => number = () => 0,
): (() => Promise<WriteTrouble | undefined>) => {
  let asked: Promise<WriteTrouble | undefined> | undefined;
  return async () => {
    asked ??= database
      .query<Answer>(PROBE)
      .then(
        (rows) => problemOf(rows[0]),
        (error: unknown): WriteTrouble => ({ why: 'away', error }),
      )
      .finally(() => (asked = undefined));
    let timer: Timer | undefined;
    const late = new Promise<WriteTrouble>((resolve) => {
      timer = clock.after(LIMIT_MS, () => resolve(trouble('late', `PostgreSQL commits nothing within ${LIMIT_MS} ms`)));
    });
    try {
      const found = await Promise.race([asked, late]);
      const stalled = stalledMs();
      return found ?? (stalled < LIMIT_MS ? undefined : trouble('late', `Commits wait for ${Math.round(stalled)} ms`));
    } finally {
      timer?.cancel();
    }
  };
};
