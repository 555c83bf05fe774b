import { hash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Evidence } from '../runtime/index.ts';

/** A header that is sent at most once; a repeated one counts as its first value. */
export const oneHeader = (headers: IncomingHttpHeaders, name: string): string | undefined => {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
};

const argumentOf = (args: unknown, key: string): string | undefined => {
  if (typeof args !== 'object' || args === null || !Object.hasOwn(args, key)) return undefined;
  const value: unknown = (args as Record<string, unknown>)[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
};

/**
 * What a transport saw of its caller, for REST and MCP alike.
 *
 * `address` is the socket's; a forwarding header is the caller's claim and is never read. `mcpSessionId` is given by the
 * 2025 protocol only, after the session was found to be known.
 */
export const evidenceOf = (seen: {
  args: unknown;
  headers: IncomingHttpHeaders;
  address: string | undefined;
  mcpSessionId?: string | undefined;
}): Evidence => {
  const clientSessionId = argumentOf(seen.args, 'client_session_id');
  const sessionHeader = oneHeader(seen.headers, 'x-session-id');
  const address = (seen.address ?? 'unknown').replace(/^::ffff:/, '');
  const agent = hash('sha256', seen.headers['user-agent'] ?? '', 'hex').slice(0, 12);
  return {
    ...(clientSessionId !== undefined && { clientSessionId }),
    ...(sessionHeader !== undefined && sessionHeader !== '' && { sessionHeader }),
    ...(seen.mcpSessionId !== undefined && { mcpSessionId: seen.mcpSessionId }),
    peer: `${address}|${agent}`,
  };
};
