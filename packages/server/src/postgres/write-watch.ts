import type { Queryable } from './database.ts';
import { sqlState } from './errors.ts';

/** Why PostgreSQL keeps no writes although it answers: by SQLSTATE. */
const REASONS = {
  '53100': 'disk_full',
  '58030': 'disk_failing',
  '25006': 'read_only',
} as const;

/** PostgreSQL answers questions and keeps no writes. */
export interface WriteProblem {
  readonly reason: (typeof REASONS)[keyof typeof REASONS];
  /** Milliseconds since the epoch. */
  readonly since: number;
}

const isKnown = (state: string | undefined): state is keyof typeof REASONS => state !== undefined && state in REASONS;

/** Takes room on the disk as writes do, in a table that ends with the statement, and in the log of the database. */
const TRY_WRITE = {
  text: `CREATE TEMPORARY TABLE breakwater_write_probe ON COMMIT DROP AS
         SELECT repeat(md5(n::text), 60) AS filler FROM generate_series(1, 100) AS n`,
};

/**
 * Knows whether PostgreSQL keeps writes. A full disk fails writes alone: whoever asks with a SELECT whether the database is
 * well hears that it is. So it listens to how statements fail, and after such a failure tries a write of its own until one
 * is kept.
 */
export class WriteWatch {
  #problem: WriteProblem | undefined;

  /** What keeps PostgreSQL from writing, as far as is known; undefined when nothing does. */
  get problem(): WriteProblem | undefined {
    return this.#problem;
  }

  /** Hears how a statement failed; true when it says that writes fail, and that is news. */
  heard(error: unknown, now: number): boolean {
    const state = sqlState(error);
    if (!isKnown(state)) return false;
    const reason = REASONS[state];
    const isNews = this.#problem?.reason !== reason;
    if (isNews) this.#problem = { reason, since: now };
    return isNews;
  }

  /** Tries whether writes are kept again; asks nothing while they are. True when they are, and that is news. */
  async look(database: Queryable): Promise<boolean> {
    if (this.#problem === undefined) return false;
    try {
      await database.query(TRY_WRITE);
    } catch {
      // Still full, or PostgreSQL is away: the problem that is known stands.
      return false;
    }
    this.#problem = undefined;
    return true;
  }
}
