import type { z } from 'zod';
import type { ReadOnly } from './tool-spec.ts';

/** What a route of HTTP is on the wire. The handler stands in the server; this is data. */
export interface RouteSpec {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** The whole address, with `:name` for a part that varies, and `*` for the rest of it. */
  readonly path: string;
  readonly tag: 'agents' | 'operators' | 'health' | 'runtime' | 'console';
  readonly summary: string;
  /** `open` answers without a token, `operator` only operators; `token`: one is asked for when the server has any. */
  readonly auth: 'open' | 'token' | 'operator';
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  /** `ToolCall` is any tool with its arguments. */
  readonly body?: z.ZodType | 'ToolCall';
  /** The route hands query and body on as they came: what it calls reads them itself. */
  readonly handsOn?: true;
  /** What a success answers as JSON. */
  readonly answer?: z.ZodType;
  /** Media type of the answer, instead of JSON, or beside it when `answer` is given too. */
  readonly produces?: string;
  /** Statuses of what is no refusal, when it is not 200 alone, each with what it says. */
  readonly succeeds?: Readonly<Record<number, string>>;
  /** Statuses of its refusals beside those that every route of its kind has. */
  readonly errors: readonly number[];
  /** What its refusals look like, if not as everywhere: those of JSON-RPC, or a line of text. */
  readonly refused?: 'rpc' | 'text';
  /** What its 503 looks like, beside the usual one. */
  readonly unavailable?: z.ZodType;
  /** Answers while the server is starting, or leaves it to what it calls. */
  readonly whileNotReady?: true;
  /** Answers whatever Host and Origin say, and also while the server stops. */
  readonly always?: true;
}

/** Ties a specification's exact schema types to it. */
export const routeSpec = <const S extends RouteSpec>(spec: S): S => spec;

/** What the handler of a route gives. */
export type RouteAnswer<S extends RouteSpec> = S extends { readonly answer: infer A extends z.ZodType }
  ? ReadOnly<z.input<A>>
  : never;
