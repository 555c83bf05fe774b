import { PROTOCOL_VERSION_META_KEY } from '@modelcontextprotocol/server';
import { isObject } from '../runtime/index.ts';

/** One JSON-RPC message, as far as a bridge looks into it. */
export interface RpcMessage {
  readonly jsonrpc?: unknown;
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: {
    readonly name?: unknown;
    readonly uri?: unknown;
    readonly taskId?: unknown;
    readonly requestId?: unknown;
    readonly _meta?: Readonly<Record<string, unknown>>;
  };
}
export type RpcPayload = RpcMessage | readonly RpcMessage[];

/** The messages in one line or body: one, or a batch; undefined when it is not JSON-RPC. */
export const readRpc = (text: string): RpcPayload | undefined => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const isMessage = (message: unknown): message is RpcMessage => isObject(message) && message['jsonrpc'] === '2.0';
  if (Array.isArray(value)) return value.length > 0 && value.every(isMessage) ? value : undefined;
  return isMessage(value) ? value : undefined;
};

/** Ids that wait for an answer: of requests, not of notifications or of answers. */
export const waitingIds = (payload: RpcPayload): (string | number)[] =>
  (Array.isArray(payload) ? (payload as readonly RpcMessage[]) : [payload as RpcMessage]).flatMap(({ method, id }) =>
    method !== undefined && (typeof id === 'string' || typeof id === 'number') ? [id] : [],
  );

/** The revision that a message of the sessionless protocol names in its envelope. */
export const modernRevision = (payload: RpcPayload): string | undefined => {
  const version = Array.isArray(payload)
    ? undefined
    : (payload as RpcMessage).params?._meta?.[PROTOCOL_VERSION_META_KEY];
  return typeof version === 'string' ? version : undefined;
};

const PLAIN = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;
const headerValue = (text: string): string =>
  PLAIN.test(text) && !text.startsWith('=?base64?') ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`;

/** The headers by which the sessionless protocol repeats a message's envelope, method and target. */
export const modernHeaders = (message: RpcMessage, revision: string): Record<string, string> => {
  const target = message.params?.name ?? message.params?.uri ?? message.params?.taskId;
  return {
    'mcp-protocol-version': revision,
    ...(typeof message.method === 'string' && { 'mcp-method': message.method }),
    ...(typeof target === 'string' && { 'mcp-name': headerValue(target) }),
  };
};

/**
 * The lines of a stream, ended by `\n` alone. Node's own line reader also ends a line at U+2028, which JSON may hold
 * inside a string.
 */
export async function* rpcLines(input: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of input) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  yield rest;
}

/** One message as a line, with the separators escaped that some line readers would end it at. */
export const rpcLine = (message: unknown): string =>
  `${JSON.stringify(message).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}\n`;

/** The data of each server-sent event of a stream. */
export async function* eventData(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true }).replaceAll('\r\n', '\n');
    for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
      const data = rest
        .slice(0, end)
        .split('\n')
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5).replace(/^ /, ''))
        .join('\n');
      rest = rest.slice(end + 2);
      if (data !== '') yield data;
    }
  }
}
