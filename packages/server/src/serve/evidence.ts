import type { IncomingHttpHeaders } from 'node:http';
import { isIPv6 } from 'node:net';
import type { FastifyRequest } from 'fastify';
import type { Evidence } from '../runtime/index.ts';
import type { PeerAttestor } from './peer.ts';

/** A header that is sent at most once; a repeated one counts as its first value. */
export const oneHeader = (headers: IncomingHttpHeaders, name: string): string | undefined => {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
};

/** How a credential of an operator begins; one that is cut short is a wrong one, and not somebody's who sent none. */
const OPERATOR_PREFIX = 'bwo_';

/** The secret of an operator: in a header of its own, the reference's among them, or as the bearer token. */
const operatorSecretOf = (headers: IncomingHttpHeaders): string | undefined => {
  const own = oneHeader(headers, 'x-breakwater-operator') ?? oneHeader(headers, 'x-unitares-operator');
  if (own !== undefined && own !== '') return own;
  const bearer = bearerOf(headers.authorization);
  return bearer?.startsWith(OPERATOR_PREFIX) === true ? bearer : undefined;
};

/** The token of an `Authorization` header. */
export const bearerOf = (authorization: string | undefined): string | undefined =>
  authorization === undefined ? undefined : /^Bearer +(\S+)$/i.exec(authorization)?.[1];

const argumentOf = (args: unknown, key: string): string | undefined => {
  if (typeof args !== 'object' || args === null || !Object.hasOwn(args, key)) return undefined;
  const value: unknown = (args as Record<string, unknown>)[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
};

/**
 * Where limits count an address. A host of IPv6 has a whole network (/64) to itself, and could call from each address of it
 * once.
 */
export const networkOf = (address: string): string => {
  const plain = address.split('%', 1)[0] ?? address;
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const after = tail === '' ? 0 : tail.split(':').length;
    while (groups.length + after < 8) groups.push('0');
  }
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
};

/**
 * What a request saw of its caller, for REST and MCP alike: what its headers and `args` bring, and, over the unix socket, what
 * the kernel says of its process.
 *
 * The address is the socket's; a forwarding header is the caller's claim and is never read. `mcpSessionId` is given by the
 * 2025 protocol only, after the session was found to be known.
 */
export const evidenceOf = (
  { headers, socket }: Pick<FastifyRequest, 'headers' | 'socket'>,
  attestor: PeerAttestor | undefined,
  { args, mcpSessionId }: { readonly args?: unknown; readonly mcpSessionId?: string | undefined } = {},
): Evidence => {
  const clientSessionId = argumentOf(args, 'client_session_id');
  const sessionHeader = oneHeader(headers, 'x-session-id');
  const address = (socket.remoteAddress ?? 'unknown').replace(/^::ffff:/, '');
  const userAgent = headers['user-agent'];
  const operatorSecret = operatorSecretOf(headers);
  const attestation = attestor?.attest(socket);
  return {
    ...(clientSessionId !== undefined && { clientSessionId }),
    ...(sessionHeader !== undefined && sessionHeader !== '' && { sessionHeader }),
    ...(mcpSessionId !== undefined && { mcpSessionId }),
    ...(userAgent !== undefined && { userAgent }),
    ...(operatorSecret !== undefined && { operatorSecret }),
    ...(attestation !== undefined ? { attestation } : { address }),
    peer: attestation?.ok === true ? `unix:${attestation.process.uid}` : networkOf(address),
  };
};
