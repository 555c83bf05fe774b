import { ok, AUDIT_EVENTS, refuse, type AuditEventType, type Result } from '@breakwater/contract';
import { announcements, type Database, type Queryable, type Statement } from '../postgres/index.ts';
import { iso, type Ids } from '../runtime/index.ts';
import { ASKING_NOBODY, failSession, hasEnded } from './rules/change.ts';
import type { SagaState } from './saga-sql.ts';
import { insertMessages, lockSession, selectSession, sessionFromRow, updateSession } from './sql.ts';

/** A saga as an operator sees it. Times in ms since the epoch, UTC. */
export interface SagaView {
  readonly sagaId: string;
  readonly sessionId: string;
  readonly pausedAgentId: string;
  readonly reviewerAgentId: string | null;
  readonly state: SagaState;
  /** How often recovery took it over, since it began or was given back. */
  readonly attempts: number;
  /** Why it was given up; it stays when the saga is given back. */
  readonly lastError: string | null;
  readonly createdAt: number;
  /** When it was given up; null: never, or it was given back since. */
  readonly deadLetterAt: number | null;
}

/** What an operator does to a saga. */
interface Act {
  readonly sagaId: string;
  /** Who does it, for the record. */
  readonly by: string;
  readonly now: number;
  readonly ids: Ids;
  /** Why; a revert always has it. */
  readonly reason?: string;
}

/** How many sagas that have ended a list shows. */
export const ENDED_LIMIT = 100;
const MAX_REASON = 1000;
/** The live table under which nodes hear that an agent is held, or free. */
const RESERVATIONS = 'saga_reservations';

const isOver = ({ state }: SagaView): boolean => state === 'pg_committed' || state === 'reverted';

/** Whether the saga was given up, and waits for an operator (W3-9.16). */
export const isDeadLetter = (saga: SagaView): boolean => saga.deadLetterAt !== null && !isOver(saga);

/** Sagas that have not ended, dead letters first and then the oldest; with `all` also the {@link ENDED_LIMIT} newest that have. */
export const listSagas = async (database: Database, all: boolean): Promise<SagaView[]> => {
  const open = await database.query<SagaView>(selectOpen());
  return all ? [...open, ...(await database.query<SagaView>(selectOver()))] : open;
};

/**
 * Gives a dead letter back to recovery, which takes it over as if it had never been tried, and rolls it forward (W3-9.16).
 * Refusals: PARAMETER_ERROR for an unknown saga, SAGA_IN_FLIGHT for one that recovery tends already, INVALID_PHASE for one
 * that has ended.
 */
export const retrySaga = (database: Database, act: Act): Promise<Result<SagaView>> =>
  database.transaction(async (tx) => {
    const [saga] = await tx.query<SagaView>(selectSaga(act.sagaId, 'lock'));
    if (saga === undefined) return unknownSaga(act.sagaId);
    if (isOver(saga)) return refuseOver(saga);
    if (!isDeadLetter(saga)) {
      return refuse('SAGA_IN_FLIGHT', `Saga ${saga.sagaId} is under way: it was not given up.`, {
        recovery: { action: 'There is nothing to retry; "breakwater saga list" shows what becomes of it.' },
      });
    }
    await tx.query(giveBack(saga.sagaId));
    const why = act.reason === undefined ? {} : { reason: act.reason };
    await tx.query(insertEvent(saga, act, AUDIT_EVENTS.sagaRetried, why));
    return ok({ ...saga, attempts: 0, deadLetterAt: null });
  });

/**
 * Takes a dead letter back for good (W3-9.16): nothing of the resolution is applied, the saga is `reverted`, its agents are
 * free, and its session has failed, with who and why in its record. `force`: also a saga that is still under way. Whoever
 * drives it finds another epoch, and changes nothing any more. `endedSession`: false when the session had ended before.
 *
 * Refusals: PARAMETER_ERROR for an unknown saga and for a reason that is none, SAGA_IN_FLIGHT for a saga that was not given
 * up, INVALID_PHASE for one that has ended.
 */
export const revertSaga = async (
  database: Database,
  act: Act & { readonly reason: string; readonly force: boolean },
): Promise<Result<{ readonly saga: SagaView; readonly endedSession: boolean }>> => {
  const reason = act.reason.trim();
  if (reason === '' || reason.length > MAX_REASON) {
    return refuse('PARAMETER_ERROR', `reason must have 1 to ${MAX_REASON} characters.`, {
      details: { field: 'reason' },
      recovery: {
        action: 'Say why the resolution is not carried out; its agents read it in the record of the review.',
      },
    });
  }
  return database.transaction(async (tx) => {
    // The order of locks everywhere: session, then saga. A commit that is under way is waited for, and found.
    const [known] = await tx.query<SagaView>(selectSaga(act.sagaId));
    if (known === undefined) return unknownSaga(act.sagaId);
    await tx.query(lockSession(known.sessionId));
    const [saga] = await tx.query<SagaView>(selectSaga(act.sagaId, 'lock'));
    if (saga === undefined) return unknownSaga(act.sagaId);
    if (isOver(saga)) return refuseOver(saga);
    if (!isDeadLetter(saga) && !act.force) {
      return refuse('SAGA_IN_FLIGHT', `Saga ${saga.sagaId} is under way: it was not given up.`, {
        recovery: { action: 'Wait: it is carried out, or given up. To take it back all the same: --force' },
      });
    }
    const why = `The resolution was taken back by ${act.by}: ${reason}`;
    const endedSession = await endSession(tx, saga.sessionId, why, act.now);
    const freed = await tx.query<{ agent_id: string }>(takeBack(saga.sagaId, act.now));
    await tx.query(insertEvent(saga, act, AUDIT_EVENTS.sagaReverted, { reason, ended_session: endedSession }));
    const agentIds = freed.map(({ agent_id }) => agent_id);
    for (const statement of announcements(RESERVATIONS, agentIds)) await tx.query(statement);
    return ok({ saga: { ...saga, state: 'reverted' }, endedSession });
  });
};

