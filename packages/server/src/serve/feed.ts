import { refusal, type Result, type Refusal } from '@breakwater/contract';
import { agentRoutes } from '@breakwater/contract/routes';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { WebSocketServer } from 'ws';
import type { Admission } from './admission.ts';
import { evidenceOf } from './evidence.ts';
import { sendFeatureRefusal } from './feature-refusal.ts';
import { FeedClients, type FeedClient } from './feed-clients.ts';
import { FeedPlaces } from './feed-places.ts';
import { eventFor, type FeedFilter, type FeedPage } from '../feed/index.ts';
import type { Viewer } from '../lifecycle/index.ts';
import type { ServeOptions } from './ports.ts';
import { sendRefusal } from './refusal-reply.ts';
import { serveRoute } from './route.ts';
import { routeUpgrades, type Upgrade } from './upgrade.ts';

const PLACES = { all: 100, forOperators: 20, ofAddress: 40 } as const;
/** Clients have nothing to say. */
const MAX_MESSAGE = 4096;
const SUBPROTOCOL = 'breakwater';

const gapOf = ({ gap }: FeedPage) =>
  gap === undefined
    ? null
    : { reason: gap.reason, until: new Date(gap.until).toISOString(), hint: 'Events up to then may be missing.' };

/** What a watcher asks for. */
type Watched = FeedFilter & { readonly since: number | undefined };

/** What a reader must know of a cursor that was given before this server started. */
const RESTARTED = {
  restarted: true,
  note: 'The server was started after this cursor: up to a minute may come again (compare key), and drift is not recalled.',
};

/**
 * The live feed: `GET /api/events` for residents who ask now and then, and `WS /ws/eisv` for those who watch. A reader that
 * was away gets with `since` what is retained, and is told what is not (BW-serve.11).
 *
 * Callers who are no operators see every agent under a name that says nothing of its id (BW-identity.14).
 */
export const registerFeed = (
  app: FastifyInstance,
  options: Pick<ServeOptions, 'feed' | 'operatorOf' | 'attestor' | 'metrics' | 'server' | 'clock' | 'log'>,
  admission: Admission,
): { stop(): void } => {
  const { feed, clock } = options;
  const clients = new FeedClients(clock);
  const places = new FeedPlaces(PLACES);
  const isOperator = async (secret: string): Promise<boolean> => (await options.operatorOf(secret)) !== undefined;
  const upgradeOf = routeUpgrades(app);
  let server: WebSocketServer | undefined;
  let unsubscribe: (() => void) | undefined;
  /** Those who are about to become clients. */
  let joining = 0;

  /** Who asks; PostgreSQL being away makes nobody an operator. */
  const viewerOf = async (secret: string | undefined): Promise<Viewer> => {
    const operator = secret !== undefined && (await isOperator(secret).catch(() => false));
    return { agentId: undefined, operator };
  };

  serveRoute(app, agentRoutes.events, async (request, reply) => {
    const refused = await admission(request, 'reads');
    if (refused !== undefined) return sendFeatureRefusal(reply, refused);
    const { limit, since, agent_id, type } = request.query;
    const page = await feed.page({ limit, since, agentId: agent_id, types: type });
    if (!page.ok) return sendFeatureRefusal(reply, page.refusal);
    const viewer = await viewerOf(evidenceOf(request, options.attestor).operatorSecret);
    const { events, cursor, hasMore, restarted } = page.value;
    return reply.header('cache-control', 'no-store').send({
      success: true,
      events: events.map((event) => eventFor(event, viewer)),
      count: events.length,
      cursor,
      has_more: hasMore,
      gap: gapOf(page.value),
      ...(restarted && RESTARTED),
    });
  });

  /** Loaded when somebody watches for the first time. */
  const webSockets = async (): Promise<WebSocketServer> => {
    if (server !== undefined) return server;
    const { WebSocketServer: Server } = await import('ws');
    server ??= new Server({
      noServer: true,
      maxPayload: MAX_MESSAGE,
      perMessageDeflate: false,
      // Another protocol that was offered may be a token, which is not to be sent back.
      handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    });
    return server;
  };

  const replayed = async (query: Watched): Promise<Result<FeedPage>> => {
    const page = await feed.page({ ...query, limit: query.since === undefined ? 1 : Number.MAX_SAFE_INTEGER });
    if (!page.ok || query.since !== undefined) return page;
    return { ok: true, value: { ...page.value, events: [] } };
  };

  const welcome = (client: FeedClient, page: FeedPage) => {
    const gap = gapOf(page);
    if (gap !== null) clients.greet(client, { type: 'gap', ...gap });
    clients.replay(client, page.events);
    clients.greet(client, {
      type: 'feed_ready',
      server: options.server.name,
      version: options.server.version,
      cursor: page.cursor,
      timestamp: new Date(clock.now()).toISOString(),
      ids: client.viewer.operator ? 'visible' : 'redacted',
      ...(page.restarted && RESTARTED),
    });
  };

  serveRoute(app, agentRoutes.watch, async (request, reply) => {
    const tooOften = await admission(request, 'reads');
    if (tooOften !== undefined) return sendFeatureRefusal(reply, tooOften);
    const upgrade = upgradeOf(request.raw);
    if (upgrade === undefined) return sendRefusal(reply.header('upgrade', 'websocket'), upgradeRequired, 426);
    const { since, agent_id } = request.query;
    const refused = await join(request, upgrade, { since, agentId: agent_id });
    if (refused !== undefined) return sendFeatureRefusal(reply, refused);
    reply.hijack();
    return undefined;
  });

  /** Makes a connection a client, or says why not. */
  const join = async (
    request: Pick<FastifyRequest, 'raw' | 'socket' | 'headers'>,
    upgrade: Upgrade,
    query: Watched,
  ): Promise<Refusal | undefined> => {
    joining += 1;
    let leave: (() => void) | undefined;
    try {
      const { operatorSecret: secret, peer } = evidenceOf(request, options.attestor);
      const [sockets, viewer] = await Promise.all([webSockets(), viewerOf(secret)]);
      leave = places.take(viewer.operator, peer);
      if (leave === undefined) return noPlace;
      // Before the page is read, so that nothing falls between the two.
      unsubscribe ??= feed.subscribe((batch) => clients.tell(batch));
      const page = await replayed(query);
      if (!page.ok) return page.refusal;
      // Gone while it was looked up: it would never give its place back.
      if (upgrade.socket.destroyed) return undefined;
      const left = leave;
      leave = undefined;
      upgrade.socket.once('close', left);
      upgrade.take();
      sockets.handleUpgrade(request.raw, upgrade.socket, upgrade.head, (socket) => {
        const client = {
          socket,
          viewer,
          filter: query,
          after: page.value.cursor,
          stillAllowed: async () => !viewer.operator || secret === undefined || (await isOperator(secret)),
        };
        clients.add(client, idleUnlessWatched);
        welcome(client, page.value);
      });
      return undefined;
    } finally {
      leave?.();
      joining -= 1;
      idleUnlessWatched();
    }
  };

  /** Without anybody who watches, check-ins are not put into words. */
  const idleUnlessWatched = () => {
    if (clients.counts.clients + joining > 0) return;
    unsubscribe?.();
    unsubscribe = undefined;
  };
  options.metrics.watchFeed(() => clients.counts);
  return { stop: () => clients.stop() };
};

const noPlace = refusal('OVERLOADED', 'Too many watch the feed; places for operators are kept.');

const upgradeRequired = refusal('BAD_REQUEST', 'This route is a WebSocket.', {
  recovery: { action: 'Connect a WebSocket client, or ask GET /api/events.' },
});
