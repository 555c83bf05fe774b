import { ERRORS, refusal, type Refusal } from '@breakwater/contract';
import { serverRoutes } from '@breakwater/contract/routes';
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { AddressInfo } from 'node:net';
import { assertSafeBinding, createBearerCheck } from './auth.ts';
import { createAdmission } from './admission.ts';
import { registerCalibration } from './calibration.ts';
import { registerCompute } from './compute.ts';
import { registerConsole } from './console.ts';
import { bearerOf, oneHeader } from './evidence.ts';
import { registerFeed } from './feed.ts';
import { registerHealth } from './health.ts';
import { registerHarness } from './harness.ts';
import { admitOrigin } from './cors.ts';
import { createHostOriginCheck } from './host-origin.ts';
import { answerBadAddress, answerBrokenRequest, BODY_LIMIT, registerHttpErrors } from './http-errors.ts';
import { registerLiveReads } from './live-reads.ts';
import { registerMcp } from './mcp.ts';
import { registerNotices } from './notices.ts';
import { registerOpenApi } from './openapi.ts';
import { registerOverview } from './overview.ts';
import type { ServeOptions } from './ports.ts';
import { sendRefusal } from './refusal-reply.ts';
import { createRequestLog } from './request-log.ts';
import { createReadinessHook, holdAnswer, serveRoute, validatorCompiler } from './route.ts';
import { createRestCall } from './rest-call.ts';
import { registerRest } from './rest.ts';
import { createCallTool } from './tool-calls.ts';
import { reasonOfReply, sendUnavailable } from './unavailable.ts';
import { listenUnix, type UnixListener } from './unix-socket.ts';
import { isWebSocket } from './upgrade.ts';
import { StartupError } from '../postgres/index.ts';
import { SharedAnswers } from '../runtime/index.ts';

/** A part of an address that is an id or a name; each route has its own, lower limit and says so in words. */
const MAX_PARAMETER = 2000;
const REQUEST_ID = /^[\w.:-]{1,128}$/;
/** What machines ask by address: an orchestrator's probes, and who collects metrics. */
const PROBED: ReadonlySet<string> = new Set(['/health', '/health/ready', '/metrics']);
/** The feed of what happens to agents. */
const WATCHED: ReadonlySet<string> = new Set(['/api/events', '/ws/eisv']);
const UNAVAILABLE = 503;
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);
/** How long a request may take to arrive; Fastify's default is for ever. */
const ARRIVAL_MS = 30_000;

/**
 * The server cannot listen there: the address is beyond loopback and no token is asked for (BW-serve.10), or it cannot be
 * bound. The refusal names host and port, and the way out.
 */
export class ListenError extends StartupError {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message, refusal.recovery?.action ?? '');
    this.name = 'ListenError';
    this.refusal = refusal;
  }
}

/** The HTTP face of a node. */
export interface HttpServer {
  /** Starts to accept and gives the URL; port 0 takes a free one. Rejects with a {@link ListenError}. */
  listen(address: { host: string; port: number }): Promise<string>;
  /** Serves the same routes on a unix socket as well. Rejects with a {@link ListenError}. */
  listenUnix(path: string): Promise<void>;
  /**
   * Stops accepting, answers what is in flight, and resolves when every connection is closed, by force after `graceMs`
   * (default 5000). Idempotent.
   */
  close(options?: { graceMs?: number }): Promise<void>;
}

const bindRefusal = (error: NodeJS.ErrnoException, host: string, port: number): Refusal => {
  const details = { host, port, reason: error.code ?? error.message };
  switch (error.code) {
    case 'EADDRINUSE':
      return refusal('PARAMETER_ERROR', `Port ${port} on ${host} is in use by another program.`, {
        details,
        recovery: { action: 'Stop that program, or choose another port with --port or BREAKWATER_PORT.' },
      });
    case 'EACCES':
      return refusal('PARAMETER_ERROR', `Port ${port} may not be bound by this user.`, {
        details,
        recovery: { action: 'Choose a port above 1023 with --port or BREAKWATER_PORT.' },
      });
    default:
      return refusal('PARAMETER_ERROR', `Cannot listen on ${host}:${port} (${details.reason}).`, {
        details,
        recovery: { action: 'Choose an address of this machine with --host or BREAKWATER_HOST.' },
      });
  }
};

