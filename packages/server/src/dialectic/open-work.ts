import type { Database, Statement } from '../postgres/index.ts';

/** Reviews and resolutions that are under way, over all nodes; each counted up to ten thousand. */
interface OpenWork {
  readonly reviews: number;
  /** Reviews among them that wait for a person. */
  readonly awaitingFacilitation: number;
  readonly sagas: number;
  /** Sagas among them that were given up. */
  readonly deadLetters: number;
}

const MOST = 10_000;

/** Counts what is under way, by indexes that hold nothing else. Rejects when PostgreSQL is away. */
export const countOpenWork = async (database: Database): Promise<OpenWork> => {
  const [counts] = await database.query<OpenWork>(selectOpenWork);
  if (counts === undefined) throw new Error('a count without a row');
  return counts;
};

const selectOpenWork: Statement = {
  name: 'dialectic.open_work',
  text: `SELECT reviews.n AS reviews, reviews.awaiting AS "awaitingFacilitation", sagas.n AS sagas,
           sagas.dead AS "deadLetters"
         FROM (
           SELECT count(*)::int AS n, count(*) FILTER (WHERE awaiting_facilitation)::int AS awaiting
           FROM (
             SELECT awaiting_facilitation FROM core.dialectic_sessions WHERE phase NOT IN ('resolved', 'failed') LIMIT ${MOST}
           ) s
         ) reviews, (
           SELECT count(*)::int AS n, count(*) FILTER (WHERE dead_letter_at IS NOT NULL)::int AS dead
           FROM (
             SELECT dead_letter_at FROM coordination.session_resolution_sagas
             WHERE state IN ('reserved', 'paused_agent_applied', 'both_agents_applied', 'reverting') LIMIT ${MOST}
           ) s
         ) sagas`,
};

/** Effects of resolutions that follow their commit and are not carried out yet, and when the oldest was committed. */
export const readOutbox = async (database: Database): Promise<{ waiting: number; oldest: number | null }> => {
  const [row] = await database.query<{ waiting: number; oldest: number | null }>({
    text: `SELECT count(*)::int AS waiting, min(created_at) AS oldest
           FROM (SELECT created_at FROM coordination.outbox WHERE done_at IS NULL ORDER BY created_at LIMIT ${MOST}) due`,
  });
  return row ?? { waiting: 0, oldest: null };
};
