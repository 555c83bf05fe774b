/** What failures and measurements of the channel say: the one place where their payloads are made (W3-6.07, W3-6.08). */
import type { KeeperNews } from '../postgres/index.ts';
import type { Json } from './failure-event.ts';

const ERROR_CLASSES = ['timeout', 'connect_error', 'non_200', 'decode_error', 'other'] as const;
/** Why a call over a boundary failed. */
export type BoundaryErrorClass = (typeof ERROR_CLASSES)[number];

const SHADOW_KINDS = ['canonical_missing', 'shadow_missing', 'column_mismatch'] as const;

const filled = (value: string, name: string): string => {
  if (typeof value !== 'string') throw new TypeError(`${name} must be text`);
  if (value.trim() === '') throw new RangeError(`${name} must not be blank`);
  return value;
};

/** Milliseconds to the microsecond: a call within a process takes less than one. */
const milliseconds = (value: number): number => {
  if (typeof value !== 'number') throw new TypeError('elapsed_ms must be a number');
  if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) throw new RangeError('elapsed_ms must be 0 or more');
  return Math.round(value * 1000) / 1000;
};

const whole = (value: number, name: string): number => {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number`);
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${name} must be a whole number, 0 or more`);
  return value;
};

/**
 * A call over a boundary that failed: `{endpoint, method, error_class, status_code?, elapsed_ms?}` (W3-6.04), and what
 * `more` adds. Throws on a blank endpoint or method, a class that is none, and an answer without its status (W3-6.07).
 */
export const boundaryFailure = (
  call: {
    readonly endpoint: string;
    readonly method: string;
    readonly errorClass: BoundaryErrorClass;
    readonly statusCode?: number | undefined;
    readonly elapsedMs?: number | undefined;
  },
  more: Json = {},
): Json => {
  const { endpoint, method, errorClass, statusCode, elapsedMs } = call;
  if (!ERROR_CLASSES.includes(errorClass))
    throw new RangeError(`error_class must be one of ${ERROR_CLASSES.join(', ')}`);
  if (errorClass === 'non_200' && statusCode === undefined) throw new RangeError('non_200 needs a status_code');
  return {
    endpoint: filled(endpoint, 'endpoint'),
    method: filled(method, 'method'),
    error_class: errorClass,
    ...(statusCode !== undefined && { status_code: whole(statusCode, 'status_code') }),
    ...(elapsedMs !== undefined && { elapsed_ms: milliseconds(elapsedMs) }),
    ...more,
  };
};

/**
 * A call that went well, or a request that was answered: `{endpoint, method, status_code?, elapsed_ms, payload_bytes?}`
 * (W3-6.05), and what `more` adds. Throws on a blank endpoint or method and on a number that is none.
 */
export const measurementPayload = (
  call: {
    readonly endpoint: string;
    readonly method: string;
    readonly statusCode?: number | undefined;
    readonly elapsedMs: number;
    readonly payloadBytes?: number | undefined;
  },
  more?: Json,
): Json => {
  const { endpoint, method, statusCode, elapsedMs, payloadBytes } = call;
  const payload: Record<string, unknown> = {
    endpoint: filled(endpoint, 'endpoint'),
    method: filled(method, 'method'),
  };
  if (statusCode !== undefined) payload['status_code'] = whole(statusCode, 'status_code');
  payload['elapsed_ms'] = milliseconds(elapsedMs);
  if (payloadBytes !== undefined) payload['payload_bytes'] = whole(payloadBytes, 'payload_bytes');
  return more === undefined ? payload : Object.assign(payload, more);
};

/**
 * A difference between a shadow row and its canonical one: `{table_name, agent_id, kind, divergent_columns}`. Throws unless
 * a mismatch names columns and a missing row names none.
 */
export const shadowDivergence = (difference: {
  readonly table: 'identities' | 'agents';
  readonly agentId: string;
  readonly kind: (typeof SHADOW_KINDS)[number];
  readonly columns: readonly string[];
}): Json => {
  const { table, agentId, kind, columns } = difference;
  if (!SHADOW_KINDS.includes(kind)) throw new RangeError(`kind must be one of ${SHADOW_KINDS.join(', ')}`);
  if ((kind === 'column_mismatch') !== columns.length > 0) {
    throw new RangeError('divergent_columns must be named for a column_mismatch, and for nothing else');
  }
  return {
    table_name: filled(table, 'table_name'),
    agent_id: filled(agentId, 'agent_id'),
    kind,
    divergent_columns: columns.map((column) => filled(column, 'divergent_columns')),
  };
};

const ROUTES = { rest: '/v1/tools/call', mcp: '/mcp/' } as const;

/** A call as dispatch measures it. */
interface RequestFacts {
  readonly tool: string;
  readonly transport: keyof typeof ROUTES;
  /** HTTP status of the answer. */
  readonly status: number;
  readonly outcome: string;
  readonly ms: number;
  readonly crossings: number;
}

/** A request that was accepted for dispatch (W3-3.13), with its tool, its refusal's code and its crossings (W3-6.10). */
export const requestPayload = ({ tool, transport, status, outcome, ms, crossings }: RequestFacts): Json =>
  measurementPayload(
    { endpoint: ROUTES[transport], method: 'POST', statusCode: status, elapsedMs: ms },
    outcome === 'ok' ? { tool, crossings } : { tool, crossings, error_code: outcome },
  );

/** A 503, or a refusal that would have been one if the answer had a status of its own. */
export interface UnavailableFacts {
  /** Route, not URL. */
  readonly endpoint: string;
  readonly method: string;
  readonly elapsedMs: number;
  /** As the 503 contract gives it; undefined when the answer was none of the contract. */
  readonly reason: string | undefined;
}

/** A 503 that was sent (W3-3.13). */
export const unavailablePayload = ({ endpoint, method, elapsedMs, reason }: UnavailableFacts): Json =>
  measurementPayload({ endpoint, method, statusCode: 503, elapsedMs }, reason === undefined ? undefined : { reason });

/** Emissions that did not fit into the buffer, or were refused, since this was told last. */
export const droppedPayload = (of: 'failures' | 'measurements', count: number): Json => ({
  channel: of,
  samples_dropped: count,
});

/** The embedded PostgreSQL ended without the server: the how-manieth end since its start, and what is done about it. */
export const embeddedEndedPayload = (news: KeeperNews): Json => ({
  error: 'embedded_postgres_ended',
  ends: whole(news.restart, 'ends'),
  done: news.what === 'ended' ? 'restart' : news.what,
  ...(news.what === 'ended' && { delay_ms: whole(news.delayMs, 'delay_ms') }),
});
