import type { z } from 'zod';
import type { ErrorCode } from './errors.ts';

/** Who may call: anybody, only a caller whose identity is proven, or only an operator. */
export type IdentityNeed = 'open' | 'required' | 'operator';

export const TOOL_CATEGORIES = [
  'core',
  'identity',
  'lifecycle',
  'dialectic',
  'calibration',
  'discovery',
  'admin',
  'knowledge',
] as const;
export type ToolCategory = (typeof TOOL_CATEGORIES)[number];

/** A call as `describe_tool` shows it. A test makes each of them, with the ids and secrets that its placeholders stand for. */
export interface ToolExample {
  readonly arguments: Readonly<Record<string, unknown>>;
  /** The caller needs an operator's credential, in the header. */
  readonly operator?: true;
  /** The call is refused whatever it sends, with this code. */
  readonly refused?: ErrorCode;
}

/** One action of a tool that has several. */
export interface ActionSpec {
  /** Arguments that the action cannot do without; a call that lacks one is refused with MISSING_PARAMETER. */
  readonly needs?: readonly string[];
  /** Only an operator that may act does it; others are refused with OPERATOR_REQUIRED. */
  readonly by?: 'acting operator';
  /** Writes nothing, although the tool may: a client repeats it freely. */
  readonly readOnly?: true;
  /** What the action answers, beside the envelope. */
  readonly output: z.ZodType<Readonly<Record<string, unknown>>>;
}

/** What a tool is on the wire. The handler stands with its feature; this is data. */
export interface ToolSpec {
  readonly name: string;
  readonly category: ToolCategory;
  /** The first sentence is all that the default `tools/list` shows; it must carry alone. */
  readonly description: string;
  readonly input: z.ZodObject;
  /** What a tool without actions answers, beside the envelope. */
  readonly output?: z.ZodType<Readonly<Record<string, unknown>>>;
  /** The actions of a tool that takes the argument `action`, by their names. */
  readonly actions?: Readonly<Record<string, ActionSpec>>;
  /** The action of a call that names none. */
  readonly defaultAction?: string;
  readonly identity: IdentityNeed;
  readonly timeoutMs: number;
  /** Whether the default `tools/list` names it; every tool is callable either way. */
  readonly advertised: boolean;
  /** Writes nothing: metered apart, with higher limits, and marked so for MCP clients. */
  readonly readOnly: boolean;
  /** Other names of arguments; the canonical one wins when both are sent. */
  readonly argumentAliases?: Readonly<Record<string, string>>;
  /** Takes arguments that it does not declare, and keeps them: a report is what its sender says. */
  readonly takesAnyArgument?: true;
  /** A call that works: shown by describe_tool, and parsed at start, so that it stays one that works. */
  readonly example: Readonly<Record<string, unknown>>;
  /** Calls for single actions; an alias that sets the action shows the one of its action, and all of them stand beside `example`. */
  readonly examples?: Readonly<Record<string, ToolExample>>;
  /** `example` is refused whatever it sends, with this code. */
  readonly exampleRefused?: ErrorCode;
  /** What the tool itself may refuse with, beside what every call may be refused with. */
  readonly errors: readonly ErrorCode[];
  /** Answers while the server is starting or stopping: it tells how to find one's way, and needs no warm part. */
  readonly whileNotReady?: true;
  /**
   * A session that is unknown, expired or revoked leaves the call unbound instead of refusing it: always, or when the call
   * says `force_new`.
   */
  readonly ignoresStaleProof?: true | 'force_new';
  /** Makes a new agent for whoever proves none: metered by address. */
  readonly starts?: true;
  /** The tool hands out an identity: a continuity token beside its uuid resumes here beyond its hour, for 30 days. */
  readonly resumes?: true;
  /** `agent_id` names the agent to look at or act on, and not the one that calls. */
  readonly agentIdIsTarget?: true;
}

/** Another name for a tool. */
export interface ToolAlias {
  readonly name: string;
  readonly tool: string;
  /** `workflow`: the names that agents should learn, advertised, answered in the experience envelope. `guess`: answered like the tool. */
  readonly kind: 'workflow' | 'guess';
  /** Arguments that the alias sets; they win over the caller's. */
  readonly inject?: Readonly<Record<string, unknown>>;
  /** Accepts words and {value, scale} for `complexity`, and says what it made of them. */
  readonly complexityWords?: boolean;
}

/** Ties a specification's exact schema types, and the exact words of its lists, to it. */
export const toolSpec = <const S extends ToolSpec>(spec: S): S => spec;

/** A value as it may be given where it is only read: lists and objects of any depth may be read-only. */
export type ReadOnly<T> = T extends readonly (infer E)[]
  ? readonly ReadOnly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: ReadOnly<T[K]> }
    : T;

/** What the handler of a tool without actions gives. */
export type AnswerOf<S extends ToolSpec> = S extends { readonly output: infer O extends z.ZodType }
  ? ReadOnly<z.input<O>>
  : Readonly<Record<string, unknown>>;

/** What the handler of an action gives. */
export type ActionAnswerOf<A extends ActionSpec> = ReadOnly<z.input<A['output']>>;
