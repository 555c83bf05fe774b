import { ERRORS, UNAVAILABLE_RETRY_SECONDS, type ToolListing } from '@breakwater/contract';
import { ROUTES, serverRoutes, type RouteSpec } from '@breakwater/contract/routes';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { answerSchema, wireSchema } from '../dispatch/index.ts';
import type { ServeOptions } from './ports.ts';
import { serveRoute } from './route.ts';

type Json = Readonly<Record<string, unknown>>;

const json = (schema: Json): Json => ({ 'application/json': { schema } });

const COMPONENTS = '#/components/schemas/';
/** A schema of the document, by its name there. */
const ref = (name: string): Json => ({ $ref: `${COMPONENTS}${name}` });

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
  429: 'Too many of them; Retry-After says when to ask again.',
  503: 'The server starts, stops, or cannot reach PostgreSQL.',
  504: 'It took too long.',
};
/** Refused before the route has a say, and so in one form everywhere. */
const BEFORE_THE_ROUTE: ReadonlySet<number> = new Set([401, 403, 413, 421]);

/** Bodies of refusals that are not as everywhere. */
const FORMS: Readonly<Record<'rpc' | 'text', Json>> = { rpc: ref('RpcError'), text: { type: 'string' } };

const refusalsOf = ({ method, auth, always, errors }: RouteSpec): readonly number[] =>
  [
    ...new Set([
      ...errors,
      // What is no text in an address is refused before any route.
      400,
      ...(auth === 'open' ? [] : [401]),
      ...(always === true ? [] : [403, 421, 503]),
      ...(method === 'POST' ? [413, 415] : []),
    ]),
  ].sort((a, b) => a - b);

const refusal = (status: number, { refused, unavailable, produces }: RouteSpec, described: Described): Json => {
  const description = REFUSALS[status] ?? '';
  if (status === 503) {
    const usual = ref('Unavailable');
    return {
      description,
      headers: { 'Retry-After': { schema: { type: 'integer' }, description: 'Seconds until the next try.' } },
      content: json(unavailable === undefined ? usual : { anyOf: [described(unavailable), usual] }),
    };
  }
  if (refused === undefined || BEFORE_THE_ROUTE.has(status)) return { description, content: json(ref('Error')) };
  if (refused === 'text') {
    return {
      description,
      content: { ...(status === 400 && json(ref('Error'))), 'text/plain': { schema: FORMS.text } },
    };
  }
  // What is no JSON at all is refused as everywhere.
  const isBoth = status === 400 || produces !== undefined;
  return { description, content: json(isBoth ? { anyOf: [FORMS[refused], ref('Error')] } : FORMS[refused]) };
};

const parameters = (fields: z.ZodObject | undefined, place: 'query' | 'path'): Json[] => {
  if (fields === undefined) return [];
  const { properties = {}, required = [] } = wireSchema(fields) as {
    properties?: Readonly<Record<string, Json>>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: place,
    required: required.includes(name),
    ...(description !== undefined && { description }),
    schema,
  }));
};

const pathOf = (url: string): string => url.replaceAll(/:(\w+)/g, '{$1}').replace('*', '{path}');
/** The rest of an address behind `*`. */
const REST: readonly Json[] = [{ name: 'path', in: 'path', required: true, schema: { type: 'string' } }];

const SECURITY: Readonly<Record<RouteSpec['auth'], readonly Json[] | undefined>> = {
  open: [],
  operator: [{ operator: [] }, { operatorHeader: [] }, { bearer: [], operatorHeader: [] }],
  token: undefined,
};

/** Gives the schema of an answer as the document has it; those with a name of their own stand among its components. */
type Described = (schema: z.ZodType) => Json;

const bodyOf = (body: NonNullable<RouteSpec['body']>, described: Described): Json => {
  if (body === 'ToolCall') return ref('ToolCall');
  return body instanceof z.ZodObject ? wireSchema(body) : described(body);
};

