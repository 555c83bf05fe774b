import { ERRORS, refuse, type Outcome, type Refusal, type ToolAlias } from '@breakwater/contract';
import {
  nearest,
  type Caller,
  type Clock,
  type Evidence,
  type Ids,
  type Readiness,
  type Tool,
} from '../runtime/index.ts';
import { applyAlias, openArguments, renameArguments, type Arguments, type Normalised } from './arguments.ts';
import { refusalBody, successBody } from './envelope.ts';
import { RateLimiter, type RateLimits } from './rate-limit.ts';
import { Registry, type ListingMode, type Resolved, type ToolListing } from './registry.ts';
import { discoveryTools } from './tools.ts';
import { invalidArguments } from './validate.ts';

/** One call, as a transport hands it down. */
export interface DispatchRequest {
  readonly name: string;
  readonly args: unknown;
  readonly evidence: Evidence;
  readonly transport: 'rest' | 'mcp';
  readonly requestId?: string;
}

/** The answer: `body` is the tool's JSON whether it succeeded or not; `status` is the transport's. */
export interface DispatchReply {
  readonly tool: string;
  readonly body: Record<string, unknown>;
  readonly isError: boolean;
  readonly status: number;
  readonly retryAfterSeconds?: number;
  readonly refusal?: Refusal;
}

export interface DispatcherOptions {
  tools: readonly Tool[];
  aliases: readonly ToolAlias[];
  resolveCaller(evidence: Evidence, claimedAgentId: string | undefined): Outcome<Caller> | Promise<Outcome<Caller>>;
  readiness: Pick<Readiness, 'ready'>;
  clock: Clock;
  ids: Ids;
  limits: RateLimits;
  /** An exception, which is a bug or lost infrastructure; the log must have it under this id. */
  onUnexpected(failure: { incidentId: string; tool: string; error: unknown }): void;
  onTimeout(timeout: { incidentId: string; tool: string; timeoutMs: number; agentId: string | undefined }): void;
}

/** A call on its way through the chain; each step fills in what it finds out. */
interface Call {
  readonly request: DispatchRequest;
  readonly receivedAt: number;
  name: string;
  resolved: Resolved | undefined;
  args: Arguments;
  parsed: unknown;
  normalised: Readonly<Record<string, Normalised>>;
  caller: Caller;
}

/** One step of the chain: a refusal ends the call, nothing lets it pass on. */
interface Step {
  readonly name: string;
  run(call: Call): Refusal | undefined | Promise<Refusal | undefined>;
}

/** Tools that answer before the server is ready. */
const OPEN_BEFORE_READY = new Set(['health_check', 'list_tools', 'describe_tool', 'get_server_info']);
/** Tools for which a proof that does not hold is no obstacle: they help a caller who lost its session. */
const OPEN_TO_LOST_SESSIONS = new Set([...OPEN_BEFORE_READY, 'onboard']);
const UNBOUND: Omit<Caller, 'principal'> = { agentId: undefined, assurance: 'none', source: 'none' };

const TIMED_OUT = Symbol('timed out');

