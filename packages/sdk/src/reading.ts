import type { ErrorCategory } from '@breakwater/contract';
import { ProtocolError, refusedError, UnreachableError, type BreakwaterError, type RefusalFacts } from './errors.ts';
import { isObject, textOf, type Json } from './json.ts';
import { retryAfterSeconds } from './retry-after.ts';

/** What a transport got for a call, before anybody said what it means. */
export interface Exchange {
  /** HTTP status; undefined over MCP, where a call that was answered has none of its own. */
  readonly status?: number | undefined;
  readonly retryAfter?: string | null | undefined;
  /** Parsed JSON, or the text that was no JSON. */
  readonly body: unknown;
}

/** What an exchange means. */
export type Reading =
  | { readonly kind: 'answer'; readonly payload: Json }
  | { readonly kind: 'unavailable'; readonly retryAfterSeconds: number; readonly reason: string }
  | { readonly kind: 'failed'; readonly error: BreakwaterError };

/** The 503 contract is told by this word, whatever status carries it. */
const UNAVAILABLE = 'governance_temporarily_unavailable';
const UNAVAILABLE_CODES: ReadonlySet<unknown> = new Set(['NOT_READY', 'OVERLOADED', 'STORAGE_UNAVAILABLE']);
/** Statuses of a gateway that got no answer itself. */
const GATEWAY_STATUSES: ReadonlySet<unknown> = new Set([502, 504]);
/** Refusals that look like a success: told by their status, or by the flag that made them (spec surface 3.3). */
const REFUSED_STATUSES: ReadonlySet<unknown> = new Set(['identity_required', 'lineage_declaration_required']);
const CATEGORIES: ReadonlySet<unknown> = new Set(['validation_error', 'auth_error', 'state_error', 'system_error']);

/** Envelopes within envelopes; no answer has more. */
const MOST_LAYERS = 5;

const parsed = (value: unknown): unknown => {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
};

/**
 * What an envelope holds: REST has the tool's answer under `result`, MCP as text in `content`; undefined when it is the
 * tool's own answer, which has a `server_time`.
 */
const inside = (layer: Json): unknown => {
  if ('server_time' in layer) return undefined;
  if ('result' in layer && ('name' in layer || 'jsonrpc' in layer)) return layer['result'];
  const { content } = layer;
  const block: unknown = Array.isArray(content) ? content[0] : undefined;
  return isObject(block) ? (textOf(block['text']) ?? undefined) : undefined;
};

/** The envelopes of an answer, outermost first, and what the last one holds when that is no object. */
const layersOf = (body: unknown): { readonly layers: readonly Json[]; readonly rest: unknown } => {
  const layers: Json[] = [];
  let rest = parsed(body);
  while (isObject(rest) && layers.length < MOST_LAYERS) {
    layers.push(rest);
    rest = parsed(inside(rest));
  }
  return { layers, rest };
};

const refusesItself = (layer: Json): boolean =>
  layer['success'] === false ||
  layer['ok'] === false ||
  layer['isError'] === true ||
  'rollout_flag' in layer ||
  REFUSED_STATUSES.has(layer['status']) ||
  isObject(layer['error']) ||
  (typeof layer['error'] === 'string' && layer['success'] !== true);

/** The whole payload under `raw_governance` may refuse where the summary around it does not. */
const refusing = (layer: Json): Json | undefined => {
  if (refusesItself(layer)) return layer;
  const raw = layer['raw_governance'];
  return isObject(raw) && refusesItself(raw) ? raw : undefined;
};

const isUnavailable = (layer: Json): boolean =>
  layer['error'] === UNAVAILABLE || (refusesItself(layer) && UNAVAILABLE_CODES.has(layer['error_code']));

const codeOf = (layer: Json, status: number | undefined): string => {
  const told = textOf(layer['error_code']) ?? textOf(layer['code']);
  if (told !== null) return told;
  if (layer['status'] === 'lineage_declaration_required') return 'LINEAGE_DECLARATION_REQUIRED';
  if ('rollout_flag' in layer || layer['status'] === 'identity_required') return 'IDENTITY_REQUIRED';
  const { error } = layer;
  if (isObject(error) && typeof error['code'] === 'number') return `JSON_RPC_${error['code']}`;
  return status === undefined || status === 200 ? 'REFUSED' : `HTTP_${status}`;
};

const messageOf = (layer: Json, rest: unknown, code: string): string => {
  const { error } = layer;
  const told = [error, isObject(error) ? error['message'] : undefined, layer['hint'], layer['message'], rest];
  return told.map(textOf).find((text) => text !== null && text !== '') ?? `The call was refused (${code}).`;
};

const secondsOf = (layer: Json, header: string | null | undefined): number | undefined => {
  const told = Number(layer['retry_after_seconds'] ?? header ?? Number.NaN);
  return Number.isFinite(told) && told >= 0 ? told : undefined;
};

const refusalOf = (tool: string, layer: Json, rest: unknown, { status, retryAfter }: Exchange): RefusalFacts => {
  const code = codeOf(layer, status);
  const { recovery } = layer;
  return {
    code,
    message: messageOf(layer, rest, code),
    tool,
    status,
    retryAfterSeconds: secondsOf(layer, retryAfter),
    category: CATEGORIES.has(layer['error_category']) ? (layer['error_category'] as ErrorCategory) : undefined,
    recovery: isObject(recovery) ? (recovery as unknown as RefusalFacts['recovery']) : undefined,
    details: layer,
  };
};

/**
 * Says what an exchange means. An answer is only what says `success: true` itself and is refused by none of its envelopes;
 * every shape of refusal is told as one, and what fits nothing is an error, never an answer (BW-sdk.02). `now` is in ms.
 */
export const readExchange = (tool: string, exchange: Exchange, now: number): Reading => {
  const { status, retryAfter = null } = exchange;
  const { layers, rest } = layersOf(exchange.body);
  const unavailable = layers.find(isUnavailable);
  if (status === 503 || unavailable !== undefined) {
    const told = unavailable ?? layers[0];
    const reason = textOf(told?.['reason']) ?? textOf(told?.['error_code']) ?? textOf(told?.['status']) ?? 'HTTP 503';
    return { kind: 'unavailable', retryAfterSeconds: retryAfterSeconds(retryAfter, told, now), reason };
  }
  const failed = (error: BreakwaterError): Reading => ({ kind: 'failed', error });
  const isHttpError = status !== undefined && (status < 200 || status > 299);

  // The innermost refusal knows most; the envelopes around it only repeat that there is one.
  const refused = layers.map(refusing).findLast((layer) => layer !== undefined);
  if (refused !== undefined) return failed(refusedError(refusalOf(tool, refused, rest, exchange)));
  if (isHttpError && GATEWAY_STATUSES.has(status)) {
    return failed(new UnreachableError(`A gateway answered ${status} to ${tool}.`));
  }
  if (isHttpError && status >= 400 && status < 500) {
    return failed(refusedError(refusalOf(tool, layers.at(-1) ?? {}, rest, exchange)));
  }
  const payload = layers.at(-1);
  if (isHttpError || payload === undefined || payload['success'] !== true || rest !== undefined) {
    const what = isHttpError ? `status ${status}` : 'something that is neither an answer nor a refusal';
    return failed(new ProtocolError(`${tool} was answered with ${what}.`, exchange.body));
  }
  return { kind: 'answer', payload };
};
