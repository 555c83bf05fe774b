import { UNAVAILABLE_RETRY_SECONDS, type ToolListing } from '@breakwater/contract';
import type { FastifyInstance } from 'fastify';
import { ROUTES, type RouteText } from './openapi-routes.ts';
import type { ServeOptions } from './ports.ts';

type Json = Readonly<Record<string, unknown>>;

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: Json): Json => ({ 'application/json': { schema } });
const answer = (description: string, schema: Json = ref('Error')): Json => ({ description, content: json(schema) });

const REFUSALS: Readonly<Record<number, Json>> = {
  400: answer('The request breaks a rule; `error` names the field.'),
  401: answer('A bearer token or an operator credential is missing, unknown, expired or revoked.'),
  403: answer('The caller may not.'),
  404: answer('There is no such thing.'),
  409: answer('It stands against what is; look again before another try.'),
  413: answer('The body is too large.'),
  426: answer('This address is a WebSocket.'),
  429: answer('Too many calls; `Retry-After` says when the next one is welcome.'),
  503: {
    description: 'The server starts, stops, or cannot reach PostgreSQL.',
    headers: { 'Retry-After': { schema: { type: 'integer', default: UNAVAILABLE_RETRY_SECONDS } } },
    content: json(ref('Unavailable')),
  },
};

/** A parameter as a route's text names it: `limit:integer`, `status:a|b`, or a text. */
const parameter = (text: string, place: 'query' | 'path'): Json => {
  const [name = '', kind = 'string'] = text.split(':');
  const schema = kind.includes('|') ? { type: 'string', enum: kind.split('|') } : { type: kind };
  return { name, in: place, required: place === 'path', schema };
};

const pathOf = (url: string): string => url.replaceAll(/:(\w+)/g, '{$1}');

const operation = (method: string, url: string, route: RouteText): Json => {
  const inPath = [...url.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
  const content = route.produces === undefined ? json(route.answer ?? { type: 'object' }) : { [route.produces]: {} };
  return {
    // Each sign keeps its place: /mcp and /mcp/ are two.
    operationId: `${method.toLowerCase()}${url.replaceAll(/[^a-zA-Z0-9]/g, '_')}`,
    tags: [route.tag],
    summary: route.says,
    ...(route.open === true && { security: [] }),
    ...(route.tag === 'operators' && route.open !== true && { security: [{ operator: [] }] }),
    parameters: [
      ...inPath.map((name) => parameter(name, 'path')),
      ...(route.query ?? []).map((text) => parameter(text, 'query')),
    ],
    ...(route.body !== undefined && { requestBody: { required: true, content: json(route.body) } }),
    responses: {
      200: { description: 'As the summary says.', content },
      ...Object.fromEntries(
        [...(route.refusals ?? []), ...(route.open === true ? [] : [401])]
          .sort()
          .map((status) => [status, REFUSALS[status]]),
      ),
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
      error_code: { type: 'string', description: 'For programs, such as AGENT_NOT_FOUND.' },
      error_category: { enum: ['validation_error', 'auth_error', 'state_error', 'system_error'] },
      recovery: { type: 'object', description: 'The way out.', properties: { action: { type: 'string' } } },
    },
  },
  Unavailable: {
    type: 'object',
    required: ['ok', 'error', 'reason', 'retry_after_seconds'],
    properties: {
      ok: { const: false },
      error: { const: 'governance_temporarily_unavailable' },
      reason: { type: 'string' },
      retry_after_seconds: { type: 'integer' },
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
    description: 'A tool that refused is a call that worked: `result.success` is false, and says why.',
    properties: { name: { type: 'string' }, success: { type: 'boolean' }, result: { type: 'object' } },
  },
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
    info: { title: 'Breakwater', version, description: 'Flight recorder and circuit breaker for fleets of AI agents.' },
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
