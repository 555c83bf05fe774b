import type { FastifyReply, FastifyRequest } from 'fastify';
import { oneHeader } from './evidence.ts';

/** What a page may read beside the body: the session of MCP, and what a refusal is told by. */
const EXPOSED = 'Mcp-Session-Id, X-Request-Id, Retry-After, WWW-Authenticate';
const METHODS = 'GET, POST, DELETE';
const HEADER_NAMES = /^[\w-]+(?:\s*,\s*[\w-]+)*$/;
/** Seconds for which a browser may keep the answer to a preflight. */
const KEPT_SECONDS = 600;

/**
 * Lets pages of an origin that the operator named call the server and read its answers (the Fetch standard's CORS protocol):
 * every answer says so, and a preflight is answered here; true when it was. Cookies are not part of it: a page sends its
 * token in a header.
 */
export const admitOrigin = (request: FastifyRequest, reply: FastifyReply, origin: string): boolean => {
  void reply.headers({
    'access-control-allow-origin': origin,
    'access-control-expose-headers': EXPOSED,
    vary: 'Origin',
  });
  if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return false;
  // A browser asks for the headers that its page wants to send; those of an origin that is trusted may be any.
  const asked = oneHeader(request.headers, 'access-control-request-headers') ?? '';
  void reply.headers({
    'access-control-allow-methods': METHODS,
    'access-control-max-age': String(KEPT_SECONDS),
    ...(HEADER_NAMES.test(asked) && { 'access-control-allow-headers': asked }),
  });
  void reply.code(204).send();
  return true;
};
