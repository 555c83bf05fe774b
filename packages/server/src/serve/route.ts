import { refusal, type Refusal } from '@breakwater/contract';
import type { RouteAnswer, RouteSpec } from '@breakwater/contract/routes';
import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  FastifySchemaCompiler,
  onSendHookHandler,
  preValidationHookHandler,
} from 'fastify';
import { z } from 'zod';
import { problemWith } from '../dispatch/index.ts';
import type { ServeOptions } from './ports.ts';
import { sendUnavailable } from './unavailable.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the contract says of the route. */
    readonly spec?: RouteSpec;
  }
}

/** A part of a request as its handler gets it: as the contract's schema reads it, or as it came. */
type Read<S extends RouteSpec, Part extends 'query' | 'params' | 'body'> = S extends { readonly handsOn: true }
  ? unknown
  : S extends { readonly [P in Part]: infer T extends z.ZodType }
    ? z.output<T>
    : unknown;

/** A request whose query, path and body the contract's schemas have read. */
export type RouteRequest<S extends RouteSpec> = FastifyRequest<{
  Querystring: Read<S, 'query'>;
  Params: Read<S, 'params'>;
  Body: Read<S, 'body'>;
}>;

/** A reply that was sent; without what makes it a promise, which would hide the words of answers from the compiler. */
type Sent = Pick<FastifyReply, 'sent'>;

/** Gives the answer that the contract names, or sends a reply itself. */
export type RouteHandler<S extends RouteSpec> = (
  request: RouteRequest<S>,
  reply: FastifyReply,
) => Promise<RouteAnswer<S> | Sent | undefined>;

/** Thrown by the HTTP framework for a request that a schema of the contract refuses. */
export class RefusedRequest extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.name = 'RefusedRequest';
    this.refusal = refusal;
  }
}

const PLACES: Readonly<Record<string, string>> = { querystring: 'the query of the address', body: 'the body' };

const refusalOf = (schema: z.ZodType, { issues }: z.ZodError, part: string): Refusal => {
  const unknown = issues.find((issue) => issue.code === 'unrecognized_keys');
  const issue = unknown ?? issues[0];
  const field = unknown?.keys[0] ?? issue?.path.join('.') ?? '';
  if (field === '') return refusal('BAD_REQUEST', 'The body must be a JSON object.', { details: { field: 'body' } });
  const known = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  const says =
    unknown === undefined
      ? (issue?.message ?? '')
      : `is no field of this query; known are ${known.join(', ') || 'none'}`;
  const { safeOptions } = schema.meta() ?? {};
  return refusal('BAD_REQUEST', `"${field}" ${says}.`, {
    details: {
      field,
      ...(issue?.code === 'invalid_value' && { valid_values: issue.values }),
      ...(safeOptions !== undefined && { safe_options: safeOptions }),
    },
    recovery: {
      action:
        part === 'params'
          ? `Take the ${field} from a list: GET /api/agents, or GET /api/reviews.`
          : `Correct "${field}" in ${PLACES[part] ?? 'the request'}, or leave it out.`,
    },
  });
};

/** Reads a part of a request by its schema. A refusal names the first wrong field, and what it may be. */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart = '' }) => {
  return (value: unknown) => {
    const read = schema.safeParse(value);
    return read.success ? { value: read.data } : { error: new RefusedRequest(refusalOf(schema, read.error, httpPart)) };
  };
};

/** Registers a route as the contract describes it. */
export const serveRoute = <S extends RouteSpec>(app: FastifyInstance, spec: S, handler: RouteHandler<S>): void => {
  const { method, path: url, query, params, body }: RouteSpec = spec;
  app.route({
    method,
    url,
    config: { spec },
    ...(spec.handsOn !== true && {
      schema: {
        ...(query !== undefined && { querystring: query }),
        ...(params !== undefined && { params }),
        ...(body !== undefined && { body }),
      },
    }),
    handler: handler as never,
  });
};

/**
 * Answers the 503 contract while the server is not ready, for every route that does not say that it answers all the same
 * (W3-10.05). Before the body and the query are looked at: what is right may hang on what is in memory.
 */
export const createReadinessHook =
  ({ readiness }: Pick<ServeOptions, 'readiness'>): preValidationHookHandler =>
  (request, reply, done) => {
    const { spec } = request.routeOptions.config;
    if (spec === undefined || spec.whileNotReady === true || readiness.ready) done();
    else void sendUnavailable(reply);
  };

const isJson = (reply: FastifyReply): boolean => String(reply.getHeader('content-type')).startsWith('application/json');

/** Holds an answer against the contract, and makes an error of one that does not fit: for tests and development. */
export const holdAnswer: onSendHookHandler = (request, reply, payload, done) => {
  const { answer, path } = request.routeOptions.config.spec ?? {};
  const isHeld = answer !== undefined && reply.statusCode < 300 && isJson(reply) && request.method !== 'HEAD';
  const sent = isHeld && (typeof payload === 'string' || Buffer.isBuffer(payload)) ? String(payload) : '';
  const problem = isHeld && sent !== '' ? problemWith(answer, JSON.parse(sent)) : undefined;
  if (problem === undefined) done(null, payload);
  else done(new Error(`The answer of ${path} breaks the contract: ${problem}`));
};
