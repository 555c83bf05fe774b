import { ERRORS, UNAVAILABLE_RETRY_SECONDS, type ToolListing } from '@breakwater/contract';
import type { FastifyInstance } from 'fastify';
import { ROUTES, type RouteText } from './openapi-routes.ts';
import { ref, VIEWS } from './openapi-views.ts';
import type { ServeOptions } from './ports.ts';

type Json = Readonly<Record<string, unknown>>;

const json = (schema: Json): Json => ({ 'application/json': { schema } });

/** What each status of HTTP that is no success means here; docs/agents.md has them from here. */
export const REFUSALS: Readonly<Record<number, string>> = {
  400: 'The request breaks a rule; `error` names the field.',
  401: 'A bearer token or an operator credential is missing, unknown, expired or revoked.',
  403: 'The caller may not; or the Origin is not one that may call this server.',
  404: 'There is no such thing.',
  405: 'This address does not do that.',
  406: 'Accept names no form that an answer could have.',
  409: 'It stands against what is; look again before another try.',
  413: 'The body is too large.',
  415: 'The body is of another media type, or compressed.',
  421: 'The Host header names a host that this server does not answer for.',
  426: 'This address is a WebSocket.',
  503: 'The server starts, stops, or cannot reach PostgreSQL.',
  504: 'It took too long.',
};
/** Refused before the route has a say, and so in one form everywhere. */
const BEFORE_THE_ROUTE: ReadonlySet<number> = new Set([401, 403, 413, 421]);

const refusalsOf = (method: string, route: RouteText): readonly number[] =>
  [
    ...new Set([
      ...(route.refusals ?? []),
      ...(route.access === 'open' ? [] : [401]),
      ...(route.always === true ? [] : [403, 421, 503]),
      ...(method === 'POST' ? [400, 413, 415] : []),
    ]),
  ].sort((a, b) => a - b);

const refusal = (status: number, { refused, unavailable, produces }: RouteText): Json => {
  const description = REFUSALS[status] ?? '';
  if (status === 503) {
    return {
      description,
      headers: { 'Retry-After': { schema: { type: 'integer' }, description: 'Seconds until the next try.' } },
      content: json(unavailable === undefined ? ref('Unavailable') : { anyOf: [unavailable, ref('Unavailable')] }),
    };
  }
  if (refused === undefined || BEFORE_THE_ROUTE.has(status)) return { description, content: json(ref('Error')) };
  if (refused['type'] === 'string') return { description, content: { 'text/plain': { schema: refused } } };
  // What is no JSON at all is refused as everywhere.
  return { description, content: json(produces === undefined ? refused : { anyOf: [refused, ref('Error')] }) };
};

/** A parameter as a route's text names it: `limit:integer`, `status:a|b`, or a text. */
const parameter = (text: string, place: 'query' | 'path'): Json => {
  const [name = '', kind = 'string'] = text.split(':');
  const schema = kind.includes('|') ? { type: 'string', enum: kind.split('|') } : { type: kind };
  return { name, in: place, required: place === 'path', schema };
};

