import { ServerResponse, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';

/** A connection that asks to become a WebSocket, and what was read of it already. */
export interface Upgrade {
  readonly socket: Duplex;
  readonly head: Buffer;
  /** Takes the connection out of HTTP's hands: from now on nothing can be answered there. */
  take(): void;
}

const PROTOCOL_TOKEN = /(?:^|,)\s*(?:bearer\.([\w.~-]+)|(bwo_[\w-]+))\s*(?:,|$)/;

/**
 * Sends requests for a WebSocket the way of every other request, so that the same guards and hooks stand before them; a
 * route finds the connection by the function that this gives. What no route takes is answered as HTTP, and the connection ends.
 *
 * A browser cannot send an Authorization header here: a token may come as the subprotocol `bearer.<token>` instead, and an
 * operator's credential also as it is.
 */
export const routeUpgrades = (app: FastifyInstance): ((request: IncomingMessage) => Upgrade | undefined) => {
  const waiting = new WeakMap<IncomingMessage, Upgrade>();
  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const { headers } = request;
    const offered = PROTOCOL_TOKEN.exec(headers['sec-websocket-protocol'] ?? '');
    const token = offered?.[1] ?? offered?.[2];
    if (headers.authorization === undefined && token !== undefined) headers.authorization = `Bearer ${token}`;
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(request.socket);
    response.once('finish', () => socket.end());
    waiting.set(request, { socket, head, take: () => response.detachSocket(request.socket) });
    app.routing(request, response);
  });
  return (request) => waiting.get(request);
};

/** Whether a request is for a WebSocket; every other upgrade is refused by answering the request as it is. */
export const isWebSocket = (request: IncomingMessage): boolean =>
  request.headers.upgrade?.toLowerCase() === 'websocket';
