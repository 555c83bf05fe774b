import type { Database, Statement } from '../postgres/index.ts';

/** How long a row of core.agent_state is kept; the newest of each agent is kept for ever. Days. */
export const STATE_DAYS = 90;

const BATCH = 5_000;

const before = (now: number): string => new Date(now - STATE_DAYS * 86_400_000).toISOString();

/** A restart restores an agent from its newest row that is not synthetic, so that this one stays, too. */
const HAS_SUCCESSOR = `EXISTS (SELECT 1 FROM core.agent_state n WHERE n.identity_id = s.identity_id
  AND n.sequence > s.sequence AND (s.synthetic OR NOT n.synthetic))`;

/** Looks at the rows after `cursor` in the order of their birth, and deletes the old ones. */
const deletePage = (cursor: number, rows: number, now: number): Statement => ({
  name: 'agents.delete_states',
  text: `WITH page AS MATERIALIZED (
           SELECT state_id, recorded_at < $3::timestamptz AS old FROM core.agent_state
           WHERE state_id > $1 ORDER BY state_id LIMIT $2
         ), gone AS (
           DELETE FROM core.agent_state s USING page
           WHERE s.state_id = page.state_id AND page.old AND ${HAS_SUCCESSOR} RETURNING 1
         )
         SELECT max(state_id) AS last, coalesce(bool_or(old), false) AS old, (SELECT count(*) FROM gone) AS deleted
         FROM page`,
  values: [cursor, rows, before(now)],
});

/**
 * Deletes the rows of core.agent_state that are older than {@link STATE_DAYS}, but for the newest of each agent. Rows are
 * numbered in the order of their birth, so it reads from the first on and ends at the first page without an old one: no
 * index on the time is needed, which every check-in would pay for. Each page is a transaction of its own. Gives how many
 * it deleted; ends early, between two pages, when `stopping`.
 */
export const deleteOldStates = async (
  database: Database,
  now: number,
  { stopping, pageRows = BATCH }: { stopping?: AbortSignal | undefined; pageRows?: number } = {},
): Promise<number> => {
  let deleted = 0;
  let cursor = 0;
  while (stopping?.aborted !== true) {
    const [page] = await database.query<{ last: number | null; old: boolean; deleted: number }>(
      deletePage(cursor, pageRows, now),
    );
    deleted += page?.deleted ?? 0;
    if (page === undefined || page.last === null || !page.old) break;
    cursor = page.last;
  }
  return deleted;
};

/** The table core.agent_state in figures. */
export interface StatesStatus {
  /** An estimate; null when PostgreSQL has none yet. */
  readonly rows: number | null;
  readonly bytes: number;
  /** When the oldest row was written; ms since the epoch, UTC; null without rows. */
  readonly oldest: number | null;
}

/** How much core.agent_state holds. */
export const readStates = async (database: Database): Promise<StatesStatus> => {
  const [row] = await database.query<StatesStatus>({
    text: `SELECT CASE WHEN reltuples >= 0 THEN reltuples::bigint WHEN pg_relation_size(oid) = 0 THEN 0
                       ELSE nullif(pg_stat_get_live_tuples(oid), 0) END AS rows,
             pg_total_relation_size(oid) AS bytes,
             (SELECT recorded_at FROM core.agent_state ORDER BY state_id LIMIT 1) AS oldest
           FROM pg_class WHERE oid = 'core.agent_state'::regclass`,
  });
  if (row === undefined) throw new Error('core.agent_state is not there');
  return row;
};

/** How many rows {@link deleteOldStates} would delete now. */
export const countOldStates = (database: Database, now: number): Promise<number> =>
  database.transaction(async (tx) => {
    await tx.query({ text: 'SET LOCAL statement_timeout = 0' });
    const [row] = await tx.query<{ count: number }>({
      text: `SELECT count(*) AS count FROM core.agent_state s WHERE recorded_at < $1::timestamptz AND ${HAS_SUCCESSOR}`,
      values: [before(now)],
    });
    return row?.count ?? 0;
  });
