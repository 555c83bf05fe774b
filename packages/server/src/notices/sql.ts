import type { Statement } from '../postgres/index.ts';
import { iso } from '../runtime/index.ts';

export type NoticeKind = 'finding' | 'substrate' | 'runtime' | 'progress';

/** Something that was reported. Times are ms since the epoch, UTC. */
export interface Notice {
  readonly noticeId: string;
  readonly kind: NoticeKind;
  readonly key: string;
  readonly at: number;
  readonly agentId: string | null;
  readonly payload: Readonly<Record<string, unknown>>;
}

export interface NoticeRow {
  readonly notice_id: string;
  readonly at: number;
  readonly agent_id: string | null;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Makes two reports of one kind and key wait for each other until the transaction ends. */
export const lockKey = (kind: NoticeKind, key: string): Statement => ({
  name: 'notices.lock',
  text: 'SELECT pg_advisory_xact_lock(7204118, hashtext($1))',
  values: [`${kind}:${key}`],
});

/** Stores a notice; returns no row when one of the same kind and key is younger than `sinceMs`. */
export const insertNotice = (notice: Notice, sinceMs: number | null): Statement => ({
  name: 'notices.insert',
  text: `INSERT INTO core.notices (notice_id, kind, key, at, agent_id, payload)
         SELECT $1, $2, $3, $4::timestamptz, $5, $6::jsonb
         WHERE $7::timestamptz IS NULL
            OR NOT EXISTS (SELECT 1 FROM core.notices WHERE kind = $2 AND key = $3 AND at > $7::timestamptz)
         RETURNING notice_id`,
  values: [
    notice.noticeId,
    notice.kind,
    notice.key,
    iso(notice.at),
    notice.agentId,
    JSON.stringify(notice.payload),
    sinceMs === null ? null : iso(sinceMs),
  ],
});

/** The newest notice of a kind and key. */
export const selectNewest = (kind: NoticeKind, key: string): Statement => ({
  name: 'notices.newest',
  text: `SELECT notice_id, at, agent_id, payload FROM core.notices WHERE kind = $1 AND key = $2 ORDER BY at DESC LIMIT 1`,
  values: [kind, key],
});

/** Findings of a time, the newest first. */
export const selectFindings = (from: number, to: number, severity: string | null, limit: number): Statement => ({
  name: 'notices.findings',
  text: `SELECT notice_id, at, agent_id, payload FROM core.notices
         WHERE kind = 'finding' AND at >= $1::timestamptz AND at <= $2::timestamptz
           AND ($3::text IS NULL OR payload ->> 'severity' = $3)
         ORDER BY at DESC LIMIT $4`,
  values: [iso(from), iso(to), severity, limit],
});

/** Stores a point; a second one of the same instant replaces it. No row: there are `most` other names already. */
export const insertPoint = (name: string, at: number, value: number, most: number): Statement => ({
  name: 'notices.insert_point',
  text: `INSERT INTO core.metric_points (name, at, value)
         SELECT $1, $2::timestamptz, $3
         WHERE EXISTS (SELECT 1 FROM core.metric_points WHERE name = $1)
            OR (SELECT count(*) FROM (SELECT DISTINCT name FROM core.metric_points) AS names) < $4
         ON CONFLICT (name, at) DO UPDATE SET value = excluded.value
         RETURNING name`,
  values: [name, iso(at), value, most],
});

/** The newest points of a time, the oldest of them first. */
export const selectSeries = (name: string, from: number, to: number, limit: number): Statement => ({
  name: 'notices.series',
  text: `SELECT at, value FROM (
           SELECT at, value FROM core.metric_points
           WHERE name = $1 AND at >= $2::timestamptz AND at <= $3::timestamptz ORDER BY at DESC LIMIT $4
         ) AS newest ORDER BY at`,
  values: [name, iso(from), iso(to), limit],
});

export const selectCatalog = (): Statement => ({
  name: 'notices.catalog',
  text: `SELECT name, count(*)::int AS points, max(at) AS newest FROM core.metric_points GROUP BY name ORDER BY name`,
  values: [],
});

/** Deletes notices before a time, those of a kind beyond its newest `most`, and points before a time. */
export const prune = (noticesBefore: number, most: number, pointsBefore: number): readonly Statement[] => [
  {
    text: `DELETE FROM core.notices WHERE at < $1::timestamptz OR notice_id IN (
             SELECT notice_id FROM (
               SELECT notice_id, row_number() OVER (PARTITION BY kind ORDER BY at DESC) AS place FROM core.notices
             ) AS placed WHERE place > $2)`,
    values: [iso(noticesBefore), most],
  },
  { text: `DELETE FROM core.metric_points WHERE at < $1::timestamptz`, values: [iso(pointsBefore)] },
];
