import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  PROTOCOL_VERSION_META_KEY,
} from '@modelcontextprotocol/server';

export const MODERN = '2026-07-28';

/** The envelope that a client of the sessionless protocol sends with every request. */
export const envelope = {
  [PROTOCOL_VERSION_META_KEY]: MODERN,
  [CLIENT_INFO_META_KEY]: { name: 'test', version: '1' },
  [CLIENT_CAPABILITIES_META_KEY]: {},
};

const ACCEPT_BOTH = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

export interface Wire {
  readonly headers: Record<string, string>;
  readonly body: string;
}

type Fields = Record<string, unknown>;

/** A `tools/call` of the 2025 protocol; the parts that a test names differ from a plain one. */
export const legacyCall = (
  change: { headers?: Record<string, string>; message?: Fields; params?: Fields } = {},
): Wire => ({
  headers: { ...ACCEPT_BOTH, ...change.headers },
  body: JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'echo', arguments: { text: 'hi' }, ...change.params },
    ...change.message,
  }),
});

/** The same of the sessionless protocol. */
export const modernCall = (
  change: { headers?: Record<string, string>; message?: Fields; params?: Fields; meta?: Fields } = {},
): Wire => {
  const name = change.params?.['name'];
  return legacyCall({
    headers: {
      'mcp-protocol-version': MODERN,
      'mcp-method': 'tools/call',
      'mcp-name': typeof name === 'string' ? name : 'echo',
      ...change.headers,
    },
    message: change.message ?? {},
    params: { ...change.params, _meta: { ...envelope, ...change.meta } },
  });
};

export const initialize = (version = '2025-06-18'): Wire =>
  legacyCall({
    message: {
      method: 'initialize',
      params: { protocolVersion: version, capabilities: {}, clientInfo: { name: 'test', version: '1' } },
    },
  });

export const post = (url: string, wire: Wire): Promise<Response> =>
  fetch(`${url}/mcp/`, { method: 'POST', headers: wire.headers, body: wire.body });
