import { AUDIT_EVENTS } from '@breakwater/contract';
import type { Statement } from '../postgres/index.ts';
import { CLOSED } from './rules/changing.ts';
import type { Status } from './rules/finding.ts';
import { AGES } from './rules/lifecycle.ts';
import { SYNTHESIS_TAG, type Member } from './rules/synthesis.ts';
import { EPHEMERAL_TAGS, SYNONYM_TAGS } from './rules/tags.ts';
import { iso } from '../runtime/index.ts';

export interface AgedRow {
  readonly id: string;
  readonly type: string;
  readonly tags: readonly string[];
  readonly status: Status;
  readonly created_at: number;
  readonly resolved_at: number | null;
  readonly archived_at: number | null;
}

/**
 * Findings that the lifecycle may have something to do to, in the order of their ids, after `after`. With `lock` they are
 * held, and one that somebody else holds is left for the next run.
 */
export const selectAged = (now: number, after: string, most: number, lock: boolean): Statement => ({
  text: `SELECT d.id, d.type, d.tags, d.status, d.created_at, d.resolved_at, d.archived_at FROM knowledge.discoveries d
         WHERE d.id > $1 AND (
           (d.status = 'archived' AND d.archived_at <= $2::timestamptz)
           OR (d.status = ANY ($3::text[]) AND d.resolved_at <= $4::timestamptz)
           OR (d.status = 'open' AND d.tags && $5::text[] AND d.created_at <= $6::timestamptz)
           OR d.tags && $7::text[])
         ORDER BY d.id LIMIT $8 ${lock ? 'FOR NO KEY UPDATE SKIP LOCKED' : ''}`,
  values: [
    after,
    iso(now - AGES.archived),
    CLOSED,
    iso(now - AGES.closed),
    EPHEMERAL_TAGS,
    iso(now - AGES.ephemeral),
    SYNONYM_TAGS,
    most,
  ],
});

/** What becomes of a finding; null: stays as it is. */
export interface Sentence {
  readonly id: string;
  readonly status: Status | null;
  readonly tags: readonly string[] | null;
}

export const carryOut = (sentences: readonly Sentence[], now: number): Statement => ({
  text: `UPDATE knowledge.discoveries d
         SET status = coalesce(s.status, d.status), tags = coalesce(s.tags, d.tags),
             archived_at = CASE WHEN s.status = 'archived' THEN $2::timestamptz ELSE d.archived_at END
         FROM jsonb_to_recordset($1::jsonb) AS s (id text, status text, tags text[]) WHERE d.id = s.id`,
  values: [JSON.stringify(sentences), iso(now)],
});

/** Entries of budgets whose hour is long over. */
export const pruneBudgets = (before: number): Statement => ({
  text: `DELETE FROM knowledge.rate_limits WHERE "timestamp" < $1::timestamptz`,
  values: [iso(before)],
});

/** Whether the lifecycle has run on schedule since `since`, on whatever server. */
export const selectTended = (since: number): Statement => ({
  text: `SELECT 1 FROM audit.events WHERE event_type = $1 AND ts > $2::timestamptz AND payload ->> 'by' = 'schedule' LIMIT 1`,
  values: [AUDIT_EVENTS.knowledgeTended, iso(since)],
});

/** Tags under which at least so many open findings are, densest first; of one tag only when it is given. */
export const selectDense = (least: number, topic: string | null, most: number): Statement => ({
  text: `SELECT tag, count(*) AS n FROM knowledge.discoveries d, unnest(d.tags) AS tag
         WHERE d.status = 'open' AND NOT d.tags @> ARRAY[$1::text] AND ($2::text IS NULL OR (d.tags @> ARRAY[$2] AND tag = $2))
         GROUP BY tag HAVING count(*) >= $3 ORDER BY n DESC, tag LIMIT $4`,
  values: [SYNTHESIS_TAG, topic, least, most],
});

export interface MemberRow extends Pick<Member, 'id' | 'type' | 'severity' | 'summary' | 'tags'> {
  readonly agent_id: string;
  readonly created_at: number;
}

/** The newest open findings of a tag that are no synthesis. */
export const selectMembers = (tag: string, most: number): Statement => ({
  text: `SELECT d.id, d.agent_id, d.type, d.severity, d.summary, d.tags, d.created_at FROM knowledge.discoveries d
         WHERE d.status = 'open' AND d.tags @> ARRAY[$1::text] AND NOT d.tags @> ARRAY[$2::text]
         ORDER BY d.created_at DESC LIMIT $3`,
  values: [tag, SYNTHESIS_TAG, most],
});

export interface StandingRow {
  readonly id: string;
  readonly members_hash: string | null;
}

/** The synthesis of a tag that stands, newest first. */
export const selectStanding = (tag: string): Statement => ({
  text: `SELECT d.id, d.provenance -> 'synthesis' ->> 'members_hash' AS members_hash FROM knowledge.discoveries d
         WHERE d.status = 'open' AND d.tags @> ARRAY[$1::text, $2::text] AND d.provenance -> 'synthesis' ->> 'tag' = $1
         ORDER BY d.created_at DESC LIMIT 1`,
  values: [tag, SYNTHESIS_TAG],
});
