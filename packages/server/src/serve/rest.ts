import type { ToolListing } from '@breakwater/contract';
import { agentRoutes } from '@breakwater/contract/routes';
import type { FastifyInstance } from 'fastify';
import { readCallBody } from './call-body.ts';
import type { DispatchReply } from '../dispatch/index.ts';
import type { ServeOptions } from './ports.ts';
import { sendRefusal } from './refusal-reply.ts';
import type { RestCall } from './rest-call.ts';
import { serveRoute } from './route.ts';
import { sendUnavailable } from './unavailable.ts';

/** A tool in OpenAI's format, which the reference's clients read. */
const asFunction = ({ name, description, inputSchema, outputSchema }: ToolListing) => ({
  type: 'function',
  function: { name, description, parameters: inputSchema },
  // OpenAI's format has no place for it; in the full list only.
  ...(outputSchema !== undefined && { output_schema: outputSchema }),
});

/**
 * The reference's trap, kept because its clients rely on it: a tool that refused is a call that worked, so the outer
 * `success` is true and the refusal stands in `result`. Only a refusal that concerns the transport has another status,
 * and then the outer `success` is false.
 */
const callAnswer = (name: string, reply: DispatchReply): string =>
  reply.status === 200
    ? JSON.stringify({ name, result: reply.body, success: true })
    : JSON.stringify({
        name,
        result: reply.body,
        success: false,
        error: reply.body['error'],
        error_code: reply.refusal?.code ?? reply.body['error_code'],
      });

/** `POST /v1/tools/call` and `GET /v1/tools`, as the reference's clients know them (BW-serve.01). */
export const registerRest = (
  app: FastifyInstance,
  { dispatcher }: Pick<ServeOptions, 'dispatcher'>,
  call: RestCall,
): void => {
  serveRoute(app, agentRoutes.call, async (request, reply) => {
    const read = readCallBody(request.body);
    if (!read.ok) return sendRefusal(reply, read.refusal);
    const { name, args } = read.value;
    const answer = await call(request, name, args);
    if (answer.status === 503) return sendUnavailable(reply, answer.refusal?.code);
    if (answer.retryAfterSeconds !== undefined && answer.status !== 200) {
      void reply.header('retry-after', String(Math.ceil(answer.retryAfterSeconds)));
    }
    return reply.code(answer.status).type('application/json').send(callAnswer(name, answer));
  });

  serveRoute(app, agentRoutes.tools, async ({ query: { mode: asked } }, reply) => {
    // `lite` is the reference's word for its default.
    const mode = asked === 'lite' ? 'default' : asked;
    const tools = dispatcher.advertised(mode).map(asFunction);
    const total_available = dispatcher.advertised('full').length;
    const note = 'Every tool is callable by name, whether this list shows it or not.';
    return reply
      .type('application/json')
      .send(JSON.stringify({ tools, count: tools.length, mode: asked, total_available, note }));
  });
};
