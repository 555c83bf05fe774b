import { hash } from 'node:crypto';
import { ok, refuse, UNAVAILABLE_RETRY_SECONDS, type Result } from '@breakwater/contract';
import type { z } from 'zod';
import type { Clock, Random } from '../../runtime/index.ts';
import { boundaryFailure, measurementPayload } from '../../channel/index.ts';
import { computeJob, type ComputeJob, type ComputeResult } from './job.ts';
import { computeRequest, synthesisResult, type ComputeRequest } from '@breakwater/contract/routes';
import type { RemoteAnswer } from './remote.ts';
import type { Offer, Terms } from '../rules/merge.ts';
import type { Message } from '../session.ts';

const CROSSING = { endpoint: '/v1/dialectic/compute', method: 'POST' };
const BUDGET_MS = 2000;
const KEPT_MS = 60_000;
/**
 * Results that are kept at most. Whoever calls chooses the session ids, so without a bound a caller could fill the memory;
 * the oldest goes first, because it has the least of its minute left.
 */
const MOST_KEPT = 500;

/** A computation as it was asked for. Whatever the wire brought may stand here: `run` checks all of it. */
export interface ComputeCall {
  readonly mode: unknown;
  readonly sessionId: unknown;
  readonly round: unknown;
  readonly input: unknown;
}

/** The answer to a computation (W3-5.04). */
export interface Computed {
  readonly result: ComputeResult;
  /** How long this caller waited. */
  readonly elapsed_ms: number;
  /** False for the one caller that made it compute. */
  readonly cache_hit: boolean;
}

/** A session's two offers that are to become one. */
export interface Synthesis {
  readonly sessionId: string;
  readonly round: number;
  /** What the paused agent offers; its words count where both agree. */
  readonly a: Offer;
  /** What the reviewer offers. */
  readonly b: Offer;
  /** What was said before, without what was refused. */
  readonly record: readonly Pick<Message, 'type' | 'agentId' | 'rootCause' | 'reasoning'>[];
  readonly sessionType: string;
}

/** A computation that passed its budget, or was lost where it was carried out. */
export interface ComputeFailure extends Omit<Lost, 'reason'> {
  readonly mode: string;
  readonly sessionId: string;
  readonly round: number;
  readonly elapsedMs: number;
  /** In the words of whoever found out; undefined for a timeout, which says it all. */
  readonly reason?: string;
}

/** What a failed computation is reported as: the reference's words for its boundary (W3-5.06, W3-6.04). */
export const computeFailurePayload = ({ mode, sessionId, round, reason, ...failure }: ComputeFailure) =>
  boundaryFailure(
    { ...CROSSING, ...failure },
    { mode, session_id: sessionId, round, ...(reason !== undefined && { error: reason }) },
  );

/** What an answer of the other server is measured as (W3-6.05). */
export const computeAnswerPayload = (answer: RemoteAnswer) => measurementPayload({ ...CROSSING, ...answer });

/** Why a placement has no result. */
export interface Lost {
  readonly errorClass: 'timeout' | 'connect_error' | 'non_200' | 'decode_error' | 'other';
  /** Of an answer that was not 200. */
  readonly statusCode?: number;
  readonly reason: string;
}

/** What a placement answers: a result, a refusal, or that the job was lost on the way. */
export type Placed = Result<ComputeResult> | { readonly ok: false; readonly lost: Lost };

/** Where a job is carried out: here, or at another server. It answers once; `signal` aborts when its caller was answered. */
export type Placement = (job: ComputeJob, signal: AbortSignal) => Placed | Promise<Placed>;

/**
 * In this process. That is the default, because the functions cost microseconds, and to reach another server costs at least
 * as much again; `npm run bench` prints both (W3-5.08).
 */
const inProcess: Placement = (job) => ok(computeJob(job));

interface Options {
  readonly clock: Clock;
  readonly random: Random;
  /** Told once of every computation that failed, however many wait for it. */
  readonly onFailure: (failure: ComputeFailure) => void;
  readonly budgetMs?: number;
  readonly compute?: Placement;
}

interface Kept {
  readonly result: ComputeResult;
  readonly until: number;
}

const refuseIssue = (issue: z.core.$ZodIssue | undefined) => {
  const field = (issue?.path ?? []).reduce<string>((name, key) => {
    if (typeof key === 'number') return `${name}[${key}]`;
    return name === '' ? String(key) : `${name}.${String(key)}`;
  }, '');
  return refuse('BAD_REQUEST', `"${field}" is not as it must be: ${issue?.message ?? 'unknown'}.`, {
    details: { field },
    recovery: { action: 'Correct the field; a computation takes mode, session_id, round and input.' },
  });
};

/** The record as far as a merge reads it; all of it could be more than a remote takes. */
const PARTS: ReadonlySet<Message['type']> = new Set(['thesis', 'antithesis']);

const requestOf = ({ sessionId, round, a, b, record, sessionType }: Synthesis): ComputeRequest => {
  const said = ({ agentId, rootCause, reasoning }: Pick<Offer, 'agentId' | 'rootCause' | 'reasoning'>) => ({
    agent_id: agentId,
    root_cause: rootCause,
    reasoning,
  });
  const offered = (offer: Offer) => ({ ...said(offer), proposed_conditions: [...offer.conditions] });
  return {
    mode: 'synthesize',
    session_id: sessionId,
    round,
    input: {
      message_a: offered(a),
      message_b: offered(b),
      transcript: record
        .filter(({ type }) => PARTS.has(type))
        .map((message) => ({ phase: message.type, ...said(message) })),
      session_type: sessionType,
    },
  };
};

