import { AUDIT_EVENTS } from '@breakwater/contract';
import type { Statement } from '../postgres/index.ts';
import type { ReassignStep } from './rules/reassign.ts';
import type { Message, Resolution, Session } from './session.ts';
import { iso } from '../runtime/index.ts';

const isoOrNull = (ms: number | null) => (ms === null ? null : iso(ms));

interface SessionRow {
  readonly session_id: string;
  readonly paused_agent_id: string;
  readonly reviewer_agent_id: string | null;
  readonly phase: Session['phase'];
  readonly session_type: string;
  readonly topic: string | null;
  readonly reason: string | null;
  readonly trigger_source: string | null;
  readonly discovery_id: string | null;
  readonly dispute_type: string | null;
  readonly synthesis_round: number;
  readonly max_synthesis_rounds: number;
  readonly awaiting_facilitation: boolean;
  readonly facilitation_since: number | null;
  readonly paused_agent_state_json: Session['pausedAgentState'];
  readonly resolution_json: Resolution | null;
  readonly confirmation_json: Session['confirmation'];
  readonly created_at: number;
  readonly last_participant_at: number;
  readonly messages: readonly MessageJson[];
}

interface MessageJson {
  readonly type: Message['type'];
  readonly agent_id: string;
  readonly at: number;
  readonly root_cause: string | null;
  readonly conditions: readonly string[];
  readonly proposed_action: Message['proposedAction'];
  readonly reasoning: string | null;
  readonly metrics: Message['observedMetrics'];
  readonly concerns: readonly string[];
  readonly agrees: boolean | null;
  readonly refused: boolean;
}

/** The session of a row, with its whole record: the very value that was stored (BW-dialectic.04). */
export const sessionFromRow = (row: SessionRow): Session => ({
  sessionId: row.session_id,
  pausedAgentId: row.paused_agent_id,
  reviewerAgentId: row.reviewer_agent_id,
  phase: row.phase,
  sessionType: row.session_type,
  createdAt: row.created_at,
  lastParticipantAt: row.last_participant_at,
  round: row.synthesis_round,
  maxRounds: row.max_synthesis_rounds,
  awaitingFacilitation: row.awaiting_facilitation,
  facilitationSince: row.facilitation_since,
  topic: row.topic,
  reason: row.reason,
  triggerSource: row.trigger_source,
  discoveryId: row.discovery_id,
  disputeType: row.dispute_type,
  pausedAgentState: row.paused_agent_state_json,
  messages: row.messages.map((message) => ({
    type: message.type,
    agentId: message.agent_id,
    at: message.at,
    rootCause: message.root_cause,
    conditions: message.conditions,
    proposedAction: message.proposed_action,
    reasoning: message.reasoning,
    agrees: message.agrees,
    concerns: message.concerns,
    observedMetrics: message.metrics,
    refused: message.refused,
  })),
  resolution: row.resolution_json,
  confirmation: row.confirmation_json,
});

const COLUMNS = `s.session_id, s.paused_agent_id, s.reviewer_agent_id, s.phase, s.session_type, s.topic, s.reason,
  s.trigger_source, s.discovery_id, s.dispute_type, s.synthesis_round, s.max_synthesis_rounds, s.awaiting_facilitation,
  s.facilitation_since, s.paused_agent_state_json, s.resolution_json, s.confirmation_json, s.created_at, s.last_participant_at`;

const MESSAGES = `(SELECT coalesce(jsonb_agg(jsonb_build_object('type', m.message_type, 'agent_id', m.agent_id,
      'at', (extract(epoch FROM m."timestamp") * 1000)::bigint, 'root_cause', m.root_cause,
      'conditions', m.proposed_conditions, 'proposed_action', m.proposed_action, 'reasoning', m.reasoning, 'metrics', m.observed_metrics,
      'concerns', m.concerns, 'agrees', m.agrees, 'refused', m.refused) ORDER BY m.message_id), '[]')
    FROM core.dialectic_messages m WHERE m.session_id = s.session_id) AS messages`;

