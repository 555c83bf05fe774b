import {
  ERRORS,
  refusal,
  refuse,
  UNAVAILABLE_RETRY_SECONDS,
  type ErrorCode,
  type Result,
  type Refusal,
  type ToolAlias,
  type ToolListing,
} from '@breakwater/contract';
import { refusalOf } from '../postgres/index.ts';
import {
  countCrossings,
  NO_GROUNDS,
  standOn,
  type Clock,
  type Ids,
  type Readiness,
  type Tally,
  type Tool,
} from '../runtime/index.ts';
import { passChain, type Parts } from './chain.ts';
import { errorBody, successBody } from './envelope.ts';
import { known, type DispatchRequest, type Frame } from './frame.ts';
import type { Limits } from './limits.ts';
import { Registry, type ListingMode } from './registry.ts';
import { answerProblem } from './rules/answer.ts';
import { describeTarget, discoveryTools } from './tools.ts';

/** The answer to a call; the transports turn it into bytes. */
export interface DispatchReply {
  /** Canonical name of the tool, or what was asked for when nothing has that name. */
  readonly tool: string;
  /** The result object, the same over REST and MCP. */
  readonly body: Record<string, unknown>;
  readonly isError: boolean;
  /** HTTP status: 200 unless the catalogue says that the transport answers. */
  readonly status: number;
  readonly retryAfterSeconds?: number;
  readonly refusal?: Refusal;
  /** Who called, when the call proved it; for the log, and never part of the answer. */
  readonly agentId?: string;
}

/** How one call went. `tool` is `unknown` when nothing has the name, so that callers cannot make series without end. */
export interface Measure {
  readonly tool: string;
  readonly alias?: string;
  readonly transport: DispatchRequest['transport'];
  readonly outcome: 'ok' | ErrorCode;
  /** HTTP status of the answer. */
  readonly status: number;
  readonly ms: number;
  /** Calls over a boundary that were made for it. */
  readonly crossings: number;
  readonly agentId?: string;
}

/** What becomes of a call whose caller is told of an incident. */
interface CallEvent {
  readonly incidentId: string;
  /** The id of the request that made the call, when its transport has one. */
  readonly requestId: string | undefined;
  readonly tool: string;
  readonly agentId: string | undefined;
}

export interface DispatcherOptions {
  /** Every tool but list_tools and describe_tool, which dispatch brings itself. */
  readonly tools: readonly Tool[];
  readonly aliases: readonly ToolAlias[];
  readonly resolveCaller: Parts['resolveCaller'];
  readonly refusedWrite: Parts['refusedWrite'];
  readonly readiness: Pick<Readiness, 'ready' | 'parts'>;
  readonly clock: Clock;
  readonly ids: Pick<Ids, 'uuid'>;
  readonly limits: Limits;
  /** A bug: the log must keep `incidentId` with the error, because the caller is given nothing else. */
  onUnexpected(event: Omit<CallEvent, 'agentId'> & { error: unknown }): void;
  /** A call passed its deadline, while its caller was being identified or while the tool was at work. */
  onTimeout(event: CallEvent & { step: 'identity' | 'tool'; timeoutMs: number; elapsedMs: number }): void;
  /** A call that passed its deadline had not begun yet, and never will: it was still in a queue. The same incident. */
  onExpired?(event: CallEvent): void;
  observe?(measure: Measure): void;
  /** Holds every answer against the contract; one that does not fit it is a bug, and answered as one. For tests. */
  readonly checksAnswers?: boolean;
}

type Payload = Readonly<Record<string, unknown>>;

const NOTHING: Payload = Object.freeze({});
const QUIET = Symbol('expired');

