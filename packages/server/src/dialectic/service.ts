import { createHmac } from 'node:crypto';
import { ok, refuse, type Result, type Refusal } from '@breakwater/contract';
import type { Agents } from '../agents/index.ts';
import { refusalOf, type Database, type Queryable } from '../postgres/index.ts';
import { Mailboxes, type Clock, type Random } from '../runtime/index.ts';
import type { Computation } from './compute/computation.ts';
import { refusedAct } from '../lifecycle/index.ts';
import type { ReviewDuties } from './duties.ts';
import { Reviewers } from './reviewers.ts';
import { resolutionHash, sign } from './rules/canonical.ts';
import { failSession, hasEnded, noteOf, withNote, type Change, type Submission } from './rules/change.ts';
import {
  AGAIN_WITHIN,
  askConfirmation,
  awaitsConfirmation,
  confirmationText,
  decideConfirmation,
  hasLapsed,
  lapse,
  reasonsToConfirm,
  type ClaimsReview,
  type Decision,
} from './rules/confirmation.ts';
import { acceptConditions } from './rules/conditions.ts';
import { finalise, type ResolutionTerms } from './rules/finalise.ts';
import { unsafeReason } from './rules/hard-limits.ts';
import {
  mayReassign,
  reassign,
  unfitReviewers,
  type ReassignCaller,
  type ReassignStep,
  type ReviewerCandidate,
} from './rules/reassign.ts';
import { openSession, submitAntithesis, submitThesis, type Opening } from './rules/protocol.ts';
import { refuseUnqualified } from './rules/qualification.ts';
import { subjectConflict } from './rules/recusal.ts';
import { sessionIdOf } from './rules/session-id.ts';
import { sweep, tend, wantsReplacement, type Tended } from './rules/sweep.ts';
import { SILENCE_LIMIT } from './rules/timeouts.ts';
import { submitSynthesis, type SynthesisResult, type SynthesisSubmission } from './rules/synthesis.ts';
import type { Saga, SagaEnd, SagaPayload } from './saga.ts';
import type { SagaRow } from './saga-sql.ts';
import { selectUndriven } from './saga-sql.ts';
import type { ConfirmationReason, Resolution, Session } from './session.ts';
import * as sql from './sql.ts';

type Row = Parameters<typeof sql.sessionFromRow>[0];

/** A step that was decided: what of it is stored, and what its author is told. */
interface Step<R> extends Change {
  readonly reply: R;
  /** The participants agreed: what is to be carried out. The session stays open until that is done. */
  readonly agreed?: SagaPayload;
}
type Decide<R> = (session: Session, tx: Queryable) => Result<Step<R>> | Promise<Result<Step<R>>>;

/** What an operator's word made of an agreement; `lapsed`: it was about a pause that is over, and nothing was decided. */
interface Confirmed {
  readonly kind: 'confirmed' | 'rejected' | 'lapsed';
}

/** What came of a step that was stored. */
export interface Done<R> {
  readonly session: Session;
  readonly reply: R;
  /** How the resolution ended, when the step agreed on one. */
  readonly end: SagaEnd | undefined;
}

/** An agreement that would break a hard limit. */
interface Unsafe {
  readonly kind: 'unsafe';
  readonly reason: string;
}
/** An agreement that an operator has to confirm; nothing of it is carried out before. */
interface ToConfirm {
  readonly kind: 'to_confirm';
  readonly why: readonly ConfirmationReason[];
}
type SynthesisReply =
  SynthesisResult | Unsafe | ToConfirm | { readonly kind: 'round_failed'; readonly refusal: Refusal };

interface DialecticOptions {
  readonly database: Database;
  readonly agents: Agents;
  readonly saga: Saga;
  readonly clock: Clock;
  readonly random: Random;
  readonly computation: Pick<Computation, 'synthesize'>;
  /** Who lifts a pause of the claims detector. */
  readonly claimsReview: () => ClaimsReview;
  /** Told of every session that was stored. */
  readonly duties: ReviewDuties;
  /** Under which the keys of agents are made. */
  readonly secret: () => Uint8Array;
  readonly onCrash: (sessionId: string, error: unknown) => void;
}