/** A session; with `lock` its row is held for the rest of the transaction, and messages of others go on (W3-2.09). */
export const selectSession = (sessionId: string, lock?: 'lock'): Statement => ({
  name: `dialectic.session${lock === undefined ? '' : '.lock'}`,
  text: `SELECT ${COLUMNS}, ${MESSAGES} FROM core.dialectic_sessions s WHERE s.session_id = $1
         ${lock === undefined ? '' : 'FOR NO KEY UPDATE OF s'}`,
  values: [sessionId],
});

/** Locks the row for the rest of the transaction; message inserts of others go on (W3-2.09). */
export const lockSession = (sessionId: string): Statement => ({
  name: 'dialectic.lock',
  text: 'SELECT phase FROM core.dialectic_sessions WHERE session_id = $1 FOR NO KEY UPDATE',
  values: [sessionId],
});

/** Sessions, newest first, by whatever of the filters is given. */
export const selectSessions = (filter: {
  readonly agentId: string | null;
  readonly status: string | null;
  readonly active: boolean;
  readonly limit: number;
}): Statement => ({
  name: 'dialectic.list',
  text: `SELECT ${COLUMNS}, ${MESSAGES} FROM core.dialectic_sessions s
         WHERE ($1::text IS NULL OR $1 IN (s.paused_agent_id, s.reviewer_agent_id))
           AND ($2::text IS NULL OR s.phase = $2 OR s.status = $2)
           AND (NOT $3 OR s.status = 'active')
         ORDER BY s.created_at DESC, s.session_id LIMIT $4`,
  values: [filter.agentId, filter.status, filter.active, filter.limit],
});

/** Every session that has not ended, by an index that holds no others. */
export const selectOpenSessions = (): Statement => ({
  text: `SELECT ${COLUMNS}, ${MESSAGES} FROM core.dialectic_sessions s WHERE s.phase NOT IN ('resolved', 'failed')
         ORDER BY s.created_at`,
});

/** Those of these sessions that there are. */
export const selectSessionsOf = (sessionIds: readonly string[]): Statement => ({
  name: 'dialectic.sessions_of',
  text: `SELECT ${COLUMNS}, ${MESSAGES} FROM core.dialectic_sessions s WHERE s.session_id = ANY ($1::text[])`,
  values: [sessionIds],
});

/**
 * Opens a session; returns no row when one of the agent is open. Two openings of one millisecond bear one name, and then it is
 * the name that may be found to be taken first: no conflict is an error here.
 */
export const insertSession = (session: Session): Statement => ({
  name: 'dialectic.insert',
  text: `INSERT INTO core.dialectic_sessions (session_id, paused_agent_id, reviewer_agent_id, phase, session_type, topic,
           reason, trigger_source, discovery_id, dispute_type, synthesis_round, max_synthesis_rounds,
           awaiting_facilitation, facilitation_since, paused_agent_state_json, created_at, updated_at, last_participant_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14::timestamptz, $15::jsonb, $16::timestamptz,
           $16::timestamptz, $17::timestamptz)
         ON CONFLICT DO NOTHING
         RETURNING session_id`,
  values: [
    session.sessionId,
    session.pausedAgentId,
    session.reviewerAgentId,
    session.phase,
    session.sessionType,
    session.topic,
    session.reason,
    session.triggerSource,
    session.discoveryId,
    session.disputeType,
    session.round,
    session.maxRounds,
    session.awaitingFacilitation,
    isoOrNull(session.facilitationSince),
    JSON.stringify(session.pausedAgentState),
    iso(session.createdAt),
    iso(session.lastParticipantAt),
  ],
});

/** Writes what of a session can change. The caller holds its row. */
export const updateSession = (session: Session, now: number): Statement => ({
  name: 'dialectic.update',
  text: `UPDATE core.dialectic_sessions
         SET reviewer_agent_id = $2, phase = $3, synthesis_round = $4, awaiting_facilitation = $5,
             facilitation_since = $6::timestamptz, resolution_json = $7::jsonb, last_participant_at = $8::timestamptz,
             updated_at = $9::timestamptz, confirmation_json = $10::jsonb, sequence = sequence + 1
         WHERE session_id = $1`,
  values: [
    session.sessionId,
    session.reviewerAgentId,
    session.phase,
    session.round,
    session.awaitingFacilitation,
    isoOrNull(session.facilitationSince),
    session.resolution === null ? null : JSON.stringify(session.resolution),
    iso(session.lastParticipantAt),
    iso(now),
    session.confirmation === null ? null : JSON.stringify(session.confirmation),
  ],
});

