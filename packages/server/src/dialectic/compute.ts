import { accept, refuse, type Outcome } from '@breakwater/contract';
import type { z } from 'zod';
import type { Clock, Random } from '../runtime/index.ts';
import { computeJob, computeRequest, type ComputeJob, type ComputeResult } from './compute-job.ts';

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

/** A computation that passed its budget. */
export interface ComputeTimeout {
  readonly mode: string;
  readonly sessionId: string;
  readonly round: number;
  readonly elapsedMs: number;
}

/** What a computation that passed its budget is reported as: the reference's words for its boundary (W3-5.06). */
export const computeTimeoutPayload = ({ mode, sessionId, round, elapsedMs }: ComputeTimeout) => ({
  endpoint: '/v1/dialectic/compute',
  method: 'POST',
  error_class: 'timeout',
  elapsed_ms: Math.round(elapsedMs),
  mode,
  session_id: sessionId,
  round,
});

/**
 * Where a job is carried out: here, in a worker, or at a remote. It answers once, or refuses when it has no room; `signal`
 * aborts when the budget is over and nobody waits any more.
 */
export type Placement = (
  job: ComputeJob,
  signal: AbortSignal,
) => Outcome<ComputeResult> | Promise<Outcome<ComputeResult>>;

/**
 * In this process. That is the default, because the functions cost microseconds, and to reach a thread or a remote costs
 * at least as much again; `npm run bench` prints both (W3-5.08).
 */
const inProcess: Placement = (job) => accept(computeJob(job));

interface Options {
  readonly clock: Clock;
  readonly random: Random;
  /** Told once of every computation that passed its budget, however many wait for it. */
  readonly onTimeout: (facts: ComputeTimeout) => void;
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
  readonly #running = new Map<string, Promise<Outcome<ComputeResult>>>();

  constructor(options: Options) {
    this.#options = options;
    this.#budgetMs = options.budgetMs ?? BUDGET_MS;
    this.#compute = options.compute ?? inProcess;
  }

  /**
   * The result, for 60 s the same for the same session, round and mode whatever the input says, and computed once even
   * when asked for several times at once (W3-5.05). A computation that passes its budget is refused with TIMEOUT; it is
   * neither kept nor tried again here, so that the caller decides what becomes of the round (W3-5.06).
   */
  async run({ mode, sessionId, round, input }: ComputeCall): Promise<Outcome<Computed>> {
    const { clock } = this.#options;
    const started = clock.monotonic();
    const read = computeRequest.safeParse({ mode, session_id: sessionId, round, input });
    if (!read.success) return refuseIssue(read.error.issues[0]);
    const request = read.data;
    const key = JSON.stringify([request.session_id, request.round, request.mode]);
    this.#dropExpired();
    const kept = this.#kept.get(key);
    const pending = this.#running.get(key);
    const outcome = kept === undefined ? await (pending ?? this.#start(key, request)) : accept(kept.result);
    if (!outcome.ok) return outcome;
    return accept({
      result: outcome.value,
      elapsed_ms: Math.round((clock.monotonic() - started) * 1000) / 1000,
      cache_hit: kept !== undefined || pending !== undefined,
    });
  }

  #dropExpired(): void {
    const now = this.#options.clock.monotonic();
    for (const [key, { until }] of this.#kept) {
      if (until > now && this.#kept.size <= MOST_KEPT) return;
      this.#kept.delete(key);
    }
  }

  #start(key: string, request: ComputeJob['request']): Promise<Outcome<ComputeResult>> {
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

  async #withinBudget(job: ComputeJob): Promise<Outcome<ComputeResult>> {
    const { clock, onTimeout } = this.#options;
    const started = clock.monotonic();
    const abort = new AbortController();
    const late = Promise.withResolvers<undefined>();
    const timer = clock.after(this.#budgetMs, () => late.resolve(undefined));
    try {
      const working = Promise.resolve(this.#compute(job, abort.signal));
      const outcome = await Promise.race([working, late.promise]);
      const elapsedMs = clock.monotonic() - started;
      // A placement in this process holds up the timer too, so the time counts and not only who came first.
      if (outcome !== undefined && elapsedMs <= this.#budgetMs) return outcome;
      abort.abort();
      // Whatever becomes of the work now, its failure would be nobody's.
      working.catch(() => undefined);
      const { mode, session_id: sessionId, round } = job.request;
      onTimeout({ mode, sessionId, round, elapsedMs });
      return refuse('TIMEOUT', `The computation took longer than ${this.#budgetMs / 1000} s.`, {
        details: { session_id: sessionId, round, mode, elapsed_ms: Math.round(elapsedMs) },
        recovery: { action: 'Count the round as failed; this server does not try again by itself.' },
      });
    } finally {
      timer.cancel();
    }
  }
}