/**
 * Begins a request when those before it on its connection are answered, and never when its client has gone by then: one
 * connection can send a pile of requests at once and leave, and each would cost as much as one that somebody waits for.
 */
const inTurn = (request: FastifyRequest, reply: FastifyReply, begin: () => void): void => {
  const { socket } = request.raw;
  const beginUnlessGone = (): void => {
    if (socket.destroyed) reply.hijack();
    else begin();
  };
  // Node gives a response its socket when its turn has come; the turn of one whose client has gone never comes.
  if (reply.raw.socket === null) reply.raw.once('socket', beginUnlessGone);
  else beginUnlessGone();
};

/** Builds the server: routes, guards in front of them, and the drain behind. Nothing listens yet. */
export const createHttpServer = (options: ServeOptions): HttpServer => {
  const { tokens, metrics, clock, ids, log } = options;
  const bearerIsGood = createBearerCheck(tokens);
  const hostOrigin = (hosts: readonly string[]) => createHostOriginCheck({ hosts, origins: options.allowedOrigins });
  let check = hostOrigin(options.allowedHosts);
  let draining = false;

  const app: FastifyInstance = fastify({
    requestTimeout: ARRIVAL_MS,
    bodyLimit: BODY_LIMIT,
    frameworkErrors: answerBadAddress,
    clientErrorHandler: answerBrokenRequest,
    routerOptions: { maxParamLength: MAX_PARAMETER },
    genReqId: (request) => {
      const given = oneHeader(request.headers, 'x-request-id');
      return given !== undefined && REQUEST_ID.test(given) ? given : ids.rowId(clock.now());
    },
    // Its own answer while closing is not the 503 contract; the hook below gives that.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // Any other upgrade that somebody offers is declined by answering the request as it is.
    http: { shouldUpgradeCallback: isWebSocket },
  });

  const admit = (reply: FastifyReply, done: () => void): void => {
    if (draining) void sendUnavailable(reply.header('connection', 'close'));
    else done();
  };
  // Whoever reaches the socket was let in by its file mode; browsers cannot.
  const overSocket = (request: FastifyRequest): boolean => options.attestor?.attest(request.raw.socket) !== undefined;

  const foreignPart = (path: string, host: string | undefined, origin: string | undefined) => {
    const what = check.foreign(host, origin);
    // Probes and collectors ask by address, or in HTTP/1.0 without Host; a page that was led here by a name has a name there.
    if (what === 'host' && origin === undefined && PROBED.has(path) && check.isAddress(host)) return undefined;
    // A page of another program on this machine is not the console: a WebSocket, which no browser guards, would tell it all.
    if (what === undefined && origin !== undefined && WATCHED.has(path) && !check.isOwn(host, origin)) return 'origin';
    return what;
  };

  const guard = (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    void reply.header('x-request-id', request.id);
    const path = request.url.split('?', 1)[0] ?? '';
    if (request.routeOptions.config.spec?.always === true) {
      done();
      return;
    }
    const { host, origin, authorization } = request.headers;
    const what = overSocket(request) ? undefined : foreignPart(path, host, origin);
    if (what === undefined && origin !== undefined && check.isListed(origin) && admitOrigin(request, reply, origin)) {
      return;
    }
    if (what === 'host') void sendRefusal(reply, foreignHost, 421);
    else if (what === 'origin') void sendRefusal(reply, foreignOrigin, 403);
    else if (request.routeOptions.config.spec?.auth === 'open' || overSocket(request) || bearerIsGood(authorization))
      admit(reply, done);
    else {
      const refused = () =>
        void sendRefusal(reply.header('www-authenticate', 'Bearer realm="breakwater"'), unauthorized);
      const secret = bearerOf(authorization);
      if (secret === undefined) refused();
      else options.operatorOf(secret).then((is) => (is === undefined ? refused() : admit(reply, done)), refused);
    }
  };

  // In the callback style: the hook runs before everything, and need not cost a promise. Who answers does not call `done`.
  app.addHook('onRequest', (request, reply, done) => {
    inTurn(request, reply, () => guard(request, reply, done));
  });
  const requests = createRequestLog(log);
  app.addHook('onResponse', (request, reply, done) => {
    requests.answered(request, reply);
    metrics.httpRequest({
      method: request.method,
      route: request.routeOptions.url ?? '_unknown',
      status: reply.statusCode,
      seconds: reply.elapsedTime / 1000,
    });
    if (reply.statusCode === UNAVAILABLE) {
      options.onUnavailable?.({
        endpoint: request.routeOptions.url ?? '_unknown',
        method: request.method,
        elapsedMs: reply.elapsedTime,
        reason: reasonOfReply(reply),
      });
    }
    // What was in flight when the drain began has an idle connection now, which would hold it for the keep-alive time.
    if (draining) setImmediate(() => app.server.closeIdleConnections());
    done();
  });

  app.setValidatorCompiler(validatorCompiler);
  // The one place where a request is told that the server starts, or has lost PostgreSQL; those that answer all the same say so.
  app.addHook('preValidation', createReadinessHook(options));
  if (options.checksAnswers === true) app.addHook('onSend', holdAnswer);

  const shared = new SharedAnswers(clock);
  const callTool = createCallTool(options, shared);
  const admission = createAdmission(options);
  // These first, since they hear of every route that comes after them.
  registerHttpErrors(app, options);
  registerOpenApi(app, options);
  registerHealth(app, options);
  const restCall = createRestCall(options, callTool, requests);
  registerRest(app, options, restCall);
  registerNotices(app, restCall);
  registerLiveReads(app, options);
  registerCompute(app, options);
  registerHarness(app, options);
  registerCalibration(app, options, admission);
  const feed = registerFeed(app, options, admission);
  registerOverview(app, options, shared);
  registerConsole(app);
  registerMcp(app, options, callTool, requests, admission);
  serveRoute(app, serverRoutes.metrics, async (_request, reply) => {
    const exposed = await shared.get('/metrics', async () => Buffer.from(await metrics.expose()));
    return reply.type(metrics.contentType).send(exposed);
  });

  let unix: UnixListener | undefined;
  let closing: Promise<void> | undefined;
  const drain = async (graceMs: number) => {
    draining = true;
    feed.stop();
    const force = clock.after(graceMs, () => app.server.closeAllConnections());
    try {
      await app.close();
    } finally {
      force.cancel();
    }
  };

  return {
    async listen({ host, port }) {
      const safe = assertSafeBinding(host, tokens);
      if (!safe.ok) throw new ListenError(safe.refusal);
      // Who names this very address in Host has not been led here by a name that somebody else controls. A wildcard is no
      // address: browsers take 0.0.0.0 for loopback, so a page could name it.
      if (!WILDCARDS.has(host)) check = hostOrigin([...options.allowedHosts, host]);
      try {
        await app.listen({ host, port });
      } catch (error) {
        throw new ListenError(bindRefusal(error as NodeJS.ErrnoException, host, port));
      }
      const bound = (app.server.address() as AddressInfo).port;
      return `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
    },
    async listenUnix(path) {
      if (options.attestor === undefined) throw new Error('a unix socket needs an attestor');
      const { attestor } = options;
      await app.ready();
      const listener = await listenUnix({
        path,
        handler: (request, response) => app.routing(request, response),
        attestor,
        clock,
      });
      if ('refusal' in listener) throw new ListenError(listener.refusal);
      unix = listener;
    },
    close({ graceMs = 5000 } = {}) {
      closing ??= Promise.all([drain(graceMs), unix?.close(graceMs)]).then(() => undefined);
      return closing;
    },
  };
};

const foreignHost = refusal('FORBIDDEN', 'The Host header names a host that this server does not answer for.', {
  recovery: { action: 'Call it by a loopback name, or add the name to BREAKWATER_ALLOWED_HOSTS.' },
});

const foreignOrigin = refusal('FORBIDDEN', 'The Origin header names a web origin that may not call this server.', {
  recovery: { action: 'Add the origin to BREAKWATER_ALLOWED_ORIGINS.' },
});

const unauthorized = refusal('UNAUTHORIZED', 'Unauthorized', {
  details: { hint: ERRORS.UNAUTHORIZED.recovery.action },
});
