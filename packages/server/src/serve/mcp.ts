import { ok, refuse, type Result } from '@breakwater/contract';
import { CLIENT_INFO_META_KEY, isInitializeRequest, PROTOCOL_VERSION_META_KEY } from '@modelcontextprotocol/server';
import { agentRoutes } from '@breakwater/contract/routes';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import type { Admission } from './admission.ts';
import { evidenceOf, oneHeader } from './evidence.ts';
import { sendRefusal } from './refusal-reply.ts';
import { createEnvelopeCheck, createFastAnswer, MODERN_REVISION, readFastCall } from './mcp-fast.ts';
import { createMcpSdk, type MessageFacts, type ReplyForm } from './mcp-sdk.ts';
import type { DispatchReply } from '../dispatch/index.ts';
import type { ServeOptions } from './ports.ts';
import { serveRoute } from './route.ts';
import type { RequestLog } from './request-log.ts';
import type { CallTool } from './tool-calls.ts';
import { sendUnavailable, unavailableReason } from './unavailable.ts';

const SESSION_HEADER = 'mcp-session-id';
const BOTH_FORMS = 'application/json, text/event-stream';

/** Methods that are a label of their own; a name that a caller made up is not. */
const METHODS: ReadonlySet<unknown> = new Set([
  'initialize',
  'notifications/initialized',
  'notifications/cancelled',
  'ping',
  'server/discover',
  'subscriptions/listen',
  'tools/call',
  'tools/list',
]);

/** A JSON-RPC error of the transport, in the words that the SDK's clients know. */
const sendRpcError = (reply: FastifyReply, status: number, code: number, message: string): FastifyReply =>
  reply
    .code(status)
    .type('application/json')
    .send(JSON.stringify({ jsonrpc: '2.0', error: { code, message }, id: null }));

/** Which form the caller's Accept asks for; JSON when it takes both, since an answer here is one message. */
const formOf = (accept: string | undefined): ReplyForm | undefined => {
  if (accept === undefined || /application\/(json|\*)|\*\/\*/.test(accept)) return 'json';
  return accept.includes('text/event-stream') ? 'sse' : undefined;
};

const parsed = (text: unknown): unknown => {
  if (typeof text !== 'string') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const methodOf = (body: unknown): string => {
  const method: unknown = typeof body === 'object' && body !== null && 'method' in body ? body.method : undefined;
  return typeof method === 'string' && METHODS.has(method) ? method : '_other';
};

/** What a lone message says beside its parameters, whatever it is. */
const messageOf = (body: unknown): MessageFacts => {
  const { id, params } = (body ?? {}) as { id?: unknown; params?: { _meta?: unknown } | null };
  return { rpcId: id, meta: params?._meta };
};

/** Whether the message belongs to the sessionless protocol, where a session id means nothing. */
const isModern = (request: FastifyRequest, body: unknown): boolean => {
  if (request.headers['mcp-protocol-version'] === MODERN_REVISION) return true;
  const meta = (body as { params?: { _meta?: unknown } } | null | undefined)?.params?._meta;
  return (
    typeof meta === 'object' && meta !== null && (PROTOCOL_VERSION_META_KEY in meta || CLIENT_INFO_META_KEY in meta)
  );
};

/** The SDK works on web requests; the body goes beside it, parsed, unless it could not be. */
const webRequest = (request: FastifyRequest, body: unknown, form: ReplyForm | undefined, signal: AbortSignal) => {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (typeof value === 'string') headers.set(name, value);
    else for (const item of value ?? []) headers.append(name, item);
  }
  // The SDK insists on both forms by name; a caller that names one, or anything, is served all the same.
  if (form !== undefined) headers.set('accept', BOTH_FORMS);
  const text = typeof request.body === 'string' ? request.body : '';
  return new Request(`http://mcp.invalid${request.url}`, {
    method: request.method,
    headers,
    signal,
    ...(body === undefined && { body: text }),
  });
};

