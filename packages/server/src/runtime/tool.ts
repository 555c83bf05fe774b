import type { Outcome, ToolSpec } from '@breakwater/contract';
import type { z } from 'zod';

/** How well the caller's identity is proven. `weak`: inferred by the server from the transport, not sent with the call. */
export type Assurance = 'none' | 'weak' | 'strong';

/**
 * What a transport saw of who is calling, each piece apart: sent by the caller, or inferred from the connection. Only
 * identity turns evidence into a caller.
 */
export interface Evidence {
  /** The session secret as an argument of this call. */
  readonly clientSessionId?: string;
  /** The session secret in the `X-Session-ID` header. */
  readonly sessionHeader?: string;
  /** The MCP session that carries the call (2025 protocol). */
  readonly mcpSessionId?: string;
  /** Peer address and user agent: never proof, only the bucket of limits for callers without identity. */
  readonly peer: string;
}

/** Who is calling, as identity found out. */
export interface Caller {
  readonly agentId: string | undefined;
  readonly assurance: Assurance;
  /** Which piece of evidence bound the call. */
  readonly source: 'client_session_id' | 'session_header' | 'mcp_session' | 'none';
  /** The bucket of rate limits: the proven agent, or the peer. Never something the caller can choose freely. */
  readonly principal: string;
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
  /** Arguments that no schema knows; kept, never trusted. */
  readonly unknownArguments: Readonly<Record<string, unknown>>;
}

/** A tool: its specification from the contract, and the handler that calls the feature's service. */
export interface Tool<S extends ToolSpec = ToolSpec> {
  readonly spec: S;
  handle(call: ToolCall<z.output<S['input']>>): Promise<Outcome<Readonly<Record<string, unknown>>>>;
}

/** Ties a handler to its specification, so that the arguments have the schema's type. */
export const defineTool = <S extends ToolSpec>(spec: S, handle: Tool<S>['handle']): Tool => ({ spec, handle });