/** Adds to the record, in order. */
export const insertMessages = (sessionId: string, messages: readonly Message[]): Statement => ({
  name: 'dialectic.messages',
  text: `INSERT INTO core.dialectic_messages (session_id, agent_id, message_type, "timestamp", root_cause,
           proposed_conditions, reasoning, observed_metrics, concerns, agrees, refused, proposed_action)
         SELECT $1, m.agent_id, m.message_type, m.at::timestamptz, m.root_cause, m.conditions::jsonb, m.reasoning,
                m.metrics::jsonb, m.concerns::jsonb, m.agrees, m.refused, m.proposed_action
         FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
                     $10::boolean[], $11::boolean[], $12::text[]) WITH ORDINALITY
           AS m (agent_id, message_type, at, root_cause, conditions, reasoning, metrics, concerns, agrees, refused,
                 proposed_action, n)
         ORDER BY m.n`,
  values: [
    sessionId,
    messages.map((message) => message.agentId),
    messages.map((message) => message.type),
    messages.map((message) => iso(message.at)),
    messages.map((message) => message.rootCause),
    messages.map((message) => JSON.stringify(message.conditions)),
    messages.map((message) => message.reasoning),
    messages.map((message) => (message.observedMetrics === null ? null : JSON.stringify(message.observedMetrics))),
    messages.map((message) => JSON.stringify(message.concerns)),
    messages.map((message) => message.agrees),
    messages.map((message) => message.refused),
    messages.map((message) => message.proposedAction),
  ],
});

/** What only PostgreSQL knows of one who may review. Times in ms since the epoch, UTC; null: none. */
export interface ReviewerFactsRow {
  readonly agent_id: string;
  readonly busy: boolean;
  /** It and the paused agent were in one review lately. */
  readonly met: boolean;
  readonly graded: number;
  readonly last_paused_at: number | null;
  readonly same_place: boolean;
}

const PAUSE_EVENTS = [AUDIT_EVENTS.agentPaused, AUDIT_EVENTS.agentResumed, AUDIT_EVENTS.pauseExpired];

/**
 * What is asked of candidates, in one statement for all of them (BW-dialectic.09): who is in a review, who met the paused
 * agent since `metSince`, who has how many graded results from before the pause (counted up to `enough`), who was under a
 * pause since `pausedSince`, and who was met at a place of the paused agent.
 */
export const selectReviewerFacts = (search: {
  readonly candidates: readonly string[];
  readonly pausedAgentId: string;
  readonly pausedAt: number;
  readonly enough: number;
  readonly metSince: number;
  readonly pausedSince: number;
}): Statement => ({
  name: 'dialectic.reviewer_facts',
  text: `WITH engaged AS (
           SELECT paused_agent_id AS paused, reviewer_agent_id AS reviewer, status = 'active' AS active
           FROM core.dialectic_sessions
           WHERE status = 'active' OR (reviewer_agent_id IS NOT NULL AND created_at >= $5::timestamptz)
         ), busy AS (
           SELECT paused AS id FROM engaged WHERE active UNION SELECT reviewer FROM engaged WHERE active
         ), met AS (
           SELECT reviewer AS id FROM engaged WHERE paused = $2 UNION SELECT paused FROM engaged WHERE reviewer = $2
         ), held AS (
           SELECT agent_id AS id, max(ts) AS at FROM audit.events
           WHERE event_type = ANY ($7::text[]) AND ts >= $6::timestamptz GROUP BY agent_id
         ), near AS (
           SELECT other.agent_id AS id FROM core.agent_places own JOIN core.agent_places other USING (place)
           WHERE own.agent_id = $2
           UNION
           SELECT other.agent_id FROM core.agent_process_bindings own
           JOIN core.agent_process_bindings other USING (host_id, pid, pid_start_time) WHERE own.agent_id = $2
         )
         SELECT c.id AS agent_id, c.id IN (SELECT id FROM busy WHERE id IS NOT NULL) AS busy,
           c.id IN (SELECT id FROM met WHERE id IS NOT NULL) AS met, held.at AS last_paused_at,
           c.id IN (SELECT id FROM near) AS same_place,
           (SELECT count(*)::int FROM (
              SELECT FROM audit.outcome_events o
              WHERE o.agent_id = c.id AND o.ts < $3::timestamptz AND o.graded ORDER BY o.ts DESC LIMIT $4) known) AS graded
         FROM unnest($1::text[]) AS c (id) LEFT JOIN held ON held.id = c.id`,
  values: [
    search.candidates,
    search.pausedAgentId,
    iso(search.pausedAt),
    search.enough,
    iso(search.metSince),
    iso(search.pausedSince),
    PAUSE_EVENTS,
  ],
});

