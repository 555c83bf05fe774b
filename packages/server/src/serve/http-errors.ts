import { refusal, type Refusal } from '@breakwater/contract';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { isText } from '../dispatch/index.ts';
import { refusalOf } from '../postgres/index.ts';
import { sendFeatureRefusal } from './feature-refusal.ts';
import type { ServeOptions } from './ports.ts';
import { refusalText, sendRefusal } from './refusal-reply.ts';
import { RefusedRequest } from './route.ts';

const MAX_BODY_MB = 1;
export const BODY_LIMIT = MAX_BODY_MB * 1024 * 1024;

const tooLarge = refusal('PAYLOAD_TOO_LARGE', `The body exceeds ${MAX_BODY_MB} MB.`, {
  details: { field: 'body', max_size_mb: MAX_BODY_MB },
});

const badBody = refusal('BAD_REQUEST', 'The body must be a JSON object, sent as application/json.', {
  details: { field: 'body' },
});

const mediaType = refusal('UNSUPPORTED_MEDIA_TYPE', 'The body is of a media type that is not read here.', {
  details: { field: 'content-type' },
});

const encoded = refusal('UNSUPPORTED_MEDIA_TYPE', 'The body is compressed, or encoded in another way.', {
  details: { field: 'content-encoding' },
  recovery: { action: 'Send the body as it is, without Content-Encoding.' },
});

const badUrl = refusal('BAD_REQUEST', 'The address is none: a percent sign in it begins no encoded character.', {
  details: { field: 'url' },
  recovery: { action: 'Write a percent sign in an address as %25.' },
});

const badLength = refusal('BAD_REQUEST', 'The body is not as long as Content-Length says.', {
  details: { field: 'content-length' },
  recovery: { action: 'Send Content-Length as it is, or leave it to the HTTP library.' },
});

const longPart = refusal('BAD_REQUEST', 'A part of the address is longer than any id or name.', {
  details: { field: 'url' },
  recovery: { action: 'Take the id from a list, such as GET /api/agents.' },
});

/** What an error of the HTTP framework, which the caller caused, is here. */
const REFUSED: Readonly<Record<string, Refusal>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: tooLarge,
  FST_ERR_CTP_INVALID_MEDIA_TYPE: mediaType,
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: badLength,
  FST_ERR_BAD_URL: badUrl,
  FST_ERR_MAX_PARAM_LENGTH: longPart,
};

const noRoute = refusal('ROUTE_NOT_FOUND', 'No such route.', {
  details: { hint: 'GET / names the endpoints.' },
});

const badText = (field: string): Refusal =>
  refusal('BAD_REQUEST', `"${field}" must be text, without U+0000.`, {
    details: { field },
    recovery: { action: `Correct "${field}" in the address, or leave it out.` },
  });

/** The first field of an address that PostgreSQL could not hold: only names, ids and numbers stand in one. */
const fieldThatIsNoText = (fields: unknown): string | undefined => {
  for (const [name, value] of Object.entries((fields ?? {}) as Readonly<Record<string, unknown>>)) {
    const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (!isText(name) || texts.some((text) => typeof text === 'string' && !isText(text))) {
      return name.replaceAll('\0', '\ufffd');
    }
  }
  return undefined;
};

/** The methods of each address that there is, to tell a wrong method from a wrong address. */
class Methods {
  readonly #routes: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = [];

  add({ url, method }: Pick<RouteOptions, 'url' | 'method'>): void {
    const pattern = url
      .split(/(:\w+|\*)/)
      .map((part) =>
        part === '*' ? '.*' : part.startsWith(':') ? '[^/]+' : part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'),
      )
      .join('');
    this.#routes.push({ pattern: new RegExp(`^${pattern}$`), methods: [method].flat() });
  }

  of(path: string): readonly string[] {
    return [...new Set(this.#routes.flatMap(({ pattern, methods }) => (pattern.test(path) ? methods : [])))].sort();
  }
}

/** Answers an error that reached the HTTP framework: the caller's own in words, anything else as an incident of ours. */
const answerError = (error: FastifyError, request: FastifyRequest, reply: FastifyReply, log: ServeOptions['log']) => {
  if (error instanceof RefusedRequest) return sendRefusal(reply, error.refusal);
  const caused = REFUSED[error.code];
  if (caused !== undefined) return sendRefusal(reply, caused);
  if (error.statusCode !== undefined && error.statusCode < 500) return sendRefusal(reply, badBody);
  const known = refusalOf(error);
  if (known !== undefined) return sendFeatureRefusal(reply, known);
  log.error({ err: error, request_id: request.id }, 'request failed');
  return sendRefusal(
    reply,
    refusal('INTERNAL_ERROR', 'An internal error occurred.', { details: { incident_id: request.id } }),
    500,
  );
};

/** Before there is a route: an address that cannot be read. */
export const answerBadAddress = (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
  void sendRefusal(reply.header('x-request-id', request.id), REFUSED[error.code] ?? badUrl);
};

const BROKEN: Readonly<Record<string, readonly [status: number, says: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'The headers are too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not arrive in time.'],
};

/** Answers bytes that are no request of HTTP, on the socket itself, and ends the connection. */
export const answerBrokenRequest = (error: NodeJS.ErrnoException, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, says] = BROKEN[error.code ?? ''] ?? [400, 'This is no request of HTTP.'];
  const body = refusalText(
    refusal('BAD_REQUEST', says, { recovery: { action: 'Send the request with a library for HTTP/1.1.' } }),
  );
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
};

/**
 * Gives every error of the HTTP framework the shape of a refusal, and looks at what stands in addresses (BW-dispatch.09).
 * Call it before the first route is registered.
 */
export const registerHttpErrors = (app: FastifyInstance, { log }: Pick<ServeOptions, 'log'>): void => {
  const methods = new Methods();
  app.addHook('onRoute', (route) => methods.add(route));
  // In the callback style, as every hook of each request; who answers does not call `done`.
  app.addHook('preParsing', (request, reply, _payload, done) => {
    const encoding = request.headers['content-encoding'];
    const field = fieldThatIsNoText(request.params) ?? fieldThatIsNoText(request.query);
    if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity') {
      void sendRefusal(reply.header('accept-encoding', 'identity'), encoded);
    } else if (field !== undefined) void sendRefusal(reply, badText(field));
    else done();
  });
  app.setErrorHandler((error: FastifyError, request, reply) => answerError(error, request, reply, log));
  app.setNotFoundHandler((request, reply) => {
    const allowed = methods.of(request.url.split('?', 1)[0] ?? '');
    if (allowed.length === 0) return sendRefusal(reply, noRoute);
    return sendRefusal(
      reply.header('allow', allowed.join(', ')),
      refusal('METHOD_NOT_ALLOWED', `This address takes ${allowed.join(', ')}, and not ${request.method}.`, {
        details: { field: 'method', valid_values: allowed },
      }),
    );
  });
};
