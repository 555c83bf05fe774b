import { settleClaims } from '../outcomes/index.ts';
import { ok, AUDIT_EVENTS, type Result } from '@breakwater/contract';
import type { AgentChange, AgentHead, Agents } from '../agents/index.ts';
import type { Database, Notifier, Queryable } from '../postgres/index.ts';
import { createLiveTable, faultPoint, type Clock, type Ids, type LiveTable } from '../runtime/index.ts';
import type { AcceptedCondition } from './rules/conditions.ts';
import { execute, type Execution } from './rules/execution.ts';
import type { Resolution, Session } from './session.ts';
import * as sql from './saga-sql.ts';
import { lockSession } from './sql.ts';
import type { SagaRow } from './saga-sql.ts';

/** What a resolution does: the terms that were signed, and the conditions as later check-ins enforce them. */
export interface SagaPayload {
  readonly resolution: Resolution;
  readonly resolutionHash: string;
  readonly conditions: readonly AcceptedCondition[];
  readonly synthesizer: string | null;
  /** The operator who confirmed the agreement; absent where none had to. */
  readonly confirmedBy?: string;
}

/** What became of a resolution. `applied`: the paused agent was changed by it. */
export type SagaEnd =
  | { readonly kind: 'committed'; readonly applied: boolean }
  | { readonly kind: 'reverted'; readonly reason: string }
  /** Somebody else drives it now, with a newer epoch. */
  | { readonly kind: 'lost' };

interface SagaOptions {
  readonly database: Database;
  readonly agents: Agents;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly notifier: Notifier;
  /** Opens a new account of claims for an agent that a resolution makes active. */
  /** A saga was given up; a person must look at it. */
  readonly onDeadLetter: (saga: { sagaId: string; sessionId: string; error: string }) => void;
}

const TABLE = 'saga_reservations';
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
export class Saga {
  readonly #options: SagaOptions;
  /** Agents that a saga holds, with the saga. */
  readonly #held = createLiveTable<string>(TABLE);

  constructor(options: SagaOptions) {
    this.#options = options;
    options.notifier.onChange(TABLE, (agentIds) => this.#refresh(agentIds));
    options.notifier.onGap(() => this.load());
  }

  /** Loads which agents sagas hold. */
  async load(): Promise<void> {
    const rows = await this.#options.database.query<sql.ReservationRow>(sql.selectReservations());
    const held = new Map(rows.map((row) => [row.agent_id, row.saga_id]));
    for (const [agentId] of this.#held.table.entries()) if (!held.has(agentId)) this.#held.writer.remove(agentId);
    for (const [agentId, sagaId] of held) this.#held.writer.publish(agentId, sagaId);
  }

  get table(): LiveTable<string> {
    return this.#held.table;
  }

  /** False while a saga holds the agent: what is read of it may be about to change (W3-9.20). */
  isStable(agentId: string): boolean {
    return !this.#held.table.read(agentId).ok;
  }

  async #refresh(agentIds: readonly string[]): Promise<void> {
    const rows = await this.#options.database.query<sql.ReservationRow>(sql.selectReserved(agentIds));
    const held = new Map(rows.map((row) => [row.agent_id, row.saga_id]));
    for (const agentId of agentIds) {
      const sagaId = held.get(agentId);
      if (sagaId === undefined) this.#held.writer.remove(agentId);
      else this.#held.writer.publish(agentId, sagaId);
    }
  }

  /** The agents of a saga that has ended are free, here and on the other nodes, unless another one holds them by now. */
  #release(saga: SagaRow): void {
    for (const agentId of heldBy(saga)) {
      const held = this.#held.table.read(agentId);
      if (held.ok && held.value === saga.saga_id) this.#held.writer.remove(agentId);
      this.#options.notifier.announce(TABLE, agentId);
    }
  }

  /**
   * Begins a saga in the transaction that records the agreement. Undefined when the session has one in flight, this very
   * resolution was carried out already, or another saga holds one of the agents: then nothing of it was written.
   */
  async reserve(
    tx: Queryable,
    session: Pick<Session, 'sessionId' | 'pausedAgentId' | 'reviewerAgentId'>,
    payload: SagaPayload,
  ): Promise<SagaRow | undefined> {
    const { ids, clock } = this.#options;
    const parties = { paused_agent_id: session.pausedAgentId, reviewer_agent_id: session.reviewerAgentId };
    const agentIds = heldBy(parties);
    const [saga] = await tx.query<SagaRow & { readonly held: number }>(
      sql.insertSaga({
        sagaId: ids.uuid(),
        sessionId: session.sessionId,
        pausedAgentId: session.pausedAgentId,
        reviewerAgentId: session.reviewerAgentId,
        agentIds,
        payload: payload as unknown as Record<string, unknown>,
        hash: `resolved:${payload.resolutionHash}`,
        now: clock.now(),
      }),
    );
    if (saga === undefined) return undefined;
    if (saga.held === agentIds.length) return saga;
    await tx.query(sql.deleteSaga(saga.saga_id));
    return undefined;
  }