/**
 * The one way to a tool. REST and MCP hand their calls to {@link Dispatcher.call}; each passes the same chain
 * (`chain.ts`), has the same deadline, and gets the same envelope (BW-dispatch.01). It never rejects.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #parts: Parts;
  readonly #registry: Registry;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#registry = new Registry([...options.tools, ...discoveryTools(() => this.#registry)], options.aliases);
    this.#parts = {
      registry: this.#registry,
      readiness: options.readiness,
      limits: options.limits,
      resolveCaller: (evidence, fresh) => options.resolveCaller(evidence, fresh),
      refusedWrite: (caller, tool) => options.refusedWrite(caller, tool),
    };
  }

  /** Calls a tool and answers by its deadline, whatever the tool does. */
  call(request: DispatchRequest): Promise<DispatchReply> {
    const tally = { crossings: 0, trace: request.trace };
    return countCrossings(tally, () => this.#call(request, tally));
  }

  async #call(request: DispatchRequest, tally: Tally): Promise<DispatchReply> {
    const { clock } = this.#options;
    const started = clock.monotonic();
    const receivedAt = clock.now();
    const frame: Frame = {
      request,
      receivedAt,
      name: request.name,
      args: {},
      target: undefined,
      deadline: receivedAt,
      problems: [],
      normalized: undefined,
      unknownArguments: undefined,
      caller: undefined,
      evidence: request.evidence,
      expired: false,
    };
    let outcome: Result<Payload>;
    try {
      const verdict = passChain(frame, this.#parts);
      outcome =
        verdict === undefined || verdict instanceof Promise
          ? await this.#byDeadline(frame, verdict)
          : { ok: false, refusal: verdict };
    } catch (error) {
      outcome = this.#crashed(frame, error);
    }
    return this.#reply(frame, outcome, started, tally);
  }

  /** The tools that clients are shown; the same frozen list every time. */
  advertised(mode: ListingMode = 'default'): readonly ToolListing[] {
    return this.#registry.listings(mode);
  }

  /** What describe_tool says of a name; undefined when nothing has it. */
  describe(name: string): Payload | undefined {
    const target = this.#registry.find(name);
    return target && describeTarget(target);
  }

  /** Runs what is left of the call, and stops waiting at the deadline. A late result is discarded. */
  #byDeadline(frame: Frame, verdict: Promise<Refusal | undefined> | undefined): Promise<Result<Payload>> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      let incidentId: string | undefined;
      const timer = clock.after(Math.max(0, frame.deadline - clock.now()), () => {
        const refusal = this.#timedOut(frame);
        incidentId = refusal.incidentId;
        frame.expired = true;
        resolve({ ok: false, refusal });
      });
      const settle = (outcome: Result<Payload>) => {
        if (frame.expired) {
          if (!outcome.ok && incidentId !== undefined) this.#expired(frame, outcome.refusal, incidentId);
          return;
        }
        timer.cancel();
        resolve(outcome);
      };
      const fail = (error: unknown) => {
        if (error === QUIET) return;
        if (frame.expired) this.#report(frame, error, incidentId);
        else settle(this.#crashed(frame, error));
      };
      const handled = verdict === undefined ? this.#handle(frame) : this.#handleAfter(frame, verdict);
      handled.then(settle, fail);
    });
  }

  async #handleAfter(frame: Frame, verdict: Promise<Refusal | undefined>): Promise<Result<Payload>> {
    const refusal = await verdict;
    if (refusal !== undefined) return { ok: false, refusal };
    // The deadline passed while the caller was being identified: it was told so, and nothing may start now.
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- a signal to this class's own `fail`
    if (frame.expired) throw QUIET;
    return this.#handle(frame);
  }

  async #handle(frame: Frame): Promise<Result<Payload>> {
    const { tool } = known(frame.target, 'tool').entry;
    const caller = known(frame.caller, 'caller');
    standOn(caller.grounds ?? NO_GROUNDS);
    const outcome = await tool.handle({
      tool: tool.spec.name,
      args: frame.args,
      caller,
      evidence: frame.evidence,
      requestId: frame.request.requestId ?? this.#options.ids.uuid(),
      receivedAt: frame.receivedAt,
      deadline: frame.deadline,
      unknownArguments: frame.unknownArguments ?? NOTHING,
    });
    if (!outcome.ok) return this.#withIncident(frame, outcome.refusal);
    if (this.#options.checksAnswers === true) {
      const problem = answerProblem(tool.spec, frame.args, outcome.value);
      if (problem !== undefined) throw new Error(`The answer of ${tool.spec.name} breaks the contract: ${problem}`);
    }
    return outcome;
  }

  /**
   * A mailbox turns a crash and a missed deadline into refusals of its own, without the id that ties the caller's answer
   * to the log; they get one here.
   */
  #withIncident(frame: Frame, refusal: Refusal): Result<Payload> {
    if (refusal.details?.['incident_id'] === undefined) {
      if (refusal.code === 'TIMEOUT' && !frame.expired) {
        const timedOut = this.#timedOut(frame);
        this.#expired(frame, refusal, timedOut.incidentId);
        return { ok: false, refusal: timedOut };
      }
      if (refusal.code === 'INTERNAL_ERROR') return { ok: false, refusal: this.#unexpected(frame, refusal) };
    }
    return { ok: false, refusal };
  }

  #timedOut(frame: Frame): Refusal & { readonly incidentId: string } {
    const { spec } = known(frame.target, 'tool').entry.tool;
    const { ids, clock } = this.#options;
    const incidentId = ids.uuid();
    const { timeoutMs } = spec;
    const step = frame.caller === undefined ? 'identity' : 'tool';
    const elapsedMs = clock.now() - frame.receivedAt;
    quietly(() =>
      this.#options.onTimeout({
        incidentId,
        requestId: frame.request.requestId,
        tool: spec.name,
        agentId: frame.caller?.agentId,
        step,
        timeoutMs,
        elapsedMs,
      }),
    );
    const { refusal } = refuse('TIMEOUT', `${spec.name} passed its deadline of ${timeoutMs} ms.`, {
      details: { incident_id: incidentId, timeout_ms: timeoutMs },
    });
    return { ...refusal, incidentId };
  }

  /** A mailbox says of a message whether it had begun when its deadline passed. */
  #expired(frame: Frame, refusal: Refusal, incidentId: string): void {
    if (refusal.code !== 'TIMEOUT' || refusal.details?.['started'] !== false) return;
    const { name } = known(frame.target, 'tool').entry.tool.spec;
    const { requestId } = frame.request;
    quietly(() => this.#options.onExpired?.({ incidentId, requestId, tool: name, agentId: frame.caller?.agentId }));
  }

  #crashed(frame: Frame, error: unknown): Result<Payload> {
    // PostgreSQL is away, or cannot hold what was sent: no bug, and an incident each would only bury the log.
    const known = refusalOf(error);
    if (known !== undefined) return { ok: false, refusal: known };
    return { ok: false, refusal: this.#unexpected(frame, error) };
  }

  /** The caller gets an id and nothing of the error itself, which may hold paths, SQL or secrets. */
  #unexpected(frame: Frame, error: unknown): Refusal {
    const incidentId = this.#report(frame, error);
    return refusal('INTERNAL_ERROR', 'An internal error occurred.', { details: { incident_id: incidentId } });
  }

  #report(frame: Frame, error: unknown, incidentId = this.#options.ids.uuid()): string {
    const tool = frame.target?.entry.tool.spec.name ?? 'unknown';
    const { requestId } = frame.request;
    quietly(() => this.#options.onUnexpected({ incidentId, requestId, tool, error }));
    return incidentId;
  }

  #reply(frame: Frame, outcome: Result<Payload>, started: number, { crossings }: Tally): DispatchReply {
    const { clock } = this.#options;
    const { target, caller, request } = frame;
    quietly(() =>
      this.#options.observe?.({
        tool: target?.entry.tool.spec.name ?? 'unknown',
        ...(target?.alias !== undefined && { alias: target.alias.name }),
        transport: request.transport,
        outcome: outcome.ok ? 'ok' : outcome.refusal.code,
        status: outcome.ok ? 200 : ERRORS[outcome.refusal.code].status,
        crossings,
        ms: clock.monotonic() - started,
        ...(caller?.agentId !== undefined && { agentId: caller.agentId }),
      }),
    );
    const tool = target?.entry.tool.spec.name ?? request.name;
    const who = caller?.agentId === undefined ? undefined : { agentId: caller.agentId };
    if (outcome.ok) {
      return { tool, body: successBody(frame, outcome.value, clock.now()), isError: false, status: 200, ...who };
    }
    return { ...refusedReply(tool, outcome.refusal, clock.now()), ...who };
  }
}

const refusedReply = (tool: string, given: Refusal, now: number): DispatchReply => {
  const { status } = ERRORS[given.code];
  const retryAfterSeconds = given.retryAfterSeconds ?? (status === 503 ? UNAVAILABLE_RETRY_SECONDS : undefined);
  const refusal = retryAfterSeconds === undefined ? given : { ...given, retryAfterSeconds };
  return {
    tool,
    body: errorBody(refusal, now),
    isError: true,
    status,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    refusal,
  };
};

/** Telling others about a call never changes its answer (design, section 3.9). */
const quietly = (tell: () => void): void => {
  try {
    tell();
  } catch {
    // The listener is at fault, and it is also what would report this.
  }
};