/**
 * MCP over Streamable HTTP at `/mcp/`: the 2025 protocol, whose sessions are checked here against the durable store, and
 * the sessionless revision of 2026 (BW-serve.03). What is not a plain `tools/call` goes to the SDK.
 *
 *     not ready, and no tools/call ─▶ 503 contract
 *     2025 with a session id that is unknown ─▶ 404, so that the client initialises anew
 *     tools/call that is understood ─▶ fast path        everything else ─▶ SDK
 *
 * A call without a session id is served too: the id is evidence of who calls, not a ticket.
 */
export const registerMcp = (
  app: FastifyInstance,
  options: ServeOptions,
  callTool: CallTool,
  requests: RequestLog,
  admission: Admission,
): void => {
  const { sessions, readiness, dispatcher, metrics, tracing, clock, log } = options;
  const sdk = createMcpSdk({ ...options, tools: () => dispatcher.advertised() });
  const envelopeIsGood = createEnvelopeCheck();
  const fastAnswer = createFastAnswer(options.server);
  app.addHook('onClose', () => sdk.close());

  /** Asks the session store; a store that cannot be reached is not the same as a session that it does not know. */
  const store = async <T>(request: FastifyRequest, ask: () => T | Promise<T>): Promise<Result<T>> => {
    try {
      return ok(await ask());
    } catch (error) {
      log.warn({ err: error, request_id: request.id }, 'the session store cannot be reached');
      return refuse('STORAGE_UNAVAILABLE', 'The session store cannot be reached.');
    }
  };

  /** Answers for a session that cannot be used; true when it did. (A reply is thenable, so it cannot be the result.) */
  const refusedSession = async (request: FastifyRequest, reply: FastifyReply, session: string): Promise<boolean> => {
    const known = await store(request, () => sessions.known(session));
    if (known.ok && known.value) return false;
    if (known.ok) void sendRpcError(reply, 404, -32001, 'Session not found');
    else void sendUnavailable(reply, known.refusal.code);
    return true;
  };

  const sendWeb = async (reply: FastifyReply, response: Response): Promise<FastifyReply> => {
    void reply.code(response.status);
    for (const [name, value] of response.headers) if (name !== 'connection') void reply.header(name, value);
    if (response.body === null) return reply.send();
    const isStream = response.headers.get('content-type') === 'text/event-stream';
    return reply.send(isStream ? Readable.fromWeb(response.body) : Buffer.from(await response.arrayBuffer()));
  };

  const bySdk = async (request: FastifyRequest, reply: FastifyReply, body: unknown, session: string | undefined) => {
    const started = clock.monotonic();
    const abort = new AbortController();
    reply.raw.once('close', () => abort.abort());
    const form = formOf(request.headers.accept);
    const method = methodOf(body);
    // Each call of a tool has a span of its own, and what is no single message has none.
    const span =
      method === 'tools/call' || Array.isArray(body)
        ? undefined
        : tracing?.begin({ method, transport: 'mcp', ...operationOf(request, session, messageOf(body)) });
    // A batch may hold calls that were done; only a lone call can be answered for the transport as a whole.
    const alone = !Array.isArray(body) && form !== 'sse';
    let unavailable: DispatchReply | undefined;
    const response = await sdk.handle({
      request: webRequest(request, body, form, abort.signal),
      body,
      form: form ?? 'json',
      requestId: request.id,
      call: async (name, args, message) => {
        const answer = await call(request, name, args, session, message);
        requests.called(request, answer);
        if (answer.status === 503 && alone) unavailable = answer;
        else if (answer.status === 503) {
          options.onUnavailable?.({
            endpoint: request.routeOptions.url ?? request.url,
            method: request.method,
            elapsedMs: clock.monotonic() - started,
            reason: unavailableReason(answer.refusal?.code),
          });
        }
        return answer;
      },
    });
    if (method !== 'tools/call') {
      const errorType = response.ok ? undefined : String(response.status);
      metrics.operation({
        method,
        transport: 'mcp',
        seconds: (clock.monotonic() - started) / 1000,
        ...(errorType !== undefined && { errorType }),
      });
      span?.end({ errorType });
    }
    if (unavailable !== undefined) return sendUnavailable(reply, unavailable.refusal?.code);
    if (isInitializeRequest(body) && response.status === 200 && !isModern(request, body)) {
      const created = await store(request, () => sessions.create());
      if (!created.ok) return sendUnavailable(reply, created.refusal.code);
      void reply.header(SESSION_HEADER, created.value);
    }
    return await sendWeb(reply, response);
  };

  const operationOf = (request: FastifyRequest, session: string | undefined, message: MessageFacts) => ({
    headers: request.headers,
    httpVersion: request.raw.httpVersion,
    local: options.attestor?.attest(request.socket) !== undefined,
    requestId: request.id,
    session,
    ...message,
  });

  const call = (
    request: FastifyRequest,
    name: string,
    args: unknown,
    mcpSessionId: string | undefined,
    message: MessageFacts,
  ) =>
    callTool(
      {
        name,
        args,
        evidence: evidenceOf(request, options.attestor, { args, mcpSessionId }),
        transport: 'mcp',
        requestId: request.id,
      },
      () => operationOf(request, mcpSessionId, message),
    );

  const post = async (request: FastifyRequest, reply: FastifyReply) => {
    const body = parsed(request.body);
    const method = methodOf(body);
    // Some tools answer while the rest is not ready; dispatch knows which, and refuses the others.
    if (!readiness.ready && method !== 'tools/call') return sendUnavailable(reply);
    // A session is a row that lives for long: an address has only so many of them.
    if (method === 'initialize' && !isModern(request, body)) {
      const refused = await admission(request, 'sessions');
      if (refused !== undefined) return sendRefusal(reply, refused, 429);
    }
    let session: string | undefined;
    if (method !== 'initialize' && !isModern(request, body)) {
      session = oneHeader(request.headers, SESSION_HEADER);
      // Until the store is warm nobody can say that a session is unknown.
      if (session !== undefined && readiness.ready && (await refusedSession(request, reply, session))) return reply;
    }
    if (options.mcpFastPath !== false && formOf(request.headers.accept) === 'json') {
      const fast = readFastCall(request.headers, body, envelopeIsGood);
      if (fast !== undefined) {
        const answer = await call(request, fast.name, fast.args, session, { rpcId: fast.id, meta: fast.meta });
        requests.called(request, answer);
        if (answer.status === 503) return sendUnavailable(reply, answer.refusal?.code);
        // As bytes, because Fastify adds a charset to the content type of a string, and the SDK has none.
        return reply.header('content-type', 'application/json').send(Buffer.from(fastAnswer(fast, answer)));
      }
    }
    return await bySdk(request, reply, body, session);
  };

  const end = async (request: FastifyRequest, reply: FastifyReply) => {
    const session = oneHeader(request.headers, SESSION_HEADER);
    if (session === undefined)
      return sendRpcError(reply, 400, -32000, 'Bad Request: Mcp-Session-Id header is required');
    if (await refusedSession(request, reply, session)) return reply;
    const revoked = await store(request, () => sessions.revoke(session));
    return revoked.ok ? reply.code(200).send() : sendUnavailable(reply, revoked.refusal.code);
  };

  const noStream = async (_request: FastifyRequest, reply: FastifyReply) =>
    sendRpcError(reply.header('allow', 'POST, DELETE'), 405, -32000, 'Method not allowed.');

  void app.register(async (scope) => {
    // The text is kept as it came: whether it is JSON, and of the right media type, is the SDK's to say.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
    for (const spec of [agentRoutes.mcp, agentRoutes.mcpWithSlash]) {
      serveRoute(scope, spec.post, post);
      serveRoute(scope, spec.end, end);
      serveRoute(scope, spec.get, noStream);
    }
  });
};
