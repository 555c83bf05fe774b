import { AUDIT_EVENTS, type Outcome } from '@breakwater/contract';
import { accept } from '@breakwater/contract';
import type { AgentChange, AgentHead, Agents, AuditDraft } from '../agents/index.ts';
import type { Database, Queryable } from '../postgres/index.ts';
import { faultPoint, type Clock, type Ids } from '../runtime/index.ts';
import { conditionsOf } from './obligations.ts';
import { storeConditions, type AcceptedCondition } from './rules/conditions.ts';
import type { Message, Resolution, Session } from './session.ts';
import * as sql from './saga-sql.ts';
import { insertMessages, lockSession, selectSession, sessionFromRow, updateSession } from './sql.ts';
import type { SagaRow } from './saga-sql.ts';

/** What a resolution does: the terms that were signed, and the conditions as later check-ins enforce them. */
export interface SagaPayload {
  readonly resolution: Resolution;
  readonly resolutionHash: string;
  readonly conditions: readonly AcceptedCondition[];
  readonly synthesizer: string | null;
}

/** What became of a resolution. `applied`: the paused agent was made active by it. */
export type SagaEnd =
  | { readonly kind: 'committed'; readonly applied: boolean }
  | { readonly kind: 'reverted'; readonly reason: string }
  /** Somebody else drives it now, with a newer epoch. */
  | { readonly kind: 'lost' };

interface SagaOptions<M> {
  readonly database: Database;
  readonly agents: Agents<M>;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Opens a new account of claims for an agent that a resolution makes active. */
  readonly settleClaims: (memory: M) => { readonly memory: M; readonly evidence: NonNullable<AgentChange['evidence']> };
  /** A saga was given up; a person must look at it. */
  readonly onDeadLetter: (saga: { sagaId: string; sessionId: string; error: string }) => void;
}

/** A saga that nobody has moved for this long has lost its driver. */
const LEASE_MS = 10_000;
const MAX_ATTEMPTS = 5;
/** Reviewers that are nobody's agent, and so are not reserved. */
const SYNTHETIC = /^llm-/;

/** Agents that a saga holds: the paused one, and the reviewer when that is another agent. */
const heldBy = (saga: Pick<SagaRow, 'paused_agent_id' | 'reviewer_agent_id'>): string[] => {
  const { paused_agent_id: paused, reviewer_agent_id: reviewer } = saga;
  const another = reviewer !== null && reviewer !== paused && !SYNTHETIC.test(reviewer);
  return another ? [paused, reviewer].sort() : [paused];
};

/** Takes a step back whole; the saga is not this owner's any more, or must end otherwise. */
class StepUndone extends Error {
  readonly end: SagaEnd;
  constructor(end: SagaEnd) {
    super(end.kind);
    this.end = end;
  }
}

/**
 * Carries an agreed resolution out, through any crash (W3-9.01 to W3-9.22).
 *
 *     reserved ─▶ paused_agent_applied ─▶ both_agents_applied ─▶ pg_committed
 *        │                 │                      │
 *        └─────────────────┴──────────────────────┴──▶ reverting ─▶ reverted
 *
 * - `reserved`: saga and one reservation per agent, in the transaction that records the agreement. An agent is in one saga
 *   at a time.
 * - `paused_agent_applied`, `both_agents_applied`: what will become of each agent is staged; nobody outside sees it.
 * - `pg_committed`: agent, session, saga, effects and the release of the agents, in one transaction. The only step that the
 *   world sees; after it everything is done.
 * - `reverting`, `reverted`: somebody else has ended the session meanwhile; what was staged is dropped. Final.
 *
 * Each arrow is one transaction that compares (saga, state, epoch). Whoever finds another epoch has been replaced and
 * stops. Recovery takes over what has not moved for ten seconds, rolls forward, and after five attempts gives up into a
 * dead letter, with which a person is asked for.
 */
export class Saga<M> {
  readonly #options: SagaOptions<M>;

  constructor(options: SagaOptions<M>) {
    this.#options = options;
  }

  /**
   * Begins a saga in the transaction that records the agreement. Undefined when the session has one in flight, this very
   * resolution was carried out already, or another saga holds one of the agents: then nothing of it was written.
   */
  async reserve(tx: Queryable, session: Session, payload: SagaPayload): Promise<SagaRow | undefined> {
    const { ids, clock } = this.#options;
    await tx.query({ text: 'SAVEPOINT reserve' });
    const [saga] = await tx.query<SagaRow>(
      sql.insertSaga({
        sagaId: ids.uuid(),
        sessionId: session.sessionId,
        pausedAgentId: session.pausedAgentId,
        reviewerAgentId: session.reviewerAgentId,
        payload: payload as unknown as Record<string, unknown>,
        hash: `resolved:${payload.resolutionHash}`,
        now: clock.now(),
      }),
    );
    if (saga !== undefined) {
      const held = heldBy(saga);
      const free = await tx.query(sql.insertReservations(saga.saga_id, held));
      if (free.length === held.length) {
        await tx.query({ text: 'RELEASE SAVEPOINT reserve' });
        return saga;
      }
    }
    await tx.query({ text: 'ROLLBACK TO SAVEPOINT reserve' });
    return undefined;
  }