const operation = (spec: RouteSpec, described: Described): Json => {
  const { method, path, auth, body, answer, produces } = spec;
  const security = SECURITY[auth];
  const content = {
    ...(answer !== undefined && json(described(answer))),
    ...(produces !== undefined && { [produces]: {} }),
  };
  // A status of its own for what is stored takes the answer with it.
  const succeeds = spec.succeeds ?? { 200: 'As the summary says.' };
  const answered = Object.keys(succeeds).includes('201') ? '201' : '200';
  return {
    // Each sign keeps its place: /mcp and /mcp/ are two.
    operationId: `${method.toLowerCase()}${path.replaceAll(/[^a-zA-Z0-9]/g, '_')}`,
    tags: [spec.tag],
    summary: spec.summary,
    ...(security !== undefined && { security }),
    parameters: [
      ...parameters(spec.params, 'path'),
      ...(path.endsWith('*') ? REST : []),
      ...parameters(spec.query, 'query'),
    ],
    ...(body !== undefined && { requestBody: { required: true, content: json(bodyOf(body, described)) } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(succeeds).map(([status, description]) => [
          status,
          { description, ...(status === answered && Object.keys(content).length > 0 && { content }) },
        ]),
      ),
      ...Object.fromEntries(refusalsOf(spec).map((status) => [status, refusal(status, spec, described)])),
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
});

/** Every schema of the answers, with the named ones apart. */
const describeAnswers = (routes: readonly RouteSpec[]): { readonly described: Described; readonly named: Json } => {
  const schemas = routes
    .flatMap(({ answer, unavailable, body }) => [answer, unavailable, body])
    .filter((schema) => schema instanceof z.ZodType);
  // All at once, so that what two answers have in common is there once.
  const { properties = [], $defs = {} } = JSON.parse(
    JSON.stringify(answerSchema(z.object(Object.fromEntries(schemas.entries())))).replaceAll(
      '"#/$defs/',
      `"${COMPONENTS}`,
    ),
  ) as { readonly properties?: readonly Json[]; readonly $defs?: Json };
  return { described: (schema) => (properties as Record<number, Json>)[schemas.indexOf(schema)] ?? {}, named: $defs };
};

const document = (routes: readonly RouteSpec[], version: string, tools: readonly ToolListing[]): Json => {
  const { described, named } = describeAnswers(routes);
  const paths: Record<string, Record<string, Json>> = {};
  for (const spec of routes) {
    const path = (paths[pathOf(spec.path)] ??= {});
    path[spec.method.toLowerCase()] = operation(spec, described);
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
      schemas: { ...schemas(tools), ...named },
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
 * `GET /openapi.json`: every route of this server, as the contract has it, and the tools that there are, written once. Call it
 * before any route is registered; a route that the contract has not, or one of the contract that is not served, ends the
 * start.
 */
export const registerOpenApi = (
  app: FastifyInstance,
  { dispatcher, server }: Pick<ServeOptions, 'dispatcher' | 'server'>,
): void => {
  const served = new Set<RouteSpec>();
  app.addHook('onRoute', ({ method, url, config }) => {
    const { spec } = config ?? {};
    if (spec === undefined || !ROUTES.includes(spec)) {
      throw new Error(
        `The contract has no route ${String(method)} ${url}: describe it in packages/contract/src/routes.`,
      );
    }
    served.add(spec);
  });
  app.addHook('onReady', async () => {
    const missing = ROUTES.filter((spec) => !served.has(spec)).map(({ method, path }) => `${method} ${path}`);
    if (missing.length > 0) throw new Error(`Routes of the contract are not served: ${missing.join(', ')}.`);
  });
  let written: string | undefined;
  serveRoute(app, serverRoutes.document, async (_request, reply) => {
    written ??= JSON.stringify(document(ROUTES, server.version, dispatcher.advertised('full')));
    return reply.type('application/json').send(written);
  });
};
