import type { IncomingHttpHeaders } from 'node:http';
import type { Clock, Trace } from '../runtime/index.ts';

/** An MCP request or notification, or a REST call of a tool, which counts as `tools/call`: what its span says. */
export interface TracedOperation {
  /** JSON-RPC method; only names that callers cannot invent. */
  readonly method: string;
  readonly transport: 'rest' | 'mcp';
  readonly headers: IncomingHttpHeaders;
  readonly httpVersion: string;
  /** Over the unix socket. */
  readonly local: boolean;
  /** Of this exchange; the log and refusals have the same one. */
  readonly requestId: string;
  /** JSON-RPC id; null or undefined for a notification, and over REST. */
  readonly rpcId?: unknown;
  /** `params._meta` of the message. */
  readonly meta?: unknown;
  /** A secret: only a digest of it leaves the server. */
  readonly session?: string | undefined;
}

/** How an operation ended; without `errorType` it went well. */
interface OperationEnd {
  /** Name of the tool; only names of the registry. */
  readonly tool?: string;
  readonly errorType?: string | undefined;
  /** Code of the error catalogue. */
  readonly errorCode?: string | undefined;
}

/** The span of an operation. */
export interface OperationSpan extends Trace {
  end(how: OperationEnd): void;
}

/** Spans since the start; those that still wait are in none. */
export interface SpanCounts {
  readonly exported: number;
  /** There was no room in the queue. */
  readonly dropped: number;
  /** The collector did not take them. */
  readonly failed: number;
}

/** Traces of what the server does. Nothing here throws, and nothing waits for the collector. */
export interface Tracing {
  begin(operation: TracedOperation): OperationSpan;
  readonly counts: SpanCounts;
  /** Sends what waits, for at most a second, and ends. Never rejects. */
  stop(): Promise<void>;
}

export interface TracingOptions {
  /** Base of the collector, to which `/v1/traces` is added. */
  readonly endpoint: URL;
  /** Share of the traces that begin here which are kept, 0 to 1; for others the caller has decided. */
  readonly ratio: number;
  readonly version: string;
  /** Tells the processes of a fleet apart. */
  readonly instanceId: string;
  readonly clock: Pick<Clock, 'after'>;
  /** Hears once per outage why the collector takes nothing. */
  readonly onError: (error: Error) => void;
}

/** Starts traces. The libraries are loaded here, so that a server without a collector never pays for them. */
export const startTracing = async (options: TracingOptions): Promise<Tracing> =>
  (await import('./tracing-otel.ts')).createTracing(options);
