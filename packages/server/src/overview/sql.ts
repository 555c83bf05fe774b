import { AUDIT_EVENTS, FAILURE_EVENTS } from '@breakwater/contract';
import type { Statement } from '../postgres/index.ts';
import { iso } from '../runtime/index.ts';

const REVIEW = `s.session_id AS "reviewId", s.paused_agent_id AS "pausedAgentId", s.reviewer_agent_id AS "reviewerAgentId",
  s.phase, s.synthesis_round AS round, s.max_synthesis_rounds AS "maxRounds",
  s.awaiting_facilitation AS "awaitingFacilitation", s.facilitation_since AS "facilitationSince", s.reason,
  s.resolution_json->>'action' AS outcome, s.created_at AS "createdAt",
  CASE WHEN s.confirmation_json->>'decision' = 'open' AND s.phase NOT IN ('resolved', 'failed')
       THEN (s.confirmation_json->>'since')::float8 END AS "confirmationSince", s.last_participant_at AS "lastParticipantAt",
  (SELECT count(*)::int FROM core.dialectic_messages m WHERE m.session_id = s.session_id) AS messages`;

const OF_STATUS = {
  all: 'true',
  open: `s.phase NOT IN ('resolved', 'failed')`,
  waiting: `s.phase NOT IN ('resolved', 'failed')
    AND (s.awaiting_facilitation OR s.confirmation_json->>'decision' IS NOT DISTINCT FROM 'open')`,
  resolved: `s.phase = 'resolved'`,
  failed: `s.phase = 'failed'`,
} as const;

/** On either side; two conditions, so that each finds its index. */
const OF_AGENT = '(s.paused_agent_id = $3 OR s.reviewer_agent_id = $3)';

/** A page of reviews, the newest first; of one agent on either side when it is given. */
export const selectReviews = (query: {
  readonly status: keyof typeof OF_STATUS;
  readonly agentId: string | null;
  readonly offset: number;
  readonly limit: number;
}): Statement => ({
  name: `overview.reviews.${query.status}${query.agentId === null ? '' : '.of_agent'}`,
  text: `SELECT ${REVIEW} FROM core.dialectic_sessions s
         WHERE ${OF_STATUS[query.status]} AND ${query.agentId === null ? 'true' : OF_AGENT}
         ORDER BY s.created_at DESC, s.session_id OFFSET $1 LIMIT $2`,
  values: [query.offset, query.limit, ...(query.agentId === null ? [] : [query.agentId])],
});

export const selectReview = (reviewId: string): Statement => ({
  name: 'overview.review',
  text: `SELECT ${REVIEW} FROM core.dialectic_sessions s WHERE s.session_id = $1`,
  values: [reviewId],
});

/** How many reviews stand where; of one agent when it is given. */
export const countReviews = (agentId: string | null): Statement => ({
  name: `overview.review_counts${agentId === null ? '' : '.of_agent'}`,
  text: `SELECT count(*) FILTER (WHERE ${OF_STATUS.open})::int AS open,
           count(*) FILTER (WHERE ${OF_STATUS.waiting})::int AS waiting,
           count(*) FILTER (WHERE ${OF_STATUS.resolved})::int AS resolved,
           count(*) FILTER (WHERE ${OF_STATUS.failed})::int AS failed
         FROM core.dialectic_sessions s
         ${agentId === null ? '' : 'WHERE s.paused_agent_id = $1 OR s.reviewer_agent_id = $1'}`,
  values: agentId === null ? [] : [agentId],
});

/** Reviews that have not ended, by an index that holds no others. */
export const selectOpenReviews: Statement = {
  name: 'overview.open_reviews',
  text: `SELECT session_id AS "reviewId", paused_agent_id AS "pausedAgentId", reviewer_agent_id AS "reviewerAgentId", phase,
           reason, facilitation_since AS "waitingSince", confirmation_json AS confirmation
         FROM core.dialectic_sessions WHERE phase NOT IN ('resolved', 'failed') LIMIT 10000`,
};

const SAGA = `saga_id AS "sagaId", session_id AS "reviewId", paused_agent_id AS "pausedAgentId",
  reviewer_agent_id AS "reviewerAgentId", state, attempt_count AS attempts, last_error AS "lastError",
  created_at AS "createdAt", paused_agent_ack_at AS "pausedAgentAppliedAt", reviewer_agent_ack_at AS "bothAppliedAt",
  pg_committed_at AS "committedAt", reverted_at AS "revertedAt", dead_letter_at AS "deadLetterAt"`;