  /** Drives a saga to its end, from wherever it stands. Rejects when PostgreSQL does; recovery goes on from there. */
  async drive(started: SagaRow): Promise<SagaEnd> {
    let saga = started;
    // Its reservations are durable already; asking PostgreSQL for them would cost every resolution a round trip.
    for (const agentId of heldBy(saga)) {
      this.#held.writer.publish(agentId, saga.saga_id);
      this.#options.notifier.announce(TABLE, agentId);
    }
    for (;;) {
      const next = await this.#step(saga);
      if (next.end !== undefined) {
        if (next.end.kind === 'lost') await this.#refresh(heldBy(saga));
        else this.#release(saga);
        return next.end;
      }
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
      // Nobody was left to count its failures: each attempt took its process with it.
      if (saga.attempt_count > MAX_ATTEMPTS) {
        await this.#giveUp(saga, 'every attempt ended with the death of its process');
        continue;
      }
      try {
        ends.push(await this.drive(saga));
      } catch (error) {
        if (saga.attempt_count < MAX_ATTEMPTS) continue;
        await this.#giveUp(saga, error instanceof Error ? error.message : String(error));
      }
    }
    return ends;
  }

  /** Lets the effects of committed sagas out; gives how many. */
  async deliver(): Promise<number> {
    const { database, clock } = this.#options;
    return (await database.query(sql.deliverEffects(AUDIT_EVENTS.dialecticResolved, clock.now()))).length;
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
  async #stage(saga: SagaRow, agentId: string | null, to: 'paused_agent_applied' | 'both_agents_applied') {
    const { agents, clock, database } = this.#options;
    const now = clock.now();
    // An agent that is gone has nothing staged; the resolution of its session is committed all the same.
    const head = agentId === null ? undefined : await agents.find(agentId);
    const images = head && imagesOf(head, agentId === saga.paused_agent_id ? executionOf(saga) : undefined, now);
    const moved = await database.query(sql.stageAgent(saga, saga.state, to, agentId, images ?? null, now));
    return moved.length === 0 ? { end: { kind: 'lost' } as const } : { state: to };
  }

  async #commit(saga: SagaRow): Promise<SagaEnd> {
    const { agents, clock } = this.#options;
    const now = clock.now();
    const { resolution } = payloadOf(saga);
    const ended = await this.#inOne<SagaEnd>(async (tx) => {
      // The order of locks everywhere: session, agents by id, saga.
      const resolved = await tx.query(sql.resolveSession(saga.session_id, resolution, now));
      if (resolved.length === 0) throw new StepUndone({ kind: 'reverted', reason: 'the session had ended' });
      const executed = await this.#execute(tx, saga, now);
      const applied = executed.ok && executed.value;
      const effect = { name: 'resolution_outcome', payload: { action: resolution.action, applied, at: now } };
      const committed = await tx.query(sql.commitSaga(saga, endText(resolution.action, executed), effect, now));
      if (committed.length === 0) throw new StepUndone({ kind: 'lost' });
      faultPoint('saga.before_commit');
      return { kind: 'committed', applied };
    });
    if (ended.kind === 'reverted') return this.#revert(saga, ended.reason);
    if (ended.kind === 'committed') {
      faultPoint('saga.committed');
      await agents.announce(heldBy(saga));
    }
    return ended;
  }

  /** Does to the paused agent what was agreed on; gives whether it was changed. */
  #execute(tx: Queryable, saga: SagaRow, now: number): Promise<Result<boolean>> {
    const { agents } = this.#options;
    return agents.applyIn(tx, saga.paused_agent_id, ({ head, memory }) => {
      const executed = execute(head, executionOf(saga), now);
      if (executed === undefined) return Promise.resolve(ok({ reply: false }));
      const change: AgentChange = { at: now, ...executed.change };
      if (!executed.settles) return Promise.resolve(ok({ reply: true, change }));
      const { memory: settled, evidence } = settleClaims(memory);
      return Promise.resolve(ok({ reply: true, memory: settled, change: { ...change, evidence } }));
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

const payloadOf = ({ resolution_payload_json }: SagaRow) => resolution_payload_json as unknown as SagaPayload;

const executionOf = (saga: SagaRow): Execution => {
  const { resolution, resolutionHash, conditions, confirmedBy } = payloadOf(saga);
  const { saga_id: sagaId, session_id: sessionId } = saga;
  return { action: resolution.action, conditions, sessionId, sagaId, resolutionHash, confirmedBy };
};

/** What is said of a resolution that found nothing to do. */
export const NOTHING_APPLIED =
  'Nothing was applied: the agent is not paused, an operator holds it, or no review lifts the pause that it is under.';

/** What stands of an agent before and after; only the paused one is changed, and only while it is paused. */
const imagesOf = (head: AgentHead, execution: Execution | undefined, now: number) => {
  const before = { status: head.status, pause: head.pause, conditions: head.conditions, sequence: head.sequence };
  const executed = execution && execute(head, execution, now);
  if (executed === undefined) return { before, after: before };
  const { status, pause, conditions } = { ...before, ...executed.change };
  return { before, after: { ...before, status, pause, conditions } };
};

const APPLIED: Readonly<Record<Resolution['action'], string>> = {
  resume: 'Resolved. The agent is active again, under the conditions.',
  cooldown: 'Resolved. The agent rests for an hour; then it is active again, under the conditions.',
  block: 'Resolved. The agent stays paused until an operator decides.',
  escalate: 'Resolved. An operator is asked for; the agent stays paused until then.',
};

const endText = (action: Resolution['action'], executed: Result<boolean>): string => {
  if (!executed.ok) return 'Resolved. The agent is gone; nothing was applied.';
  return executed.value ? APPLIED[action] : `Resolved. ${NOTHING_APPLIED}`;
};
