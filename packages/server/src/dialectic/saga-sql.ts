import type { Statement } from '../postgres/index.ts';
import { iso } from '../runtime/index.ts';

/** Where a saga stands; the class {@link Saga} draws the line. */
export type SagaState =
  'reserved' | 'paused_agent_applied' | 'both_agents_applied' | 'pg_committed' | 'reverting' | 'reverted';

export interface SagaRow {
  readonly saga_id: string;
  readonly session_id: string;
  readonly paused_agent_id: string;
  readonly reviewer_agent_id: string | null;
  readonly state: SagaState;
  readonly resolution_payload_json: Readonly<Record<string, unknown>>;
  readonly resolution_payload_hash: string;
  readonly epoch: number;
  readonly attempt_count: number;
  readonly dead_letter_at: number | null;
}

const COLUMNS = `saga_id, session_id, paused_agent_id, reviewer_agent_id, state, resolution_payload_json,
  resolution_payload_hash, epoch, attempt_count, dead_letter_at`;
const IN_FLIGHT = `('reserved', 'paused_agent_applied', 'both_agents_applied', 'reverting')`;

/**
 * A saga and the reservations of its agents, taken in the order of their ids (W3-9.04, W3-9.21). No row: one of the session
 * is in flight, or has this payload already (W3-9.02, W3-9.03). `held` tells how many agents were free.
 */
export const insertSaga = (saga: {
  readonly sagaId: string;
  readonly sessionId: string;
  readonly pausedAgentId: string;
  readonly reviewerAgentId: string | null;
  readonly agentIds: readonly string[];
  readonly payload: Readonly<Record<string, unknown>>;
  readonly hash: string;
  readonly now: number;
}): Statement => ({
  name: 'saga.insert',
  text: `WITH saga AS (
           INSERT INTO coordination.session_resolution_sagas (saga_id, session_id, paused_agent_id, reviewer_agent_id, state,
             outcome, resolution_payload_json, resolution_payload_hash, created_at, last_attempt_at)
           VALUES ($1, $2, $3, $4, 'reserved', 'resolved', $5::jsonb, $6, $7::timestamptz, $7::timestamptz)
           ON CONFLICT DO NOTHING RETURNING ${COLUMNS}
         ), held AS (
           INSERT INTO coordination.saga_reservations (agent_id, saga_id)
           SELECT id, saga_id FROM saga, unnest($8::text[]) AS id ORDER BY id ON CONFLICT DO NOTHING RETURNING agent_id
         )
         SELECT saga.*, (SELECT count(*)::int FROM held) AS held FROM saga`,
  values: [
    saga.sagaId,
    saga.sessionId,
    saga.pausedAgentId,
    saga.reviewerAgentId,
    JSON.stringify(saga.payload),
    saga.hash,
    iso(saga.now),
    saga.agentIds,
  ],
});

/** Takes a saga that could not hold all of its agents back, with what it holds. */
export const deleteSaga = (sagaId: string): Statement => ({
  name: 'saga.delete',
  text: 'DELETE FROM coordination.session_resolution_sagas WHERE saga_id = $1',
  values: [sagaId],
});

const ACKNOWLEDGED: Readonly<Partial<Record<SagaState, string>>> = {
  paused_agent_applied: 'paused_agent_ack_at',
  both_agents_applied: 'reviewer_agent_ack_at',
  pg_committed: 'pg_committed_at',
  reverted: 'reverted_at',
};

/** Moves a saga on; returns no row when it is not in this state and epoch any more: its owner must stop (W3-9.15). */
export const moveSaga = (
  saga: Pick<SagaRow, 'saga_id' | 'epoch'>,
  from: SagaState,
  to: SagaState,
  now: number,
): Statement => {
  const stamp = ACKNOWLEDGED[to];
  return {
    name: `saga.${from}.${to}`,
    text: `UPDATE coordination.session_resolution_sagas
           SET state = '${to}'${stamp === undefined ? '' : `, ${stamp} = $3::timestamptz`}, last_attempt_at = $3::timestamptz
           WHERE saga_id = $1 AND epoch = $2 AND state = '${from}' RETURNING saga_id`,
    values: [saga.saga_id, saga.epoch, iso(now)],
  };
};

