import {
  classifyInboundRequest,
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  PROTOCOL_VERSION_META_KEY,
  SERVER_INFO_META_KEY,
  SUPPORTED_PROTOCOL_VERSIONS,
} from '@modelcontextprotocol/server';
import type { IncomingHttpHeaders } from 'node:http';
import type { DispatchReply } from '../dispatch/index.ts';
import { isStructured, readsStructured } from './mcp-sdk.ts';
import { readTraceContext } from './trace-context.ts';
import { isObject } from '../runtime/index.ts';

/** The sessionless revision; the SDK serves exactly one. */
export const MODERN_REVISION = '2026-07-28';
const LEGACY_REVISIONS: ReadonlySet<unknown> = new Set(SUPPORTED_PROTOCOL_VERSIONS);
const JSON_TYPES: ReadonlySet<unknown> = new Set(['application/json', 'application/json; charset=utf-8']);

/** A `tools/call` that the fast path is sure to understand as the SDK does. */
interface FastCall {
  readonly era: 'legacy' | 'modern';
  readonly id: string | number;
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly meta: Readonly<Record<string, unknown>> | undefined;
  /** The caller reads the answer as an object, too. */
  readonly structured: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

const hasOnly = (fields: Fields, allowed: ReadonlySet<string>): boolean => {
  for (const key in fields) if (!allowed.has(key)) return false;
  return true;
};

const isId = (value: unknown): value is string | number => typeof value === 'string' || Number.isSafeInteger(value);

const MESSAGE_KEYS: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'method', 'params']);
const PARAMS_KEYS: ReadonlySet<string> = new Set(['name', 'arguments', '_meta']);
const LEGACY_META_KEYS: ReadonlySet<string> = new Set(['progressToken', 'traceparent', 'tracestate']);
const MODERN_META_KEYS: ReadonlySet<string> = new Set([
  ...LEGACY_META_KEYS,
  PROTOCOL_VERSION_META_KEY,
  CLIENT_INFO_META_KEY,
  CLIENT_CAPABILITIES_META_KEY,
]);

const MAX_ENVELOPES = 256;
const MAX_ENVELOPE_LENGTH = 4096;

/**
 * Which envelopes the SDK's own classifier accepts, remembered by their text: a client sends the same one with every
 * call, and the check costs more than all the rest. Nothing but the text decides, so a remembered verdict stays true.
 */
export const createEnvelopeCheck = () => {
  const good = new Set<string>();
  return (meta: Fields): boolean => {
    const text = JSON.stringify([meta[CLIENT_INFO_META_KEY], meta[CLIENT_CAPABILITIES_META_KEY]]);
    if (good.has(text)) return true;
    if (text.length > MAX_ENVELOPE_LENGTH) return false;
    const verdict = classifyInboundRequest({
      httpMethod: 'POST',
      protocolVersionHeader: MODERN_REVISION,
      mcpMethodHeader: 'tools/call',
      body: { jsonrpc: '2.0', id: 0, method: 'tools/call', params: { name: 'any', _meta: meta } },
    });
    if (verdict.kind !== 'modern') return false;
    if (good.size >= MAX_ENVELOPES) good.clear();
    good.add(text);
    return true;
  };
};

const progressTokenIsPlain = (meta: Fields) => meta['progressToken'] === undefined || isId(meta['progressToken']);

const traceIsPlain = ({ traceparent, tracestate }: Fields) =>
  (traceparent === undefined || readTraceContext(traceparent) !== undefined) &&
  (tracestate === undefined || typeof tracestate === 'string');

const valuesArePlain = (meta: Fields) => progressTokenIsPlain(meta) && traceIsPlain(meta);

/** A header that must repeat a value of the body: sent plainly, so that no encoding is in question. */
const repeats = (header: unknown, value: string) => header === value && /^[\w.-]+$/.test(value);

/**
 * Reads the one message that is worth a path of its own, or gives undefined: then the SDK answers. It recognises only
 * what it is sure of, so everything malformed, unusual or new is the SDK's to judge, and to word.
 */
export const readFastCall = (
  headers: IncomingHttpHeaders,
  body: unknown,
  envelopeIsGood: (meta: Fields) => boolean,
): FastCall | undefined => {
  if (!JSON_TYPES.has(headers['content-type'])) return undefined;
  if (!isObject(body) || body['method'] !== 'tools/call' || body['jsonrpc'] !== '2.0') return undefined;
  const { id, params } = body;
  if (!isId(id) || !isObject(params) || !hasOnly(body, MESSAGE_KEYS) || !hasOnly(params, PARAMS_KEYS)) return undefined;
  const { name, arguments: args = {}, _meta: meta } = params;
  // The SDK drops an argument of this name while it copies the others.
  if (typeof name !== 'string' || !isObject(args) || Object.hasOwn(args, '__proto__')) return undefined;
  const version = headers['mcp-protocol-version'];

  if (version === MODERN_REVISION) {
    if (!isObject(meta) || meta[PROTOCOL_VERSION_META_KEY] !== MODERN_REVISION) return undefined;
    if (headers['mcp-method'] !== 'tools/call' || !repeats(headers['mcp-name'], name)) return undefined;
    if (!hasOnly(meta, MODERN_META_KEYS) || !valuesArePlain(meta) || !envelopeIsGood(meta)) return undefined;
    return { era: 'modern', id, name, args, meta, structured: true };
  }
  if (version !== undefined && !LEGACY_REVISIONS.has(version)) return undefined;
  if (meta !== undefined && !(isObject(meta) && hasOnly(meta, LEGACY_META_KEYS) && valuesArePlain(meta))) {
    return undefined;
  }
  return { era: 'legacy', id, name, args, meta, structured: readsStructured(version) };
};

/** Writes the answer to a fast call, byte for byte as the SDK does; the body is written once, for its text and its object. */
export const createFastAnswer = (server: { name: string; version: string }) => {
  const modernTail = `,"resultType":"complete","_meta":${JSON.stringify({ [SERVER_INFO_META_KEY]: server })}`;
  return (call: FastCall, reply: DispatchReply): string => {
    const body = JSON.stringify(reply.body);
    const object = isStructured(reply, call.structured) ? `"structuredContent":${body},` : '';
    const content = `"content":[{"type":"text","text":${JSON.stringify(body)}}],${object}"isError":${reply.isError}`;
    const tail = call.era === 'modern' ? modernTail : '';
    return `{"result":{${content}${tail}},"jsonrpc":"2.0","id":${JSON.stringify(call.id)}}`;
  };
};