/**
 * Every call of every transport takes this one way: the chain below, then the tool, then the envelope (BW-dispatch.01).
 * Schemas and listings are compiled in the constructor; a call compiles nothing (BW-dispatch.02).
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #registry: Registry;
  readonly #limiter: RateLimiter;
  readonly #chain: readonly Step[];

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#registry = new Registry([...options.tools, ...discoveryTools(() => this.#registry)], options.aliases);
    this.#limiter = new RateLimiter(options.limits);
    this.#chain = [
      // Arguments first, so that nothing a caller sends under an internal name is ever seen by a later step.
      { name: 'open', run: (call) => this.#open(call) },
      { name: 'find', run: (call) => this.#find(call) },
      // Before validation: a server that cannot serve should not first send callers to mend their arguments.
      { name: 'ready', run: (call) => this.#ready(call) },
      { name: 'normalise', run: (call) => this.#normalise(call) },
      { name: 'validate', run: (call) => this.#validate(call) },
      { name: 'identify', run: (call) => this.#identify(call) },
      // After identity: the account is the proven caller's, or the peer's.
      { name: 'limit', run: (call) => this.#limit(call) },
    ];
  }

  /** Names of the steps, in order. */
  get chain(): readonly string[] {
    return this.#chain.map(({ name }) => name);
  }

  advertised(mode: ListingMode = 'default'): readonly ToolListing[] {
    return this.#registry.listings(mode);
  }

  /** Answers one call; never rejects. */
  async call(request: DispatchRequest): Promise<DispatchReply> {
    const { clock, ids } = this.#options;
    const call: Call = {
      request,
      receivedAt: clock.now(),
      name: request.name,
      resolved: undefined,
      args: {},
      parsed: undefined,
      normalised: {},
      caller: { ...UNBOUND, principal: `peer:${request.evidence.peer}` },
    };
    try {
      for (const step of this.#chain) {
        const found = step.run(call);
        const refusal = found instanceof Promise ? await found : found;
        if (refusal !== undefined) return this.#refused(call, refusal);
      }
      const outcome = await this.#handle(call);
      return outcome.ok ? this.#answered(call, outcome.value) : this.#refused(call, outcome.refusal);
    } catch (error) {
      const incidentId = request.requestId ?? ids.rowId(call.receivedAt);
      this.#options.onUnexpected({ incidentId, tool: call.name, error });
      return this.#refused(
        call,
        refuse('INTERNAL_ERROR', 'The call failed; nothing was decided.', { details: { incident_id: incidentId } })
          .refusal,
      );
    }
  }

  #open(call: Call): Refusal | undefined {
    const opened = openArguments(call.request.args);
    if (!opened.ok) return opened.refusal;
    call.args = opened.value;
    return undefined;
  }

  /** Finds the tool by its name, its alias, or either behind the `mcp_<server>_` that some hosts prepend. */
  #find(call: Call): Refusal | undefined {
    const { name } = call.request;
    const resolved =
      this.#registry.resolve(name) ?? this.#registry.resolve(name.replace(/^mcp__?[a-z0-9-]+__?(?=[a-z])/i, ''));
    if (resolved === undefined) {
      const asked = name.slice(0, 100);
      return refuse('TOOL_NOT_FOUND', `No tool is called "${asked}".`, {
        details: {
          requested_tool: asked,
          similar_tools: nearest(asked, this.#registry.names),
          total_available: this.#registry.tools.length,
        },
      }).refusal;
    }
    call.resolved = resolved;
    call.name = resolved.compiled.tool.spec.name;
    return undefined;
  }

  #ready(call: Call): Refusal | undefined {
    if (this.#options.readiness.ready || OPEN_BEFORE_READY.has(call.name)) return undefined;
    return refuse('NOT_READY', 'The server is not ready.', { retryAfterSeconds: 5 }).refusal;
  }

  #normalise(call: Call): Refusal | undefined {
    const { compiled, alias } = found(call);
    renameArguments(call.args, compiled.tool.spec.argumentAliases);
    const normalised = applyAlias(call.args, alias);
    if (!normalised.ok) return normalised.refusal;
    call.normalised = normalised.value;
    return undefined;
  }

  #validate(call: Call): Refusal | undefined {
    const parsed = found(call).compiled.tool.spec.input.safeParse(call.args);
    if (!parsed.success) return invalidArguments(call.name, parsed.error, call.args);
    call.parsed = parsed.data;
    return undefined;
  }

  #identify(call: Call): Refusal | undefined | Promise<Refusal | undefined> {
    const claimed = call.args['agent_id'];
    const resolved = this.#options.resolveCaller(
      call.request.evidence,
      typeof claimed === 'string' ? claimed : undefined,
    );
    return resolved instanceof Promise
      ? resolved.then((outcome) => this.#identified(call, outcome))
      : this.#identified(call, resolved);
  }

  #identified(call: Call, outcome: Outcome<Caller>): Refusal | undefined {
    if (outcome.ok) call.caller = outcome.value;
    else if (!OPEN_TO_LOST_SESSIONS.has(call.name)) return outcome.refusal;
    if (call.caller.agentId === undefined && found(call).compiled.tool.spec.identity === 'required') {
      return refuse('IDENTITY_REQUIRED', `${call.name} needs an identity, and the call proves none.`).refusal;
    }
    return undefined;
  }

  #limit(call: Call): Refusal | undefined {
    if (found(call).compiled.tool.spec.readOnly) return undefined;
    const seconds = this.#limiter.take(call.caller.principal, call.receivedAt);
    if (seconds === undefined) return undefined;
    return refuse('RATE_LIMIT_EXCEEDED', `Too many calls; come back in ${seconds} s.`, { retryAfterSeconds: seconds })
      .refusal;
  }

  /**
   * Runs the tool within its time. Past the deadline the caller is answered, whatever the handler still does; a mailbox
   * that has not begun with the call by then never will (BW-dispatch.05).
   */
  async #handle(call: Call): Promise<Outcome<Readonly<Record<string, unknown>>>> {
    const { clock, ids, onTimeout } = this.#options;
    const { tool, known } = found(call).compiled;
    const { timeoutMs, name } = tool.spec;
    const requestId = call.request.requestId ?? ids.rowId(call.receivedAt);
    let expire: () => void = () => undefined;
    const expired = new Promise<typeof TIMED_OUT>((resolve) => (expire = () => resolve(TIMED_OUT)));
    const timer = clock.after(timeoutMs, expire);
    try {
      const outcome = await Promise.race([
        tool.handle({
          tool: name,
          args: call.parsed as never,
          caller: call.caller,
          evidence: call.request.evidence,
          requestId,
          receivedAt: call.receivedAt,
          deadline: call.receivedAt + timeoutMs,
          unknownArguments: unknownOf(call.args, known),
        }),
        expired,
      ]);
      if (outcome !== TIMED_OUT) return outcome;
      onTimeout({ incidentId: requestId, tool: name, timeoutMs, agentId: call.caller.agentId });
      return refuse('TIMEOUT', `${name} did not end within ${timeoutMs / 1000} s.`, {
        details: { incident_id: requestId },
      });
    } finally {
      timer.cancel();
    }
  }

  #answered(call: Call, payload: Readonly<Record<string, unknown>>): DispatchReply {
    const { alias } = found(call);
    const unknown = Object.keys(unknownOf(call.args, found(call).compiled.known));
    const body = successBody(unknown.length > 0 ? withUnknown(payload, unknown) : payload, {
      serverTime: this.#serverTime(),
      tool: call.name,
      alias,
      normalised: call.normalised,
      whole: call.args['lite'] === false || call.args['lite'] === 'false' || call.args['response_mode'] === 'full',
      agentId: call.caller.agentId,
    });
    return { tool: call.name, body, isError: false, status: 200 };
  }

  #refused(call: Call, refusal: Refusal): DispatchReply {
    return {
      tool: call.name,
      body: refusalBody(refusal, this.#serverTime()),
      isError: true,
      status: ERRORS[refusal.code].status,
      ...(refusal.retryAfterSeconds !== undefined && { retryAfterSeconds: refusal.retryAfterSeconds }),
      refusal,
    };
  }

  #serverTime(): string {
    return new Date(this.#options.clock.now()).toISOString();
  }
}

/** The tool that step `find` found. */
const found = (call: Call): Resolved => {
  if (call.resolved === undefined) throw new Error('the chain looks at a tool before it has found one');
  return call.resolved;
};

const NONE: Readonly<Record<string, unknown>> = Object.freeze({});

const unknownOf = (args: Arguments, known: ReadonlySet<string>): Readonly<Record<string, unknown>> => {
  let unknown: Record<string, unknown> | undefined;
  for (const key of Object.keys(args)) if (!known.has(key)) (unknown ??= {})[key] = args[key];
  return unknown ?? NONE;
};

/** Unknown arguments are kept and named, not refused (spec checkin 1). */
const withUnknown = (
  payload: Readonly<Record<string, unknown>>,
  unknown: readonly string[],
): Record<string, unknown> => {
  const warnings = Array.isArray(payload['warnings']) ? (payload['warnings'] as unknown[]) : [];
  const names = unknown.slice(0, 5).map((name) => name.slice(0, 40));
  return { ...payload, warnings: [...warnings, `unknown arguments kept, not used: ${names.join(', ')}`] };
};