/** The names of what stands in an address; that of a `*` is `path`. */
const namesIn = (path: string): string[] => [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
const pathOf = (url: string): string => url.replaceAll(/:(\w+)/g, '{$1}').replace('*', '{path}');

const SECURITY: Readonly<Record<NonNullable<RouteText['access']>, readonly Json[]>> = {
  open: [],
  operator: [{ operator: [] }, { operatorHeader: [] }, { bearer: [], operatorHeader: [] }],
};

const contentOf = ({ answer, produces }: RouteText): Json => ({
  ...((answer !== undefined || produces === undefined) && json(answer ?? { type: 'object' })),
  ...(produces !== undefined && { [produces]: {} }),
});

const operation = (method: string, url: string, route: RouteText): Json => {
  const body = typeof route.body === 'function' ? route.body() : route.body;
  const succeeds = route.succeeds ?? { 200: 'As the summary says.' };
  const hasContent = route.answer !== undefined || route.produces !== undefined || route.succeeds === undefined;
  return {
    // Each sign keeps its place: /mcp and /mcp/ are two.
    operationId: `${method.toLowerCase()}${url.replaceAll(/[^a-zA-Z0-9]/g, '_')}`,
    tags: [route.tag],
    summary: route.says,
    ...(route.access !== undefined && { security: SECURITY[route.access] }),
    parameters: [
      ...namesIn(pathOf(url)).map((name) => parameter(name, 'path')),
      ...(route.query ?? []).map((text) => parameter(text, 'query')),
    ],
    ...(body !== undefined && { requestBody: { required: true, content: json(body) } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(succeeds).map(([status, description]) => [
          status,
          { description, ...(status === '200' && hasContent && { content: contentOf(route) }) },
        ]),
      ),
      ...Object.fromEntries(refusalsOf(method, route).map((status) => [status, refusal(status, route)])),
      default: {
        description: 'A fault of the server; `incident_id` is what its log has.',
        content: json(ref('Error')),
      },
    },
  };
};

const schemas = (tools: readonly ToolListing[]): Json => ({
  Error: {
    type: 'object',
    required: ['success', 'error', 'error_code'],
    properties: {
      success: { const: false },
      error: { type: 'string', description: 'For people.' },
      error_code: { enum: Object.keys(ERRORS), description: 'For programs.' },
      error_category: { enum: [...new Set(Object.values(ERRORS).map(({ category }) => category))] },
      recovery: { type: 'object', description: 'The way out.', properties: { action: { type: 'string' } } },
    },
  },
  RpcError: {
    type: 'object',
    required: ['jsonrpc', 'error'],
    properties: {
      jsonrpc: { const: '2.0' },
      id: { type: ['string', 'integer', 'null'] },
      error: {
        type: 'object',
        required: ['code', 'message'],
        properties: { code: { type: 'integer' }, message: { type: 'string' } },
      },
    },
  },
  Unavailable: {
    type: 'object',
    required: ['ok', 'error', 'reason', 'retry_after_seconds'],
    properties: {
      ok: { const: false },
      error: { const: 'governance_temporarily_unavailable' },
      reason: { type: 'string' },
      retry_after_seconds: { type: 'integer', default: UNAVAILABLE_RETRY_SECONDS },
    },
  },
  ToolCall: {
    description: 'A call of one tool. describe_tool tells each whole.',
    oneOf: tools.map(({ name, description, inputSchema }) => ({
      type: 'object',
      title: name,
      description,
      required: ['name'],
      properties: { name: { const: name }, arguments: inputSchema },
    })),
  },
  ToolAnswer: {
    type: 'object',
    required: ['name', 'success'],
    description:
      'A tool that refused is a call that worked, also with RATE_LIMIT_EXCEEDED: `result.success` is false, and `result` ' +
      'has what Error has.',
    properties: { name: { type: 'string' }, success: { type: 'boolean' }, result: { type: 'object' } },
  },
  ...VIEWS,
});

const document = (
  routes: readonly (readonly [method: string, url: string])[],
  version: string,
  tools: readonly ToolListing[],
): Json => {
  const paths: Record<string, Record<string, Json>> = {};
  for (const [method, url] of routes) {
    const route = ROUTES[`${method} ${url}`];
    if (route === undefined) continue;
    const path = (paths[pathOf(url)] ??= {});
    path[method.toLowerCase()] = operation(method, url, route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Breakwater',
      version,
      description:
        'Flight recorder and circuit breaker for fleets of AI agents. Every answer carries X-Request-Id: the one that was ' +
        'sent, or a new one; the log of the server has the same.',
    },
    security: [{ bearer: [] }, { operator: [] }, {}],
    paths,
    components: {
      schemas: schemas(tools),
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'One of BREAKWATER_TOKENS, when the server asks for one.',
        },
        operator: {
          type: 'http',
          scheme: 'bearer',
          description: 'The credential of an operator, which begins with bwo_.',
        },
        operatorHeader: {
          type: 'apiKey',
          in: 'header',
          name: 'X-Breakwater-Operator',
          description: 'The same credential, for who sends a bearer token as well.',
        },
      },
    },
  };
};

/**
 * `GET /openapi.json`: every route of this server, generated from the routes that are registered and the tools that there
 * are, once. Call it before any route is; a route that nobody has described, or a description without a route, ends the
 * start.
 */
export const registerOpenApi = (
  app: FastifyInstance,
  { dispatcher, server }: Pick<ServeOptions, 'dispatcher' | 'server'>,
): void => {
  const routes: (readonly [method: string, url: string])[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of Array.isArray(method) ? method : [method]) {
      // Fastify answers HEAD for every GET by itself.
      if (one !== 'HEAD') routes.push([one, url]);
    }
  });
  app.addHook('onReady', async () => {
    const registered = new Set(routes.map(([method, url]) => `${method} ${url}`));
    const undescribed = [...registered].filter((route) => !(route in ROUTES));
    const missing = Object.keys(ROUTES).filter((route) => !registered.has(route));
    const wrong = [...undescribed, ...missing].join(', ');
    if (wrong !== '') throw new Error(`openapi-routes.ts and the routes of the server differ: ${wrong}`);
  });
  let written: string | undefined;
  app.get('/openapi.json', async (_request, reply) => {
    written ??= JSON.stringify(document(routes, server.version, dispatcher.advertised('full')));
    return reply.type('application/json').send(written);
  });
};