const UNDRIVEN_MS = 10_000;
const CAPACITY = 64;
const IDLE_MS = 600_000;

/**
 * Reviews of paused agents. A step is decided by the rules in `rules/` on the session as PostgreSQL has it, under the lock of
 * its row, and stored with its messages in the same transaction (W3-2.09); what is agreed on is handed to the {@link Saga}
 * there and then. Calls about one session wait for each other in its mailbox, and not in PostgreSQL's pool.
 */
export class Dialectic {
  readonly #options: DialecticOptions;
  readonly #mailboxes: Mailboxes<null>;
  readonly #reviewers: Reviewers;

  constructor(options: DialecticOptions) {
    this.#options = options;
    this.#reviewers = new Reviewers(options);
    this.#mailboxes = new Mailboxes<null>({
      clock: options.clock,
      capacity: CAPACITY,
      idleMs: IDLE_MS,
      load: () => Promise.resolve(null),
      refusalOf,
      onCrash: options.onCrash,
    });
  }

  get now(): number {
    return this.#options.clock.now();
  }

  stop(): Promise<void> {
    return this.#mailboxes.stop();
  }

  async find(sessionId: string): Promise<Session | undefined> {
    const rows = await this.#options.database.query<Row>(sql.selectSession(sessionId));
    return rows[0] && sql.sessionFromRow(rows[0]);
  }

  /** Sessions, newest first. */
  async list(filter: Parameters<typeof sql.selectSessions>[0]): Promise<Session[]> {
    return (await this.#options.database.query<Row>(sql.selectSessions(filter))).map(sql.sessionFromRow);
  }

  /**
   * Opens a review. With `auto` a reviewer is chosen, else the place is open to whoever qualifies; when nobody does and is
   * free, an operator is asked for at once (BW-dialectic.07). Refusals: SESSION_EXISTS, also when two ask at once; FORBIDDEN
   * while an earlier review holds the agent: asking again until somebody is milder would make its resolution worth nothing.
   */
  async open(
    opening: Omit<Opening, 'sessionId' | 'reviewerAgentId' | 'awaitingFacilitation'>,
    auto: boolean,
  ): Promise<Result<Session>> {
    const { database, agents, duties } = this.#options;
    const paused = await agents.find(opening.pausedAgentId);
    if (paused === undefined) return refuse('AGENT_NOT_FOUND', `No agent ${opening.pausedAgentId}.`);
    const refused = refusedAct('request_review', 'owner', paused, await agents.holdOf(paused));
    if (refused !== undefined) return refused;
    const now = this.now;
    // A review about reviewing is nobody's of this house: a person says who judges it.
    const recused = subjectConflict([opening.topic, opening.reason], 'enforce')?.recused === true;
    const found = auto && recused ? null : await this.#reviewers.choose(database, paused, new Set(), now);
    const reviewerAgentId = auto ? found : null;
    const blank = openSession(
      {
        ...opening,
        sessionId: sessionIdOf(opening.pausedAgentId, reviewerAgentId, now),
        reviewerAgentId,
        awaitingFacilitation: found === null,
      },
      now,
    );
    const why = recused ? 'The review is about reviewing' : 'No agent that qualifies as a reviewer is free';
    const note = noteOf('system', `${why}; an operator is asked to name the reviewer.`, now, {
      event: 'operator_asked',
    });
    const { session, messages } = found === null ? withNote(blank, note) : { session: blank, messages: [] };
    const made = await database.transaction(async (tx) => {
      const rows = await tx.query(sql.insertSession(session));
      if (rows.length > 0 && messages.length > 0) await tx.query(sql.insertMessages(session.sessionId, messages));
      return rows;
    });
    if (made.length === 0) {
      const [active] = await this.list({ agentId: opening.pausedAgentId, status: null, active: true, limit: 1 });
      return refuse('SESSION_EXISTS', 'A review of the agent is under way.', {
        details: { session_id: active?.sessionId ?? null },
      });
    }
    duties.stored(session);
    return ok(session);
  }

  submitThesis(sessionId: string, said: Submission, deadline: number): Promise<Result<Done<null>>> {
    return this.#act(sessionId, deadline, (session) => {
      const readable = acceptConditions(said.conditions ?? []);
      if (!readable.ok) return readable;
      const step = submitThesis(session, said, this.now);
      return step.ok ? ok({ ...step.value, reply: null }) : step;
    });
  }

  /** The answer of the reviewer; whoever takes an open place must qualify, be free, and not have met the agent lately. */
  submitAntithesis(
    sessionId: string,
    said: Submission,
    deadline: number,
  ): Promise<Result<Done<{ readonly claimed: boolean }>>> {
    return this.#act(sessionId, deadline, async (session, tx) => {
      const held = await this.#refusedReviewer(tx, session, said.agentId);
      if (held !== undefined) return held;
      const step = submitAntithesis(session, said, this.now);
      if (!step.ok) return step;
      if (step.value.claimed) {
        const { agents } = this.#options;
        const [own, paused] = [await agents.findIn(tx, said.agentId), await agents.findIn(tx, session.pausedAgentId)];
        if (own === undefined || paused === undefined) return refuse('AGENT_NOT_FOUND', 'An agent of it is gone.');
        const { shortfalls, busy, met } = await this.#reviewers.fitnessOf(tx, own, paused, session.createdAt);
        if (shortfalls.length > 0) return refuseUnqualified(said.agentId, sessionId, shortfalls);
        if (busy || met) {
          return refuse('FORBIDDEN', 'You cannot take this review.', {
            details: { reason: busy ? 'in_another_session' : 'reviewed_within_24_h' },
            recovery: { action: 'Leave it to another agent.', related_tools: ['dialectic'] },
          });
        }
      }
      return ok({ ...step.value, reply: { claimed: step.value.claimed } });
    });
  }

  /**
   * A synthesis (W3-5.02). When the computation of the terms fails, so does the round: the session goes on in the next one
   * (W3-5.06). One that agrees is recorded together with the saga that carries it out (W3-9.05); a resolution that would
   * break a hard limit fails the session instead, and the agent stays paused (BW-dialectic.05).
   */
  async submitSynthesis(
    sessionId: string,
    said: SynthesisSubmission,
    deadline: number,
  ): Promise<Result<Done<SynthesisReply>>> {
    return this.#act<SynthesisReply>(sessionId, deadline, async (session, tx) => {
      if (isAgreed(session)) return refuseAgreed(session);
      const readable = acceptConditions(said.conditions ?? []);
      if (!readable.ok) return readable;
      const held = await this.#refusedReviewer(tx, session, said.agentId);
      if (held !== undefined) return held;
      const step = submitSynthesis(session, said, this.now);
      if (!step.ok) return step;
      const { result } = step.value;
      if (result.kind !== 'resolved') return ok({ ...step.value, reply: result });
      const agreed = await this.#agree(tx, step.value, result);
      if (agreed.ok) return agreed;
      const { refusal } = agreed;
      const note = noteOf('system', `The round failed: ${refusal.message}`, this.now);
      return ok({
        ...withNote(session, note, { round: session.round + 1 }),
        reply: { kind: 'round_failed', refusal },
      });
    });
  }

  /** Gives the place of the reviewer to another one: the one that is named, or one that is chosen (BW-dialectic.11). */
  async reassign(
    sessionId: string,
    wish: { readonly caller: ReassignCaller; readonly newReviewerId: string | null; readonly reason: string },
    deadline: number,
  ): Promise<Result<Done<ReassignStep>>> {
    return this.#act(sessionId, deadline, async (session, tx) => {
      if (isAgreed(session)) return refuseAgreed(session);
      const may = mayReassign(session, wish.caller);
      if (!may.ok) return may;
      const wanted = wish.newReviewerId ?? (await this.#replacementOf(tx, session));
      const candidate = wanted === null ? null : await this.#candidateOf(tx, session, wanted);
      const step = reassign(session, { caller: wish.caller, candidate, reason: wish.reason }, this.now);
      if (!step.ok) return step;
      const { operator } = wish.caller;
      if (operator !== null) await tx.query(sql.insertAssigned(step.value, operator, wish.reason, this.now));
      return ok({ ...step.value, reply: step.value });
    });
  }

  /**
   * Holds a session against its times, and stores what they made of it (W3-5.03). `looked`: somebody asks for it now; else
   * nobody does, and it is left alone until it was idle for long.
   */
  async tend(sessionId: string, looked: boolean, deadline: number): Promise<Result<Done<Tended>>> {
    return this.#act<Tended>(sessionId, deadline, async (session, tx) => {
      const left = ok({ session, messages: [], reply: { action: 'left' } as const });
      const { agents } = this.#options;
      if (awaitsConfirmation(session) && session.confirmation !== null) {
        const paused = await agents.findIn(tx, session.pausedAgentId);
        if (!hasLapsed(session.confirmation, paused?.pause ?? null)) return left;
        const step = lapse(session, this.now);
        return ok({ ...step, reply: { ...step, action: 'failed', why: 'the pause ended' } as const });
      }
      if (isAgreed(session)) return left;
      const { reviewerAgentId: reviewer } = session;
      const reviewerStatus = reviewer === null ? null : ((await agents.findIn(tx, reviewer))?.status ?? null);
      const wants = wantsReplacement(session, reviewerStatus, this.now);
      const replacement = wants ? await this.#replacementOf(tx, session) : null;
      const tended = (looked ? tend : sweep)(session, { reviewerStatus, replacement }, this.now);
      return tended.action === 'left' ? left : ok({ ...tended, reply: tended });
    });
  }

  /** Tends every session that nobody has worked on for long; gives how often what was done (BW-dialectic.07). */
  async sweep(deadline: number): Promise<Record<Tended['action'], number>> {
    const counts = { left: 0, reassigned: 0, facilitation_asked: 0, failed: 0 };
    const idle = await this.#options.database.query<{ session_id: string }>(sql.selectIdle(this.now - SILENCE_LIMIT));
    for (const { session_id } of idle) {
      const tended = await this.tend(session_id, false, deadline);
      if (tended.ok) counts[tended.value.reply.action] += 1;
    }
    return counts;
  }

  /** Refuses whoever judges another agent while it is held itself. */
  async #refusedReviewer(tx: Queryable, session: Session, agentId: string) {
    if (agentId === session.pausedAgentId) return undefined;
    const { agents } = this.#options;
    const head = await agents.findIn(tx, agentId);
    return head && refusedAct('review_others', 'owner', head, agents.heldInMemory(head));
  }

  /** Who shall review, with what speaks against it. */
  async #candidateOf(tx: Queryable, session: Session, agentId: string): Promise<ReviewerCandidate> {
    const { agents } = this.#options;
    const [head, paused] = [await agents.findIn(tx, agentId), await agents.findIn(tx, session.pausedAgentId)];
    if (head === undefined || paused === undefined) return { agentId, status: null, shortfalls: [] };
    const { shortfalls } = await this.#reviewers.fitnessOf(tx, head, paused, session.createdAt);
    return { agentId, status: agents.heldInMemory(head) === undefined ? head.status : 'paused', shortfalls };
  }

  async #replacementOf(tx: Queryable, session: Session): Promise<string | null> {
    const paused = await this.#options.agents.findIn(tx, session.pausedAgentId);
    if (paused === undefined) return null;
    return this.#reviewers.choose(tx, paused, unfitReviewers(session), session.createdAt);
  }

  /**
   * An operator confirms an agreement, which begins its saga in the same transaction, or rejects it, which fails the session
   * and leaves its agent paused. Refuses INVALID_PHASE when nothing waits for an operator. An agreement about a pause that is
   * over fails the session, and says so.
   */
  async confirm(
    sessionId: string,
    said: Decision,
    deadline: number,
  ): Promise<Result<Done<Confirmed | Unsafe | ToConfirm>>> {
    return this.#act<Confirmed | Unsafe | ToConfirm>(sessionId, deadline, async (session, tx) => {
      const { confirmation } = session;
      if (confirmation === null || !awaitsConfirmation(session)) {
        return refuse('INVALID_PHASE', 'Nothing of this review waits for an operator.', {
          details: { phase: session.phase, decision: confirmation?.decision ?? null },
        });
      }
      const paused = await this.#options.agents.findIn(tx, session.pausedAgentId);
      if (hasLapsed(confirmation, paused?.pause ?? null)) {
        return ok({ ...lapse(session, this.now), reply: { kind: 'lapsed' } });
      }
      const decided = decideConfirmation(session, confirmation, said, this.now);
      await tx.query(sql.insertConfirmed(decided.session, said, this.now));
      if (said.decision === 'reject') return ok({ ...decided, reply: { kind: 'rejected' } });
      const agreed = { ...decided, session: { ...decided.session, phase: 'resolved' } as const };
      return this.#agree<Confirmed>(tx, agreed, { kind: 'confirmed' });
    });
  }

  /** Begins the sagas of agreements that none carries: the crash came in between, or an agent was held (W3-9.22). */
  async driveAgreed(deadline: number): Promise<number> {
    const { database } = this.#options;
    const rows = await database.query<{ session_id: string }>(selectUndriven(this.now - UNDRIVEN_MS));
    for (const { session_id } of rows) {
      await this.#act(session_id, deadline, (session, tx) => {
        if (!isAgreed(session) || awaitsConfirmation(session)) {
          return refuse('INVALID_PHASE', 'There is nothing to carry out.');
        }
        const agreed = { ...session, phase: 'resolved' } as const;
        return this.#agree(
          tx,
          { session: agreed, messages: [] },
          { kind: 'resolved', rounds: session.round, synthesizer: null },
        );
      });
    }
    return rows.length;
  }

  /**
   * The terms of an agreement, held against the hard limits, signed, and made ready to be carried out; or put before an
   * operator, unless one has confirmed it. Every way to a saga leads through here.
   */
  async #agree<R>(
    tx: Queryable,
    { session, messages }: Change,
    result: R,
  ): Promise<Result<Step<R | Unsafe | ToConfirm>>> {
    const terms = await this.#termsOf(session);
    if (!terms.ok) return terms;
    const { action } = terms.value;
    const frees = action === 'resume' || action === 'cooldown';
    // The limits bound what an agent is let out under; keeping it in cannot break them.
    const reason = frees ? unsafeReason(terms.value, session.sessionType) : undefined;
    const conditions = frees ? acceptConditions(terms.value.conditions) : ok([]);
    if (reason !== undefined || !conditions.ok) {
      const why = `Safety violation: ${reason ?? (conditions.ok ? '' : conditions.refusal.message)}`;
      const resolution = this.#signed(session, { ...terms.value, action: 'block' });
      const failed = failSession({ ...session, resolution }, why, this.now);
      return ok({
        session: failed.session,
        messages: [...messages, ...failed.messages],
        reply: { kind: 'unsafe', reason: why },
      });
    }
    const { confirmation } = session;
    const accepted = confirmation?.decision === 'accept' ? confirmation : undefined;
    if (accepted === undefined) {
      const { why, pause } = await this.#reasonsToConfirm(tx, session.pausedAgentId, action);
      if (why.length > 0) {
        const asked = askConfirmation(session, action, why, pause, this.now);
        const added = [...messages, ...asked.messages];
        return ok({ session: asked.session, messages: added, reply: { kind: 'to_confirm', why } });
      }
    }
    const resolution = this.#signed(session, terms.value);
    return ok({
      // Open until it is carried out: a crash must not leave a session that is resolved about an agent that is not.
      session: { ...session, phase: 'synthesis' },
      messages,
      reply: result,
      agreed: {
        resolution,
        resolutionHash: resolutionHash(resolution),
        conditions: conditions.value,
        synthesizer: null,
        ...(accepted?.by != null && { confirmedBy: accepted.by }),
      },
    });
  }

  /** Why an operator has to confirm what was agreed about this agent, and the pause that it is about. */
  async #reasonsToConfirm(tx: Queryable, agentId: string, action: Resolution['action']) {
    const pause = (await this.#options.agents.findIn(tx, agentId))?.pause ?? null;
    const pausedAt = pause === null ? Number.NaN : Date.parse(pause.paused_at);
    const [previous] = Number.isNaN(pausedAt)
      ? []
      : await tx.query<{ at: number | null }>(sql.selectPreviousEnd(agentId, pausedAt, pausedAt - AGAIN_WITHIN));
    return { why: reasonsToConfirm(action, pause, this.#options.claimsReview(), previous?.at ?? null), pause };
  }

  async #termsOf(session: Session): Promise<Result<ResolutionTerms>> {
    const final = finalise(session);
    if (!final.ok || !('merge' in final.value)) return final as Result<ResolutionTerms>;
    const { action, merge } = final.value;
    const { sessionId, round, sessionType } = session;
    const merged = await this.#options.computation.synthesize({ sessionId, round, sessionType, ...merge });
    return merged.ok ? ok({ action, ...merged.value }) : merged;
  }

  #signed(session: Session, terms: Pick<Resolution, 'action' | 'conditions' | 'rootCause' | 'reasoning'>): Resolution {
    const unsigned = { ...terms, timestamp: new Date(this.now).toISOString() };
    const signatureOf = (agentId: string | null) => (agentId === null ? '' : sign(unsigned, this.keyOf(agentId)));
    return {
      ...unsigned,
      signatureA: signatureOf(session.pausedAgentId),
      signatureB: signatureOf(session.reviewerAgentId),
      signatureVersion: 2,
    };
  }

  /** The key under which the server signs for an agent; it attests what the server recorded, and nothing more. */
  keyOf(agentId: string): string {
    return createHmac('sha256', this.#options.secret()).update(agentId).digest('hex');
  }

  async #act<R>(sessionId: string, deadline: number, decide: Decide<R>): Promise<Result<Done<R>>> {
    const { database, saga } = this.#options;
    const acted = await this.#mailboxes.send(sessionId, deadline, async () => {
      const outcome = await database.transaction(
        async (tx): Promise<Result<{ step: Step<R>; row: SagaRow | undefined }>> => {
          // First the lock, then the look: a session that was read before it could lack what was said meanwhile.
          await tx.query(sql.lockSession(sessionId));
          const [row] = await tx.query<Row>(sql.selectSession(sessionId));
          if (row === undefined) return refuse('DIALECTIC_NOT_FOUND', `No review ${sessionId}.`);
          const looked = sql.sessionFromRow(row);
          const decided = await decide(looked, tx);
          if (!decided.ok) return decided;
          const { session, messages, agreed } = decided.value;
          if (messages.length > 0) await tx.query(sql.insertMessages(sessionId, messages));
          if (session !== looked) await tx.query(sql.updateSession(session, this.now));
          const begun = agreed === undefined ? undefined : await saga.reserve(tx, session, agreed);
          return ok({ step: decided.value, row: begun });
        },
      );
      return { reply: outcome, state: null };
    });
    if (!acted.ok) return acted;
    if (!acted.value.ok) return acted.value;
    const { step, row } = acted.value.value;
    this.#options.duties.stored(step.session);
    const end = row === undefined ? undefined : await saga.drive(row);
    const session = end === undefined ? step.session : ((await this.find(sessionId)) ?? step.session);
    if (session !== step.session) this.#options.duties.stored(session);
    return ok({ session, reply: step.reply, end });
  }
}

/** Whether the last word of an open session was an agreement that is yet to be carried out. */
const isAgreed = (session: Session): boolean => {
  const last = session.messages.findLast(({ type }) => type !== 'system');
  return (
    !hasEnded(session) &&
    session.phase === 'synthesis' &&
    last?.type === 'synthesis' &&
    last.agrees === true &&
    !last.refused
  );
};

/** Refuses what would change a session that is agreed on. */
const refuseAgreed = (session: Session) =>
  awaitsConfirmation(session) && session.confirmation !== null
    ? refuse('INVALID_PHASE', 'The participants have agreed, and an operator is asked to confirm it.', {
        details: {
          phase: session.phase,
          awaiting_confirmation_since: new Date(session.confirmation.since).toISOString(),
        },
        recovery: {
          action: `Wait for the operator (${confirmationText(session.confirmation.why)}); dialectic(action=get) shows the answer.`,
          related_tools: ['dialectic'],
        },
      })
    : refuse('SAGA_IN_FLIGHT', 'The participants have agreed; the resolution is being carried out.');
