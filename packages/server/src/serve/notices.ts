import type { FastifyInstance, FastifyReply } from 'fastify';
import { sendFeatureRefusal } from './feature-refusal.ts';
import type { DispatchReply } from '../dispatch/index.ts';
import type { RestCall } from './rest-call.ts';

const CREATED = 201;
const DEEP_SECONDS = {
  probe_interval_seconds: 0,
  staleness_threshold_seconds: 0,
  age_seconds: 0,
  stale: false,
} as const;

type Arguments = Readonly<Record<string, unknown>>;

const objectOf = (body: unknown): Arguments =>
  typeof body === 'object' && body !== null && !Array.isArray(body) ? { ...body } : {};

/**
 * Addresses at which the reference's residents and plugins report and read. Each is a call of a tool, and so has its
 * chain: limits, readiness, deadline, measure and refusals are those of every call. A refusal has a status of its own
 * here, since the request is the report and nothing around it.
 */
export const registerNotices = (app: FastifyInstance, call: RestCall): void => {
  const send = (reply: FastifyReply, { refusal, body, status }: DispatchReply, created: number): FastifyReply => {
    if (refusal !== undefined) return sendFeatureRefusal(reply, refusal);
    return reply
      .code(status === 200 ? created : status)
      .type('application/json')
      .send(JSON.stringify(body));
  };
  const posts = (path: string, action: string, status = CREATED): void => {
    app.post(path, async (request, reply) =>
      send(reply, await call(request, 'report', { ...objectOf(request.body), action }), status),
    );
  };
  const reads = (path: string, action: string): void => {
    app.get(path, async (request, reply) =>
      send(reply, await call(request, 'notices', { ...objectOf(request.query), action }), 200),
    );
  };
  posts('/api/findings', 'finding', 200);
  posts('/v1/metrics', 'metric');
  posts('/v1/substrate/observe', 'substrate');
  posts('/v1/runtime/observe', 'runtime');
  reads('/api/findings', 'findings');
  reads('/v1/metrics/series', 'series');
  reads('/v1/metrics/catalog', 'catalog');
  reads('/v1/residents', 'residents');
  reads('/v1/residents/tag_audit', 'tag_audit');
  app.get('/health/deep', async (request, reply) => {
    const answer = await call(request, 'health_check', {});
    const { body } = answer;
    const seen = { ...DEEP_SECONDS, produced_at: body['timestamp'] };
    return send(reply, { ...answer, body: { ...body, _cache: seen } }, 200);
  });
};