/**
 * The compute port of the dialectic (W3-5.04): carries out a pure function within a budget, once per session, round and
 * mode. It knows no session and changes none.
 */
export class Computation {
  readonly #options: Options;
  readonly #budgetMs: number;
  readonly #compute: Placement;
  /** In the order of their end, which is the order in which they expire. */
  readonly #kept = new Map<string, Kept>();
  readonly #running = new Map<string, Promise<Result<ComputeResult>>>();

  constructor(options: Options) {
    this.#options = options;
    this.#budgetMs = options.budgetMs ?? BUDGET_MS;
    this.#compute = options.compute ?? inProcess;
  }

  /**
   * The result, for 60 s the same for the same session, round and mode whatever the input says, and computed once even
   * when asked for several times at once (W3-5.05). A computation that passes its budget is refused with TIMEOUT; it is
   * neither kept nor tried again here, so that the caller decides what becomes of the round (W3-5.06). One that is lost
   * where it is carried out is refused with NOT_READY.
   */
  async run({ mode, sessionId, round, input }: ComputeCall): Promise<Result<Computed>> {
    const { clock } = this.#options;
    const started = clock.monotonic();
    const read = computeRequest.safeParse({ mode, session_id: sessionId, round, input });
    if (!read.success) return refuseIssue(read.error.issues[0]);
    const request = read.data;
    const key = JSON.stringify([request.session_id, request.round, request.mode]);
    const { outcome, hit } = this.#once(key, request);
    const computed = await outcome;
    if (!computed.ok) return computed;
    return ok({
      result: computed.value,
      elapsed_ms: Math.round((clock.monotonic() - started) * 1000) / 1000,
      cache_hit: hit,
    });
  }

  /**
   * What both sides of a session have agreed on, for the session itself. Refused like {@link run}, and kept like it, but by
   * its input too: neither what a caller of `run` sent for this session, nor an earlier try of the same round that came to
   * nothing, can be the answer.
   */
  async synthesize(synthesis: Synthesis): Promise<Result<Terms>> {
    const request = requestOf(synthesis);
    const { session_id: sessionId, round, mode, input } = request;
    const key = JSON.stringify([sessionId, round, mode, hash('sha256', JSON.stringify(input))]);
    const computed = await this.#once(key, request).outcome;
    if (!computed.ok) return computed;
    const { conditions, root_cause: rootCause, reasoning } = synthesisResult.parse(computed.value);
    return ok({ conditions, rootCause, reasoning });
  }

  #once(
    key: string,
    request: ComputeRequest,
  ): { readonly outcome: Result<ComputeResult> | Promise<Result<ComputeResult>>; readonly hit: boolean } {
    this.#dropExpired();
    const kept = this.#kept.get(key);
    if (kept !== undefined) return { outcome: ok(kept.result), hit: true };
    const pending = this.#running.get(key);
    return { outcome: pending ?? this.#start(key, request), hit: pending !== undefined };
  }

  #dropExpired(): void {
    const now = this.#options.clock.monotonic();
    for (const [key, { until }] of this.#kept) {
      if (until > now && this.#kept.size <= MOST_KEPT) return;
      this.#kept.delete(key);
    }
  }

  #start(key: string, request: ComputeRequest): Promise<Result<ComputeResult>> {
    const { clock, random } = this.#options;
    const running = this.#withinBudget({ request, now: clock.now(), random: random() })
      .then((outcome) => {
        if (outcome.ok) this.#kept.set(key, { result: outcome.value, until: clock.monotonic() + KEPT_MS });
        this.#dropExpired();
        return outcome;
      })
      .finally(() => this.#running.delete(key));
    this.#running.set(key, running);
    return running;
  }

  async #withinBudget(job: ComputeJob): Promise<Result<ComputeResult>> {
    const { clock } = this.#options;
    const started = clock.monotonic();
    const abort = new AbortController();
    const late = Promise.withResolvers<undefined>();
    const timer = clock.after(this.#budgetMs, () => late.resolve(undefined));
    try {
      const working = Promise.resolve(this.#compute(job, abort.signal));
      const placed = await Promise.race([working, late.promise]);
      const elapsedMs = clock.monotonic() - started;
      // A placement in this process holds up the timer too, so the time counts and not only who came first.
      if (placed === undefined || elapsedMs > this.#budgetMs) {
        abort.abort();
        // The caller was already answered; a late rejection must not end the process.
        working.catch(() => undefined);
        return this.#timedOut(job, elapsedMs);
      }
      return 'lost' in placed ? this.#lost(job, placed.lost, elapsedMs) : placed;
    } finally {
      timer.cancel();
    }
  }

  #timedOut({ request: { mode, session_id: sessionId, round } }: ComputeJob, elapsedMs: number) {
    this.#options.onFailure({ mode, sessionId, round, elapsedMs, errorClass: 'timeout' });
    return refuse('TIMEOUT', `The computation took longer than ${this.#budgetMs / 1000} s.`, {
      details: { session_id: sessionId, round, mode, elapsed_ms: Math.round(elapsedMs) },
      recovery: { action: 'Count the round as failed; this server does not try again by itself.' },
    });
  }

  #lost({ request: { mode, session_id: sessionId, round } }: ComputeJob, lost: Lost, elapsedMs: number) {
    this.#options.onFailure({ mode, sessionId, round, elapsedMs, ...lost });
    return refuse('NOT_READY', 'What computes for reviews did not answer as it must; nothing was changed.', {
      details: { session_id: sessionId, round, mode, error_class: lost.errorClass },
      retryAfterSeconds: UNAVAILABLE_RETRY_SECONDS,
      recovery: { action: 'Wait for Retry-After, then repeat; if it fails again, tell the operator.' },
    });
  }
}