/**
 * Moves a saga on, and stages what it will do to an agent; a redo replaces what an older epoch staged (W3-9.06). No row: as
 * for {@link moveSaga}. `images` null: there is nobody to stage.
 *
 * The one commit that counts flushes the log up to itself, so that this one need not: should the machine lose it, recovery
 * stages again.
 */
export const stageAgent = (
  saga: Pick<SagaRow, 'saga_id' | 'epoch'>,
  from: SagaState,
  to: 'paused_agent_applied' | 'both_agents_applied',
  agentId: string | null,
  images: { readonly before: object; readonly after: object } | null,
  now: number,
): Statement => ({
  name: `saga.stage.${to}`,
  text: `WITH unhurried AS (SELECT set_config('synchronous_commit', 'off', true) AS is),
         moved AS (
           UPDATE coordination.session_resolution_sagas
           SET state = '${to}', ${ACKNOWLEDGED[to] ?? ''} = $3::timestamptz, last_attempt_at = $3::timestamptz
           FROM unhurried WHERE saga_id = $1 AND epoch = $2 AND state = '${from}' AND unhurried.is = 'off' RETURNING saga_id
         ), staged AS (
           INSERT INTO coordination.saga_stages (saga_id, agent_id, epoch, before_image, after_image)
           SELECT saga_id, $4, $2, $5::jsonb, $6::jsonb FROM moved WHERE $5::jsonb IS NOT NULL
           ON CONFLICT (saga_id, agent_id) DO UPDATE
             SET epoch = excluded.epoch, before_image = excluded.before_image, after_image = excluded.after_image
         )
         SELECT saga_id FROM moved`,
  values: [
    saga.saga_id,
    saga.epoch,
    iso(now),
    agentId,
    images === null ? null : JSON.stringify(images.before),
    images === null ? null : JSON.stringify(images.after),
  ],
});

/** Gives the agents of a saga free. */
export const deleteReservations = (sagaId: string): Statement => ({
  name: 'saga.release',
  text: 'DELETE FROM coordination.saga_reservations WHERE saga_id = $1',
  values: [sagaId],
});

/** Drops what a saga staged. */
export const deleteStages = (sagaId: string): Statement => ({
  name: 'saga.unstage',
  text: 'DELETE FROM coordination.saga_stages WHERE saga_id = $1',
  values: [sagaId],
});

/** Ends a session as resolved, and so locks its row. No row: it is gone, or somebody has ended it already. */
export const resolveSession = (sessionId: string, resolution: object, now: number): Statement => ({
  name: 'saga.resolve_session',
  text: `UPDATE core.dialectic_sessions
         SET phase = 'resolved', awaiting_facilitation = false, facilitation_since = NULL, resolution_json = $2::jsonb,
             updated_at = $3::timestamptz, sequence = sequence + 1
         WHERE session_id = $1 AND phase NOT IN ('resolved', 'failed') RETURNING session_id`,
  values: [sessionId, JSON.stringify(resolution), iso(now)],
});

/**
 * Ends a saga by its commit: its state, the release of its agents, the last line of the session's record, and the effect that
 * follows, once per saga, however often it is redone (W3-9.19). No row: as for {@link moveSaga}.
 */
export const commitSaga = (
  saga: Pick<SagaRow, 'saga_id' | 'epoch'>,
  line: string,
  effect: { readonly name: string; readonly payload: object },
  now: number,
): Statement => ({
  name: 'saga.commit',
  text: `WITH moved AS (
           UPDATE coordination.session_resolution_sagas
           SET state = 'pg_committed', pg_committed_at = $3::timestamptz, last_attempt_at = $3::timestamptz
           WHERE saga_id = $1 AND epoch = $2 AND state = 'both_agents_applied' RETURNING saga_id, session_id
         ), said AS (
           INSERT INTO core.dialectic_messages (session_id, agent_id, message_type, "timestamp", reasoning)
           SELECT session_id, 'system', 'system', $3::timestamptz, $6 FROM moved
         ), released AS (
           DELETE FROM coordination.saga_reservations r USING moved WHERE r.saga_id = moved.saga_id
         ), kept AS (
           INSERT INTO coordination.outbox (saga_id, effect, payload, created_at)
           SELECT saga_id, $4, $5::jsonb, $3::timestamptz FROM moved ON CONFLICT DO NOTHING
         )
         SELECT saga_id FROM moved`,
  values: [saga.saga_id, saga.epoch, iso(now), effect.name, JSON.stringify(effect.payload), line],
});