/**
 * Ends a session as failed, unless it has ended. An agreed session that stayed open would be begun again (W3-9.22); and the
 * call for a person is answered, since one that stood would let somebody open again what the two have agreed on.
 */
const endSession = async (tx: Queryable, sessionId: string, why: string, now: number): Promise<boolean> => {
  const [row] = await tx.query<Parameters<typeof sessionFromRow>[0]>(selectSession(sessionId));
  const session = row && sessionFromRow(row);
  if (session === undefined || hasEnded(session)) return false;
  const failed = failSession({ ...session, ...ASKING_NOBODY }, why, now);
  await tx.query(insertMessages(sessionId, failed.messages));
  await tx.query(updateSession(failed.session, now));
  return true;
};

const unknownSaga = (sagaId: string) =>
  refuse('PARAMETER_ERROR', `No saga ${sagaId}.`, {
    details: { field: 'saga_id' },
    recovery: { action: '"breakwater saga list --all" shows which there are.' },
  });

const refuseOver = ({ sagaId, state }: SagaView) =>
  refuse('INVALID_PHASE', `Saga ${sagaId} is ${state === 'pg_committed' ? 'carried out' : 'taken back'} already.`, {
    details: { state },
    recovery: { action: 'That is final; "breakwater saga list" shows what is not.' },
  });

const VIEW = `saga_id AS "sagaId", session_id AS "sessionId", paused_agent_id AS "pausedAgentId",
  reviewer_agent_id AS "reviewerAgentId", state, attempt_count AS attempts, last_error AS "lastError",
  created_at AS "createdAt", dead_letter_at AS "deadLetterAt"`;
const OPEN = `state IN ('reserved', 'paused_agent_applied', 'both_agents_applied', 'reverting')`;

const selectOpen = (): Statement => ({
  text: `SELECT ${VIEW} FROM coordination.session_resolution_sagas WHERE ${OPEN}
         ORDER BY dead_letter_at IS NULL, created_at, saga_id`,
});

const selectOver = (): Statement => ({
  text: `SELECT ${VIEW} FROM coordination.session_resolution_sagas WHERE NOT ${OPEN}
         ORDER BY created_at DESC, saga_id LIMIT ${ENDED_LIMIT}`,
});

const selectSaga = (sagaId: string, lock?: 'lock'): Statement => ({
  text: `SELECT ${VIEW} FROM coordination.session_resolution_sagas WHERE saga_id = $1
         ${lock === undefined ? '' : 'FOR NO KEY UPDATE'}`,
  values: [sagaId],
});

const giveBack = (sagaId: string): Statement => ({
  // The old instant lets recovery take it at its next turn, without waiting for the lease of an owner that is gone.
  text: `UPDATE coordination.session_resolution_sagas
         SET dead_letter_at = NULL, attempt_count = 0, last_attempt_at = to_timestamp(0) WHERE saga_id = $1`,
  values: [sagaId],
});

/** Ends a saga, drops what it staged and frees its agents, which it returns. The higher epoch stops a slow owner. */
const takeBack = (sagaId: string, now: number): Statement => ({
  text: `WITH ended AS (
           UPDATE coordination.session_resolution_sagas
           SET state = 'reverted', reverted_at = $2::timestamptz, last_attempt_at = $2::timestamptz, epoch = epoch + 1
           WHERE saga_id = $1
         ), unstaged AS (
           DELETE FROM coordination.saga_stages WHERE saga_id = $1
         )
         DELETE FROM coordination.saga_reservations WHERE saga_id = $1 RETURNING agent_id`,
  values: [sagaId, iso(now)],
});

/** A row of the audit trail beside the agent's chain, which is the agent's own. `saga`: as the operator found it. */
const insertEvent = (
  saga: SagaView,
  act: Act,
  type: AuditEventType,
  facts: Readonly<Record<string, unknown>>,
): Statement => ({
  text: `INSERT INTO audit.events (ts, event_id, agent_id, event_type, payload)
         VALUES ($1::timestamptz, $2, $3, $4, $5::jsonb)`,
  values: [
    iso(act.now),
    act.ids.uuid(),
    saga.pausedAgentId,
    type,
    JSON.stringify({
      saga_id: saga.sagaId,
      session_id: saga.sessionId,
      state: saga.state,
      dead_letter: isDeadLetter(saga),
      attempts: saga.attempts,
      last_error: saga.lastError,
      by: act.by,
      ...facts,
    }),
  ],
});
