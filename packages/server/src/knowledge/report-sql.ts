import type { Statement } from '../postgres/index.ts';
import type { Severity, Status } from './rules/finding.ts';
import { PERMANENT_TYPES } from './rules/lifecycle.ts';
import { BUCKETS, STALE_MS, type Bucket } from './rules/staleness.ts';
import { PERMANENT_TAGS } from './rules/tags.ts';
import { COLUMNS, type Edge } from './sql.ts';
import { iso } from '../runtime/index.ts';

/** What is counted: findings of one epoch or of all, and cold ones or not. */
export interface Counted {
  readonly epoch: number | null;
  readonly cold: boolean;
}

const COUNTED = `($1::int IS NULL OR d.epoch = $1) AND ($2 OR d.status <> 'cold')`;
const counted = ({ epoch, cold }: Counted): readonly unknown[] => [epoch, cold];

export interface KindRow {
  readonly status: Status;
  readonly type: string;
  readonly severity: Severity;
  readonly n: number;
}

export const countKinds = (what: Counted): Statement => ({
  text: `SELECT d.status, d.type, d.severity, count(*) AS n FROM knowledge.discoveries d WHERE ${COUNTED} GROUP BY 1, 2, 3`,
  values: counted(what),
});

export const countWriters = (what: Counted, most: number): Statement => ({
  text: `SELECT d.agent_id, count(*) AS n FROM knowledge.discoveries d WHERE ${COUNTED}
         GROUP BY 1 ORDER BY n DESC, 1 LIMIT $3`,
  values: [...counted(what), most],
});

export const countTags = (what: Counted, most: number): Statement => ({
  text: `SELECT tag, count(*) AS n FROM knowledge.discoveries d, unnest(d.tags) AS tag WHERE ${COUNTED}
         GROUP BY 1 ORDER BY n DESC, 1 LIMIT $3`,
  values: [...counted(what), most],
});

/** The parameters are the ends of the buckets, oldest bucket first, and what is permanent. */
const AUDITED = `
  SELECT d.*, greatest(d.created_at, d.updated_at) AS touched,
    d.type = ANY ($1::text[]) OR d.tags && $2::text[] AS permanent
  FROM knowledge.discoveries d
  WHERE d.status <> 'cold' AND ($3 OR d.status IN ('open', 'disputed'))`;
const audited = (all: boolean): readonly unknown[] => [PERMANENT_TYPES, PERMANENT_TAGS, all];

export interface BucketRow {
  readonly agent_id: string | null;
  readonly bucket: Bucket | 'permanent';
  readonly n: number;
}

/** How many findings are in which bucket at `now`; of each writer when `byAgent`. */
export const countBuckets = (all: boolean, byAgent: boolean, now: number): Statement => {
  const oldestFirst = [...BUCKETS].reverse();
  const when = oldestFirst.map((_, i) => `WHEN touched <= $${4 + 2 * i}::timestamptz THEN $${5 + 2 * i}`).join(' ');
  return {
    text: `SELECT ${byAgent ? 'agent_id' : 'NULL'} AS agent_id,
             CASE WHEN permanent THEN 'permanent' ${when} ELSE 'healthy' END AS bucket, count(*) AS n
           FROM (${AUDITED}) a GROUP BY 1, 2 ORDER BY n DESC, 1, 2`,
    values: [...audited(all), ...oldestFirst.flatMap(({ name, from }) => [iso(now - from), name])],
  };
};

/** The stale findings that were left alone for longest. */
export const selectStale = (all: boolean, most: number, now: number): Statement => ({
  text: `SELECT ${COLUMNS} FROM (${AUDITED}) d WHERE NOT d.permanent AND d.touched <= $4::timestamptz
         ORDER BY d.touched, d.id LIMIT $5`,
  values: [...audited(all), iso(now - STALE_MS), most],
});

/** Findings that answer this one, oldest first. */
export const selectResponses = (id: string, most: number): Statement => ({
  text: `SELECT ${COLUMNS} FROM knowledge.discoveries d WHERE d.response_to_id = $1 ORDER BY d.created_at, d.id LIMIT $2`,
  values: [id, most],
});

export interface EdgeRow {
  readonly other: string;
  readonly direction: 'to' | 'from';
  readonly edge_type: Edge['type'];
  readonly weight: number;
  readonly summary: string;
  readonly status: Status;
}

/** What a finding is linked with, nearest first. */
export const selectEdges = (id: string, most: number): Statement => ({
  text: `SELECT e.other, e.direction, e.edge_type, e.weight, d.summary, d.status
         FROM (SELECT dst_id AS other, 'to' AS direction, edge_type, weight FROM knowledge.discovery_edges WHERE src_id = $1
               UNION ALL
               SELECT src_id, 'from', edge_type, weight FROM knowledge.discovery_edges WHERE dst_id = $1) e
         JOIN knowledge.discoveries d ON d.id = e.other
         ORDER BY e.weight DESC, e.other DESC LIMIT $2`,
  values: [id, most],
});

export interface ChainRow {
  readonly id: string;
  /** Below 0: what this one answers, directly or not; above: what answers it. */
  readonly depth: number;
}

/** The finding, what it answers up to the first, and what answers it, as far as `depth` steps; at most `most` of each. */
export const selectChain = (id: string, depth: number, most: number): Statement => ({
  text: `WITH RECURSIVE up AS (
           SELECT d.id, d.response_to_id, 0 AS depth FROM knowledge.discoveries d WHERE d.id = $1
           UNION ALL
           SELECT d.id, d.response_to_id, up.depth - 1 FROM up JOIN knowledge.discoveries d ON d.id = up.response_to_id
           WHERE up.depth > -$2::int
         ), down AS (
           SELECT d.id, 1 AS depth FROM knowledge.discoveries d WHERE d.response_to_id = $1
           UNION ALL
           SELECT d.id, down.depth + 1 FROM down JOIN knowledge.discoveries d ON d.response_to_id = down.id
           WHERE down.depth < $2::int
         )
         SELECT id, depth FROM up UNION ALL (SELECT id, depth FROM down LIMIT $3) ORDER BY depth, id`,
  values: [id, depth, most],
});
