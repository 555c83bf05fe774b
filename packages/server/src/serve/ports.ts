import type { Result } from '@breakwater/contract';
import type { Logger } from 'pino';
import type { UnavailableFacts } from '../channel/index.ts';
import type { Computation } from '../dialectic/index.ts';
import type { Dispatcher, Limits } from '../dispatch/index.ts';
import type { Feed } from '../feed/index.ts';
import type { Clock, Ids, Operator, Reading, Readiness } from '../runtime/index.ts';
import type { Overview } from '../overview/index.ts';
import type { WriteProblem } from '../postgres/index.ts';
import type { Metrics } from './metrics.ts';
import type { PeerAttestor } from './peer.ts';
import type { Tracing } from './tracing.ts';

/** The floor below, as the transports use it. */
export type ToolDispatch = Pick<Dispatcher, 'call' | 'advertised'>;

/**
 * MCP sessions of the 2025 protocol. The id is a secret: whoever sends it is taken for the client that was given it. It
 * must outlive a restart of the server, so `create` resolves once it is durable (BW-serve.05). Each method may reject
 * when the store cannot be reached; the transport then answers the 503 contract.
 */
export interface McpSessions {
  create(): Promise<string>;
  /** False for an id that was never issued, has expired, or was revoked. */
  known(id: string): boolean | Promise<boolean>;
  revoke(id: string): Promise<void>;
}

/** A synchronous read of a live table by key. */
export type ReadLive = (key: string) => Reading<unknown>;

/** What the transports need; everything else is theirs. */
export interface ServeOptions {
  readonly dispatcher: ToolDispatch;
  /** For what is no call of a tool; a call is held against them by the dispatcher. */
  readonly limits: Pick<Limits, 'take'>;
  readonly sessions: McpSessions;
  readonly readiness: Pick<Readiness, 'ready' | 'parts' | 'coldSince' | 'why'>;
  /** What keeps PostgreSQL from writing while it answers; undefined when nothing does. */
  readonly writeProblem: () => WriteProblem | undefined;
  /** Live tables of flags and baselines, for `POST /v1/feature_flag/get` and `POST /v1/baseline/get` (W3-10.11). */
  readonly readFlag: ReadLive;
  readonly readBaseline: ReadLive;
  /** Pure functions of the dialectic, for `POST /v1/dialectic/compute` (W3-5.04). */
  readonly compute: Computation['run'];
  /** For `POST /v1/harness/outcome`; the secret is what the caller sent as an operator's, unchecked. */
  readonly recordExternalOutcome: (
    secret: string | undefined,
    body: unknown,
  ) => Promise<Result<Readonly<Record<string, unknown>>>>;
  /** For `GET /v1/calibration/diagram.svg`, of the fleet or of an agent by id or name. */
  readonly calibrationDiagram: (agent: string | undefined) => Promise<Result<string>>;
  /** What happens to agents, for `GET /api/events` and `WS /ws/eisv`. */
  readonly feed: Pick<Feed, 'page' | 'subscribe'>;
  readonly metrics: Metrics;
  /** Traces of operations; undefined: none are made. */
  readonly tracing?: Pick<Tracing, 'begin'> | undefined;
  /** Told of every 503 that was sent, and of every call whose answer says the same within a reply of another status. */
  readonly onUnavailable?: (facts: UnavailableFacts) => void;
  /** Bearer tokens, any of which opens every route; empty: none is asked for. */
  readonly tokens: readonly string[];
  /** The operator of a credential, which opens every route too; undefined for any other text. */
  readonly operatorOf: (secret: string) => Promise<Operator | undefined>;
  /** What operators see, for the routes under `/api`. */
  readonly overview: Overview;
  /** Which node this is, for `GET /api/session`. */
  readonly node: { readonly version: string; readonly node: string; readonly started_at: string };
  /** Host names (with or without a port) besides loopback under which the server may be called. */
  readonly allowedHosts: readonly string[];
  /** Web origins besides loopback that may call the server. */
  readonly allowedOrigins: readonly string[];
  readonly server: { readonly name: string; readonly version: string };
  /** Told to MCP clients when they connect: how to work with this server. */
  readonly instructions?: string;
  /** Holds every answer of a route against the contract; one that does not fit becomes an error. Default false. */
  readonly checksAnswers?: boolean;
  /** False sends every MCP call through the SDK, so that the two paths can be compared. Default true. */
  readonly mcpFastPath?: boolean;
  /** Attests the peers of the unix socket, when there is one. */
  readonly attestor?: PeerAttestor | undefined;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
}