/** When the agent's last pause before `pausedAt` ended, if that was after `since`; null: it was not. */
export const selectPreviousEnd = (agentId: string, pausedAt: number, since: number): Statement => ({
  name: 'dialectic.previous_end',
  text: `SELECT max(ts) AS at FROM audit.events
         WHERE agent_id = $1 AND ts >= $3::timestamptz AND ts <= $2::timestamptz AND event_type = ANY ($4::text[])`,
  values: [agentId, iso(pausedAt), iso(since), [AUDIT_EVENTS.agentResumed, AUDIT_EVENTS.pauseExpired]],
});

/** Active sessions that nobody has worked on since `before`, and those that wait for a person, oldest first. */
export const selectIdle = (before: number): Statement => ({
  name: 'dialectic.idle',
  text: `SELECT session_id FROM core.dialectic_sessions s
         WHERE status = 'active' AND least(last_participant_at, facilitation_since) < $1::timestamptz
           AND NOT EXISTS (SELECT FROM coordination.session_resolution_sagas g
                           WHERE g.session_id = s.session_id AND g.state NOT IN ('pg_committed', 'reverted'))
         ORDER BY last_participant_at`,
  values: [iso(before)],
});

/** A row of the audit trail for the reviewer that an operator assigned; beside the chain of the agent, which is its own. */
export const insertAssigned = (step: ReassignStep, operator: string, reason: string, now: number): Statement => ({
  text: `INSERT INTO audit.events (ts, event_id, agent_id, event_type, payload)
         VALUES ($1::timestamptz, gen_random_uuid(), $2, $3, $4::jsonb)`,
  values: [
    new Date(now).toISOString(),
    step.session.pausedAgentId,
    AUDIT_EVENTS.reviewerAssigned,
    JSON.stringify({
      session_id: step.session.sessionId,
      old_reviewer_id: step.oldReviewerId,
      new_reviewer_id: step.newReviewerId,
      reopened: step.reopened,
      operator,
      reason,
    }),
  ],
});

/** A row of the audit trail for what an operator said to an agreement, beside the chain of the agent. */
export const insertConfirmed = (
  session: Session,
  decision: { readonly operator: string; readonly decision: 'accept' | 'reject'; readonly reason: string },
  now: number,
): Statement => ({
  text: `INSERT INTO audit.events (ts, event_id, agent_id, event_type, payload)
         VALUES ($1::timestamptz, gen_random_uuid(), $2, $3, $4::jsonb)`,
  values: [
    iso(now),
    session.pausedAgentId,
    decision.decision === 'accept' ? AUDIT_EVENTS.reviewConfirmed : AUDIT_EVENTS.reviewRejected,
    JSON.stringify({
      session_id: session.sessionId,
      reviewer_agent_id: session.reviewerAgentId,
      action: session.confirmation?.action ?? null,
      why: session.confirmation?.why ?? [],
      operator: decision.operator,
      reason: decision.reason,
    }),
  ],
});
