import {
  refuse,
  type ActionAnswerOf,
  type ActionSpec,
  type AnswerOf,
  type Result,
  type ToolSpec,
} from '@breakwater/contract';
import type { z } from 'zod';
import type { Ground } from './grounds.ts';

/**
 * How well the caller's identity is proven. `strong`: by a secret of this agent, sent with the call, or by the kernel.
 * `medium`: by the session of the host that carries the call, which several agents may share. `weak`: inferred.
 */
export type Assurance = 'none' | 'weak' | 'medium' | 'strong';

/** Whether the caller sent the proof itself, or the server inferred it. An inferred one never becomes a sent one. */
export type ProofOrigin = 'caller_asserted' | 'server_inferred';

/** What bound a call to its agent. */
export type ProofSource =
  'client_session_id' | 'session_header' | 'continuity_token' | 'attested_process' | 'mcp_session' | 'onboard_pin';

/** A process as the kernel shows it, at the time of the call. */
export interface AttestedProcess {
  readonly pid: number;
  readonly uid: number;
  /** Clock ticks since boot: a reused process id has another. */
  readonly startTime: string;
  /** Absolute path of what it runs. */
  readonly executable: string;
  /** The systemd unit that it belongs to; null outside of any. */
  readonly unit: string | null;
}

/** What the kernel says of the peer of a unix socket. */
export type PeerAttestation =
  | { readonly ok: true; readonly process: AttestedProcess }
  | { readonly ok: false; readonly code: 'attestation_failed' | 'pid_reuse'; readonly detail: string };

/**
 * What a transport saw of who is calling, each piece apart. Only identity turns evidence into a caller. Everything here
 * was sent by the caller, but for `attestation` and `peer`, which the server saw itself.
 */
export interface Evidence {
  /** The session secret as an argument of this call. */
  readonly clientSessionId?: string;
  /** The transport put `clientSessionId` there, not the caller: then it counts as inferred. */
  readonly injected?: true;
  /** The session secret in the `X-Session-ID` header. */
  readonly sessionHeader?: string;
  /** A continuity token as an argument of this call; it proves something only beside the uuid that it names. */
  readonly continuityToken?: string;
  /** The call asks to go on as an agent, and for nothing else: a token resumes there for 30 days. */
  readonly resuming?: true;
  /** The agent that the call says it is: never proof, but what a token or an attested process is held against. */
  readonly agentUuid?: string;
  /** Model and program, as far as the call names them: a token is bound to the model's family. */
  readonly modelType?: string;
  readonly userAgent?: string;
  /** The MCP session that carries the call (2025 protocol). */
  readonly mcpSessionId?: string;
  /** The secret of an operator, from its header or as the bearer token. */
  readonly operatorSecret?: string;
  /** Given by the unix socket only. */
  readonly attestation?: PeerAttestation;
  /** Address of the peer; undefined on the unix socket. */
  readonly address?: string;
  /** Where the peer is (an address, an IPv6 network, a user of this machine): never proof, only the bucket of limits for callers without identity. */
  readonly peer: string;
}

/** A person or program that may see every agent, and with `act` also act on it. Never an agent. */
export interface Operator {
  readonly name: string;
  readonly act: boolean;
}

/** An operator, and the credential that says so. */
export interface ProvenOperator extends Operator {
  readonly grounds: readonly Ground[];
}

/** Something the caller should know about its proof although the call went through. */
export interface IdentityWarning {
  readonly code: 'continuity_token_invalid';
  readonly message: string;
}

/** Who is calling, as identity found out. */
export interface Caller {
  readonly agentId: string | undefined;
  readonly assurance: Assurance;
  readonly source: ProofSource | 'none';
  readonly origin: ProofOrigin;
  readonly operator: Operator | undefined;
  readonly warnings: readonly IdentityWarning[];
  /** The bucket of rate limits: the proven agent or operator, or the peer. Never something the caller can choose freely. */
  readonly principal: string;
  /** The credentials that proved it; what the call writes is refused when one of them has ended. */
  readonly grounds?: readonly Ground[];
}

/** One call of a tool, after the chain: arguments are parsed, the caller is known, the deadline is set. */
export interface ToolCall<A> {
  readonly tool: string;
  readonly args: A;
  readonly caller: Caller;
  readonly evidence: Evidence;
  readonly requestId: string;
  /** Clock time in ms when the call arrived. */
  readonly receivedAt: number;
  /** Clock time in ms after which nothing of this call may start. */
  readonly deadline: number;
  /** What was sent beside the declared arguments to a tool that takes any (`takesAnyArgument`); kept, never trusted. */
  readonly unknownArguments: Readonly<Record<string, unknown>>;
}