/** The sagas of a review, the newest first. */
export const selectSagasOf = (reviewId: string): Statement => ({
  name: 'overview.sagas_of_review',
  text: `SELECT ${SAGA} FROM coordination.session_resolution_sagas WHERE session_id = $1 ORDER BY created_at DESC`,
  values: [reviewId],
});

/** Sagas that have not ended, those that were given up first. */
export const selectOpenSagas: Statement = {
  name: 'overview.open_sagas',
  text: `SELECT ${SAGA} FROM coordination.session_resolution_sagas
         WHERE state IN ('reserved', 'paused_agent_applied', 'both_agents_applied', 'reverting')
         ORDER BY dead_letter_at NULLS LAST, created_at LIMIT 200`,
};

/** Breaches and divergences since a time: how many, and the newest of each. */
export const selectTroubles = (since: number): Statement => ({
  name: 'overview.troubles',
  text: `SELECT CASE event_type WHEN $2 THEN 'breach' ELSE 'divergence' END AS kind, count(*)::int AS count, max(ts) AS last,
           (array_agg(payload ORDER BY ts DESC))[1] AS payload
         FROM audit.coordination_events WHERE ts >= $1::timestamptz AND event_type IN ($2, $3) GROUP BY event_type`,
  values: [iso(since), FAILURE_EVENTS.cutover503RateBreach, FAILURE_EVENTS.etsPgDivergence],
});

/** The newest check-ins of an agent, the newest first. */
export const selectStates = (identityId: number, limit: number): Statement => ({
  name: 'overview.states',
  text: `SELECT recorded_at AS at, update_index AS "checkIn", (state_json->>'E')::float8 AS "E", integrity AS "I", entropy AS "S",
           volatility AS "V", risk_score AS risk, coherence, state_json->>'verdict' AS verdict, state_json->>'reason' AS reason
         FROM core.agent_state WHERE identity_id = $1 AND NOT synthetic ORDER BY sequence DESC LIMIT $2`,
  values: [identityId, limit],
});

/** The newest outcomes of an agent, with what was claimed of them, the newest first. */
export const selectClaims = (agentId: string, limit: number): Statement => ({
  name: 'overview.claims',
  text: `SELECT ts AS at, outcome_type AS outcome, is_bad AS "isBad", outcome_score AS score, confidence,
           update_index AS "checkIn", corroboration_grade AS grade, evidence_weight AS weight, graded,
           verification_source AS source, prediction_source AS "predictionSource", detail
         FROM audit.outcome_events WHERE agent_id = $1 ORDER BY ts DESC, outcome_id LIMIT $2`,
  values: [agentId, limit],
});

/**
 * The `limit` rows of an agent's chain before an index, the newest first. Indexes have no gaps, so these rows are known
 * beforehand; their times only lead to them. By its times alone a page would lose rows where clocks of nodes differ.
 */
export const selectTrail = (agentId: string, before: number, limit: number): Statement => ({
  name: 'overview.trail',
  text: `SELECT * FROM (
           SELECT chain_index AS index, ts AS at, event_type AS event, payload, raw_hash AS hash FROM audit.events
           WHERE agent_id = $1 AND chain_index < $2::bigint AND chain_index >= $2::bigint - $3::bigint
           ORDER BY ts DESC LIMIT $3::bigint
         ) page ORDER BY index DESC`,
  values: [agentId, before, limit],
});

/** What only PostgreSQL has of an agent. */
export const selectAgentRecord = (agentId: string, now: number): Statement => ({
  name: 'overview.agent_record',
  text: `SELECT a.notes,
           (SELECT count(*)::int FROM core.bindings b
            WHERE b.agent_id = a.id AND b.kind IN ('session', 'mcp_session') AND b.revoked_at IS NULL
              AND b.expires_at >= $2::timestamptz) AS sessions,
           (SELECT max(b.last_seen_at) FROM core.bindings b WHERE b.agent_id = a.id) AS "lastSeenAt"
         FROM core.agents a WHERE a.id = $1`,
  values: [agentId, iso(now)],
});

