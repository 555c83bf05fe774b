import type { Queryable } from '../postgres/index.ts';

/**
 * Keeps, of each agent, the hash and index of the newest of its chained rows in a part of audit.events that is about to be
 * dropped, and how many rows go. The rest of the chain proves itself from there (`audit-verify.ts`). Clocks of nodes differ, so
 * a few rows of lower index may stand in the next part; the count tells whether all others were there. `part` is a table's
 * name as SQL text; `now` in ms.
 */
export const anchorChains = async (tx: Queryable, part: string, now: number): Promise<void> => {
  await tx.query({
    text: `INSERT INTO audit.chain_anchors AS a (agent_id, chain_index, raw_hash, dropped_rows, anchored_at)
           SELECT c.agent_id, c.last, newest.raw_hash, c.rows, $1::timestamptz
           FROM (SELECT agent_id, max(chain_index) AS last, count(*) AS rows FROM ${part}
                 WHERE chain_index IS NOT NULL AND agent_id IS NOT NULL GROUP BY agent_id) c
           CROSS JOIN LATERAL (
             SELECT coalesce(raw_hash, '') AS raw_hash FROM ${part}
             WHERE agent_id = c.agent_id AND chain_index = c.last ORDER BY ts DESC, event_id LIMIT 1
           ) newest
           ON CONFLICT (agent_id) DO UPDATE
           SET raw_hash = CASE WHEN excluded.chain_index > a.chain_index THEN excluded.raw_hash ELSE a.raw_hash END,
               chain_index = greatest(excluded.chain_index, a.chain_index),
               dropped_rows = a.dropped_rows + excluded.dropped_rows,
               anchored_at = excluded.anchored_at`,
    values: [new Date(now).toISOString()],
  });
};