/** The caller of a tool that needs an identity: the chain lets no other through. */
type CallerOf<S extends ToolSpec> = S['identity'] extends 'required' ? Caller & { readonly agentId: string } : Caller;

/** A call as the handler of a tool sees it. */
export type CallOf<S extends ToolSpec> = Omit<ToolCall<z.output<S['input']>>, 'caller'> & {
  readonly caller: CallerOf<S>;
};

type Actions = Readonly<Record<string, ActionSpec>>;
type NeedsOf<A extends ActionSpec> = A['needs'] extends readonly (infer N extends string)[] ? N : never;

/** A call as the handler of one action sees it: what the action needs is there. */
export type ActionCallOf<S extends ToolSpec & { readonly actions: Actions }, K extends keyof S['actions']> = Omit<
  CallOf<S>,
  'args' | 'caller'
> & {
  readonly args: z.output<S['input']> & {
    readonly [N in NeedsOf<S['actions'][K]>]: NonNullable<z.output<S['input']>[N]>;
  };
  readonly caller: S['actions'][K]['by'] extends 'acting operator'
    ? CallerOf<S> & { readonly operator: Operator }
    : CallerOf<S>;
};

/** A tool: its specification from the contract, and the handler that calls the feature's service. */
export interface Tool {
  readonly spec: ToolSpec;
  /**
   * Whatever it writes stands on the grounds of its call in the very commit. The caller of a tool that writes in another way
   * is looked up in PostgreSQL before it runs.
   */
  readonly checksAtCommit?: boolean;
  handle(call: ToolCall<Readonly<Record<string, unknown>>>): Promise<Result<Readonly<Record<string, unknown>>>>;
}

type How = Pick<Tool, 'checksAtCommit'>;

/** Ties a handler to its specification: the arguments have the schema's type, and the answer must. */
export const defineTool = <S extends ToolSpec>(
  spec: S,
  handle: (call: CallOf<S>) => Promise<Result<AnswerOf<S>>>,
  how: How = {},
): Tool => ({
  spec,
  // The chain has parsed the arguments by this schema, and let nobody through whom the tool does not take.
  handle: (call) => handle(call as unknown as CallOf<S>),
  ...how,
});

/** The action that a call names, or the one that it means by naming none; undefined of a tool without actions. */
export const actionOf = (
  { actions, defaultAction }: ToolSpec,
  { action }: Readonly<Record<string, unknown>>,
): string | undefined => (actions === undefined ? undefined : typeof action === 'string' ? action : defaultAction);

const missing = (parameter: string, action: string): Result<never> =>
  refuse('MISSING_PARAMETER', `${parameter}: ${action} needs it.`, { details: { parameter } });

const isGiven = (value: unknown): boolean => value !== undefined && value !== null && value !== '';

/**
 * Ties one handler for each action to a specification, with the types of {@link defineTool}. Before the handler runs, refuses
 * a call that names no action when the tool has no default, an action that only an operator may do to anybody else, and a
 * call that lacks what its action needs.
 */
export const defineActions = <S extends ToolSpec & { readonly actions: Actions }>(
  spec: S,
  handlers: {
    readonly [K in keyof S['actions'] & string]: (
      call: ActionCallOf<S, K>,
    ) => Promise<Result<ActionAnswerOf<S['actions'][K]>>>;
  },
  how: How = {},
): Tool => ({
  spec,
  async handle(call) {
    const action = actionOf(spec, call.args);
    if (action === undefined) {
      return refuse('PARAMETER_ERROR', `action: must be one of ${Object.keys(spec.actions).join(', ')}.`, {
        details: { parameter: 'action' },
      });
    }
    const { needs = [], by } = spec.actions[action] ?? ({} as Partial<ActionSpec>);
    if (by !== undefined && call.caller.operator?.act !== true) {
      return refuse('OPERATOR_REQUIRED', `${spec.name}(${action}): only an operator that may act does it.`);
    }
    const lacking = needs.find((parameter) => !isGiven(call.args[parameter]));
    if (lacking !== undefined) return missing(lacking, action);
    const handle = handlers[action as keyof S['actions'] & string] as unknown as Tool['handle'];
    return handle(call);
  },
  ...how,
});