/** Version of PostgreSQL and size of the database in bytes. */
export const selectDatabase: Statement = {
  name: 'overview.database',
  text: `SELECT current_setting('server_version') AS version, pg_database_size(current_database()) AS bytes`,
};

/** Nodes that are connected to this database, by the name of their connections. */
export const selectNodes: Statement = {
  name: 'overview.nodes',
  text: `SELECT application_name AS name, count(*)::int AS connections, min(backend_start) AS since FROM pg_stat_activity
         WHERE datname = current_database() AND application_name LIKE 'breakwater %' GROUP BY application_name
         ORDER BY min(backend_start) LIMIT 100`,
};

/** How many free resumes are listed. */
const MOST_RESUMES = 50;

/**
 * Ends of pauses since a time that no operator made, the newest first, with how many there are: not its own act, and no
 * agreement that it confirmed.
 */
export const selectFreeResumes = (since: number): Statement => ({
  name: 'overview.free_resumes',
  text: `SELECT e.ts AS at, e.agent_id AS "agentId", e.event_type AS event, e.payload, s.reviewer_agent_id AS "reviewerAgentId",
           s.resolution_json->>'rootCause' AS cause, count(*) OVER ()::int AS total
         FROM audit.events e LEFT JOIN core.dialectic_sessions s ON s.session_id = e.payload->>'session_id'
         WHERE e.ts >= $1::timestamptz AND e.event_type IN ($2, $3) AND e.payload->>'by' IS DISTINCT FROM 'operator'
           AND e.payload->>'confirmed_by' IS NULL
         ORDER BY e.ts DESC LIMIT ${MOST_RESUMES}`,
  values: [iso(since), AUDIT_EVENTS.agentResumed, AUDIT_EVENTS.pauseExpired],
});

/** Of these agents, paused since these times, when the pause before ended, if that was less than `withinMs` earlier. */
export const selectPreviousEnds = (
  paused: readonly { readonly agentId: string; readonly pausedAt: number }[],
  withinMs: number,
): Statement => ({
  name: 'overview.previous_ends',
  text: `SELECT p.id AS "agentId", max(e.ts) AS at
         FROM unnest($1::text[], $2::timestamptz[]) AS p (id, since)
         JOIN audit.events e ON e.agent_id = p.id AND e.ts <= p.since AND e.ts >= p.since - $3 * interval '1 millisecond'
           AND e.ts >= $4::timestamptz AND e.event_type IN ($5, $6)
         GROUP BY p.id`,
  values: [
    paused.map(({ agentId }) => agentId),
    paused.map(({ pausedAt }) => iso(pausedAt)),
    withinMs,
    iso(Math.min(...paused.map(({ pausedAt }) => pausedAt)) - withinMs),
    AUDIT_EVENTS.agentResumed,
    AUDIT_EVENTS.pauseExpired,
  ],
});

/** Links between a paused agent and the new ones that may go on for it, of one agent on either side; the newest first. */
export const selectSuccessions = (agentId: string): Statement => ({
  name: 'overview.successions',
  text: `SELECT paused_agent_id AS "pausedAgentId", successor_agent_id AS "successorAgentId", evidence, linked_at AS at
         FROM core.successors WHERE paused_agent_id = $1 OR successor_agent_id = $1
         ORDER BY linked_at DESC, successor_agent_id LIMIT 100`,
  values: [agentId],
});

/** How many new agents may go on for each of these paused ones, under the pause that holds now, and how sure that is. */
export const countSuccessors = (
  paused: readonly { readonly agentId: string; readonly actuationId: string }[],
): Statement => ({
  name: 'overview.successors',
  text: `SELECT s.paused_agent_id AS "agentId", count(*)::int AS total,
           count(*) FILTER (WHERE s.evidence && ARRAY['mcp_session', 'process'])::int AS strong,
           max(s.linked_at) AS last, (array_agg(s.successor_agent_id ORDER BY s.linked_at DESC))[1] AS "lastId"
         FROM core.successors s JOIN unnest($1::text[], $2::text[]) AS p (agent_id, actuation_id)
           ON s.paused_agent_id = p.agent_id AND s.actuation_id = p.actuation_id
         GROUP BY s.paused_agent_id`,
  values: [paused.map(({ agentId }) => agentId), paused.map(({ actuationId }) => actuationId)],
});
