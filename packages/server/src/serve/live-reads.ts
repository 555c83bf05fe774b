import { refuse } from '@breakwater/contract';
import type { FastifyInstance } from 'fastify';
import { isText } from '../dispatch/index.ts';
import type { ReadLive, ServeOptions } from './ports.ts';
import { sendRefusal } from './refusal-reply.ts';
import { sendUnavailable } from './unavailable.ts';

const keyIn = (body: unknown, field: string): string | undefined => {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, field)) return undefined;
  const value: unknown = (body as Record<string, unknown>)[field];
  return typeof value === 'string' && value !== '' && value.length <= 200 && isText(value) ? value : undefined;
};

/**
 * Reads of live tables over HTTP, for a reader that moves over from asking PostgreSQL itself (W3-10.11). A key that is
 * not in memory is answered `{ok: false, cold: true}`, never as a value and never by omission. Before the tables are
 * warm the 503 contract answers, because cold would then mean nothing (W3-10.05).
 */
export const registerLiveReads = (
  app: FastifyInstance,
  { readiness, readFlag, readBaseline }: Pick<ServeOptions, 'readiness' | 'readFlag' | 'readBaseline'>,
): void => {
  const route = (path: string, field: string, read: ReadLive) =>
    app.post(path, async (request, reply) => {
      const key = keyIn(request.body, field);
      if (key === undefined) {
        return sendRefusal(
          reply,
          refuse('BAD_REQUEST', `"${field}" must be a string of 1 to 200 characters.`, {
            details: { field },
            recovery: { action: `Send {"${field}": "…"} as application/json.` },
          }).refusal,
        );
      }
      if (!readiness.ready) return sendUnavailable(reply);
      return { [field]: key, ...read(key) };
    });
  route('/v1/feature_flag/get', 'name', readFlag);
  route('/v1/baseline/get', 'agent_id', readBaseline);
};
