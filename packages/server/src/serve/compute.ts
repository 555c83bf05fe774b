import { ERRORS, refusal } from '@breakwater/contract';
import { serverRoutes } from '@breakwater/contract/routes';
import type { FastifyInstance } from 'fastify';
import type { ServeOptions } from './ports.ts';
import { sendRefusal } from './refusal-reply.ts';
import { serveRoute } from './route.ts';
import { sendUnavailable } from './unavailable.ts';

/** A tool that passes its deadline is a call that worked; here the computation is the call. */
const TIMED_OUT = 504;

/**
 * `POST /v1/dialectic/compute`: the pure functions of the dialectic for a runtime that keeps its sessions elsewhere
 * (W3-5.04). They need neither memory nor PostgreSQL, so readiness does not matter.
 */
export const registerCompute = (app: FastifyInstance, { compute }: Pick<ServeOptions, 'compute'>): void => {
  serveRoute(app, serverRoutes.compute, async ({ body }, reply) => {
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      return sendRefusal(
        reply,
        refusal('BAD_REQUEST', 'The body must be a JSON object.', {
          recovery: { action: 'Send mode, session_id, round and input as application/json.' },
        }),
      );
    }
    const { mode, session_id: sessionId, round, input } = body as Record<string, unknown>;
    const outcome = await compute({ mode, sessionId, round, input });
    if (outcome.ok) return { ok: true as const, ...outcome.value };
    const { code } = outcome.refusal;
    if (ERRORS[code].status === 503) return sendUnavailable(reply, code);
    return code === 'TIMEOUT' ? sendRefusal(reply, outcome.refusal, TIMED_OUT) : sendRefusal(reply, outcome.refusal);
  });
};
