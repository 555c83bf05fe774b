import { agentRoutes, serverRoutes, type RouteSpec } from '@breakwater/contract/routes';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { sendFeatureRefusal } from './feature-refusal.ts';
import type { DispatchReply } from '../dispatch/index.ts';
import type { RestCall } from './rest-call.ts';
import { serveRoute } from './route.ts';

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
  const posts = (spec: RouteSpec, action: string, status = CREATED): void => {
    serveRoute(app, spec, async (request, reply) =>
      send(reply, await call(request, 'report', { ...objectOf(request.body), action }), status),
    );
  };
  const reads = (spec: RouteSpec, action: string): void => {
    serveRoute(app, spec, async (request, reply) =>
      send(reply, await call(request, 'notices', { ...objectOf(request.query), action }), 200),
    );
  };
  posts(agentRoutes.reportFinding, 'finding', 200);
  posts(agentRoutes.reportMetric, 'metric');
  posts(agentRoutes.observeSubstrate, 'substrate');
  posts(agentRoutes.observeRuntime, 'runtime');
  reads(agentRoutes.findings, 'findings');
  reads(agentRoutes.series, 'series');
  reads(agentRoutes.catalog, 'catalog');
  reads(agentRoutes.residents, 'residents');
  reads(agentRoutes.tagAudit, 'tag_audit');
  serveRoute(app, serverRoutes.deep, async (request, reply) => {
    const answer = await call(request, 'health_check', {});
    const { body } = answer;
    const seen = { ...DEEP_SECONDS, produced_at: body['timestamp'] };
    return send(reply, { ...answer, body: { ...body, _cache: seen } }, 200);
  });
};