/**
 * Takes over sagas that nobody has moved since `before`: raises their epoch and counts the attempt, so that whoever held
 * them changes nothing any more. Rows that another node is taking are left to it (W3-9.14).
 */
export const takeOver = (before: number, now: number): Statement => ({
  name: 'saga.take_over',
  text: `UPDATE coordination.session_resolution_sagas SET epoch = epoch + 1, attempt_count = attempt_count + 1,
           last_attempt_at = $2::timestamptz
         WHERE saga_id IN (
           SELECT saga_id FROM coordination.session_resolution_sagas
           WHERE state IN ${IN_FLIGHT} AND dead_letter_at IS NULL AND last_attempt_at <= $1::timestamptz
           ORDER BY last_attempt_at LIMIT 100 FOR UPDATE SKIP LOCKED)
         RETURNING ${COLUMNS}`,
  values: [iso(before), iso(now)],
});

/**
 * Lets the effects of committed sagas out: each becomes a row of the audit trail that stands outside of the agents' chains,
 * once, since the row is named by its saga and written together with the end of its waiting (W3-9.19).
 */
export const deliverEffects = (eventType: string, now: number): Statement => ({
  name: 'saga.deliver',
  text: `WITH due AS (
           SELECT o.saga_id, o.effect, o.payload, o.created_at, g.session_id, g.paused_agent_id
           FROM coordination.outbox o JOIN coordination.session_resolution_sagas g ON g.saga_id = o.saga_id
           WHERE o.done_at IS NULL ORDER BY o.created_at LIMIT 100 FOR UPDATE OF o SKIP LOCKED
         ), sent AS (
           INSERT INTO audit.events (ts, event_id, agent_id, event_type, payload)
           SELECT created_at, saga_id, paused_agent_id, $1,
                  payload || jsonb_build_object('session_id', session_id, 'saga_id', saga_id) FROM due
           ON CONFLICT DO NOTHING
         )
         UPDATE coordination.outbox o SET done_at = $2::timestamptz, attempt_count = o.attempt_count + 1
         FROM due WHERE o.saga_id = due.saga_id AND o.effect = due.effect RETURNING o.saga_id`,
  values: [eventType, iso(now)],
});

/** Gives a saga up: recovery leaves it alone from now on (W3-9.16). */
export const deadLetter = (saga: Pick<SagaRow, 'saga_id' | 'epoch'>, error: string, now: number): Statement => ({
  text: `UPDATE coordination.session_resolution_sagas SET dead_letter_at = $3::timestamptz, last_error = $4
         WHERE saga_id = $1 AND epoch = $2 AND state IN ${IN_FLIGHT} RETURNING saga_id`,
  values: [saga.saga_id, saga.epoch, iso(now), error],
});

export interface ReservationRow {
  readonly agent_id: string;
  readonly saga_id: string;
}

/** Every agent that a saga holds. */
export const selectReservations = (): Statement => ({
  text: 'SELECT agent_id, saga_id FROM coordination.saga_reservations',
});

/** Those of these agents that a saga holds. */
export const selectReserved = (agentIds: readonly string[]): Statement => ({
  name: 'saga.reserved',
  text: 'SELECT agent_id, saga_id FROM coordination.saga_reservations WHERE agent_id = ANY($1::text[])',
  values: [agentIds],
});

/**
 * Sessions whose participants agreed and that no saga carries: the crash came in between (W3-9.22). What an operator has yet
 * to confirm is not among them.
 */
export const selectUndriven = (before: number): Statement => ({
  name: 'saga.undriven',
  text: `SELECT s.session_id FROM core.dialectic_sessions s
         JOIN LATERAL (SELECT agrees, message_type, refused FROM core.dialectic_messages m
                       WHERE m.session_id = s.session_id AND m.message_type <> 'system'
                       ORDER BY message_id DESC LIMIT 1) m ON true
         WHERE s.phase = 'synthesis' AND s.updated_at <= $1::timestamptz
           AND m.message_type = 'synthesis' AND m.agrees AND NOT m.refused
           AND s.confirmation_json ->> 'decision' IS DISTINCT FROM 'open'
           AND NOT EXISTS (SELECT FROM coordination.session_resolution_sagas g
                           WHERE g.session_id = s.session_id AND g.state IN ${IN_FLIGHT})
         LIMIT 100`,
  values: [iso(before)],
});