  /** Drives a saga to its end, from wherever it stands. Rejects when PostgreSQL does; recovery goes on from there. */
  async drive(started: SagaRow): Promise<SagaEnd> {
    let saga = started;
    for (;;) {
      const next = await this.#step(saga);
      if (next.end !== undefined) return next.end;
      saga = { ...saga, state: next.state };
    }
  }

  /**
   * Takes over every saga whose driver is gone, and drives it on; at the start and every few seconds. `immediately`: also
   * those that moved just now. Gives how each ended.
   */
  async recover(immediately = false): Promise<SagaEnd[]> {
    const { database, clock } = this.#options;
    const now = clock.now();
    const taken = await database.query<SagaRow>(sql.takeOver(immediately ? now : now - LEASE_MS, now));
    const ends: SagaEnd[] = [];
    for (const saga of taken) {
      try {
        ends.push(await this.drive(saga));
      } catch (error) {
        if (saga.attempt_count < MAX_ATTEMPTS) continue;
        await this.#giveUp(saga, error instanceof Error ? error.message : String(error));
      }
    }
    return ends;
  }

  /** The session has ended otherwise: what was staged is dropped, and the agents are free (W3-9.17). */
  async #revert(saga: SagaRow, reason: string): Promise<SagaEnd> {
    const { database, clock } = this.#options;
    const now = clock.now();
    if (saga.state !== 'reverting') {
      const moved = await database.query(sql.moveSaga(saga, saga.state, 'reverting', now));
      if (moved.length === 0) return { kind: 'lost' };
      faultPoint('saga.reverting');
    }
    return this.#inOne(async (tx) => {
      await this.#move(tx, { ...saga, state: 'reverting' }, 'reverted');
      await tx.query(sql.deleteStages(saga.saga_id));
      await tx.query(sql.deleteReservations(saga.saga_id));
      return { kind: 'reverted', reason };
    });
  }

  async #step(saga: SagaRow): Promise<{ state: SagaRow['state']; end?: undefined } | { end: SagaEnd }> {
    const { paused_agent_id: paused, reviewer_agent_id: reviewer } = saga;
    switch (saga.state) {
      case 'reserved':
        faultPoint('saga.reserved');
        return this.#stage(saga, paused, 'paused_agent_applied');
      case 'paused_agent_applied': {
        faultPoint('saga.paused_agent_applied');
        const another = reviewer === null || !heldBy(saga).includes(reviewer) || reviewer === paused ? null : reviewer;
        return this.#stage(saga, another, 'both_agents_applied');
      }
      case 'both_agents_applied':
        faultPoint('saga.both_agents_applied');
        return { end: await this.#commit(saga) };
      case 'reverting':
        return { end: await this.#revert(saga, 'the session had ended') };
      case 'pg_committed':
        return { end: { kind: 'committed', applied: true } };
      case 'reverted':
        return { end: { kind: 'reverted', reason: 'reverted before' } };
    }
  }

  /** Stages what will become of one agent; null: there is nobody to stage, and the saga moves on all the same (W3-9.18). */
  async #stage(saga: SagaRow, agentId: string | null, to: SagaRow['state']) {
    const staged = await this.#inOne<SagaEnd | 'moved'>(async (tx) => {
      if (agentId !== null) {
        const payload = saga.resolution_payload_json as unknown as SagaPayload;
        const staging = await this.#options.agents.applyIn(tx, agentId, ({ head }) => {
          const before = {
            status: head.status,
            pause: head.pause,
            conditions: head.conditions,
            sequence: head.sequence,
          };
          const is = agentId === saga.paused_agent_id && head.status === 'paused';
          const after = is
            ? {
                ...before,
                status: 'active',
                pause: null,
                conditions: withConditions(head, payload.conditions, this.#options.clock.now()),
              }
            : before;
          return Promise.resolve(accept({ reply: { before, after } }));
        });
        // An agent that is gone has nothing staged; the resolution of its session is committed all the same.
        if (staging.ok) await tx.query(sql.stageAgent(saga, agentId, staging.value));
      }
      await this.#move(tx, saga, to);
      return 'moved';
    });
    return staged === 'moved' ? { state: to } : { end: staged };
  }

  async #commit(saga: SagaRow): Promise<SagaEnd> {
    const { agents, clock } = this.#options;
    const now = clock.now();
    const payload = saga.resolution_payload_json as unknown as SagaPayload;
    const ended = await this.#inOne<SagaEnd>(async (tx) => {
      // The order of locks everywhere: session, agents by id, saga.
      await tx.query(lockSession(saga.session_id));
      const [row] = await tx.query<Parameters<typeof sessionFromRow>[0]>(selectSession(saga.session_id));
      if (row === undefined) throw new StepUndone({ kind: 'reverted', reason: 'the session is gone' });
      const session = sessionFromRow(row);
      if (session.phase === 'resolved' || session.phase === 'failed') {
        throw new StepUndone({ kind: 'reverted', reason: `the session is ${session.phase} already` });
      }
      const applied = await this.#resume(tx, saga, payload);
      await tx.query(
        updateSession(
          {
            ...session,
            phase: 'resolved',
            awaitingFacilitation: false,
            facilitationSince: null,
            resolution: payload.resolution,
          },
          now,
        ),
      );
      await tx.query(insertMessages(saga.session_id, [systemMessage(resolvedText(applied), now)]));
      await tx.query(sql.insertEffect(saga.saga_id, 'resolution_outcome', { applied: applied.ok, at: now }, now));
      await tx.query(sql.deleteReservations(saga.saga_id));
      await this.#move(tx, saga, 'pg_committed');
      faultPoint('saga.before_commit');
      return { kind: 'committed', applied: applied.ok && applied.value };
    });
    if (ended.kind === 'reverted') return this.#revert(saga, ended.reason);
    if (ended.kind === 'committed') {
      faultPoint('saga.committed');
      await agents.announce(heldBy(saga));
    }
    return ended;
  }

  /** Makes the paused agent active under its conditions; one that is not paused stays as it is. */
  #resume(tx: Queryable, saga: SagaRow, payload: SagaPayload): Promise<Outcome<boolean>> {
    const { agents, clock, settleClaims } = this.#options;
    return agents.applyIn(tx, saga.paused_agent_id, ({ head, memory }) => {
      if (head.status !== 'paused') return Promise.resolve(accept({ reply: false }));
      const settled = settleClaims(memory);
      const event: AuditDraft = {
        type: AUDIT_EVENTS.agentResumed,
        payload: {
          by: 'review',
          session_id: saga.session_id,
          saga_id: saga.saga_id,
          resolution_hash: payload.resolutionHash,
          previous_status: head.status,
          actuation_id: head.pause?.actuation_id ?? null,
        },
      };
      const change: AgentChange = {
        at: clock.now(),
        status: 'active',
        pause: null,
        conditions: withConditions(head, payload.conditions, clock.now()),
        evidence: settled.evidence,
        events: [event],
      };
      return Promise.resolve(accept({ reply: true, memory: settled.memory, change }));
    });
  }

  /** Gives a saga up, and asks for a person: an operator retries or reverts it (W3-9.16). */
  async #giveUp(saga: SagaRow, error: string): Promise<void> {
    const { database, clock, onDeadLetter } = this.#options;
    const now = clock.now();
    const given = await database.transaction(async (tx) => {
      await tx.query(lockSession(saga.session_id));
      const rows = await tx.query(sql.deadLetter(saga, error, now));
      if (rows.length === 0) return false;
      await tx.query({
        text: `UPDATE core.dialectic_sessions SET awaiting_facilitation = true,
                 facilitation_since = coalesce(facilitation_since, $2::timestamptz), sequence = sequence + 1
               WHERE session_id = $1 AND status = 'active'`,
        values: [saga.session_id, new Date(now).toISOString()],
      });
      return true;
    });
    if (given) onDeadLetter({ sagaId: saga.saga_id, sessionId: saga.session_id, error });
  }

  /** One transaction; a step that is undone gives the end that it names. */
  async #inOne<T>(work: (tx: Queryable) => Promise<T>): Promise<T | SagaEnd> {
    try {
      return await this.#options.database.transaction(work);
    } catch (error) {
      if (error instanceof StepUndone) return error.end;
      throw error;
    }
  }

  async #move(tx: Queryable, saga: SagaRow, to: SagaRow['state']): Promise<void> {
    const moved = await tx.query(sql.moveSaga(saga, saga.state, to, this.#options.clock.now()));
    if (moved.length === 0) throw new StepUndone({ kind: 'lost' });
  }
}

const withConditions = (head: AgentHead, added: readonly AcceptedCondition[], now: number): AgentHead['conditions'] =>
  storeConditions(conditionsOf(head), added, now) as unknown as AgentHead['conditions'];

const resolvedText = (applied: Outcome<boolean>): string => {
  if (!applied.ok) return 'Resolved. The agent is gone; nothing was applied.';
  return applied.value
    ? 'Resolved. The agent is active again, under the conditions.'
    : 'Resolved. The agent was not paused; nothing was applied.';
};

/** A line that the server itself adds to a record. */
export const systemMessage = (reasoning: string, at: number, type: 'system' | 'failed' = 'system'): Message => ({
  type,
  agentId: 'system',
  at,
  rootCause: null,
  conditions: [],
  reasoning,
  agrees: null,
  concerns: [],
  observedMetrics: null,
  refused: false,
});
