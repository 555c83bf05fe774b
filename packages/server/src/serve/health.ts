import { serverRoutes } from '@breakwater/contract/routes';
import type { FastifyInstance } from 'fastify';
import type { WriteProblem } from '../postgres/index.ts';
import type { ServeOptions } from './ports.ts';
import { serveRoute } from './route.ts';

const WARMING_RETRY_SECONDS = 2;
const WRITES_RETRY_SECONDS = 5;
const WRITE_PROBLEMS: Readonly<Record<WriteProblem['reason'], string>> = {
  disk_full: 'the disk of PostgreSQL is full',
  disk_failing: 'the disk of PostgreSQL fails',
  read_only: 'PostgreSQL is read-only',
};
const ENDPOINTS = {
  mcp: '/mcp/',
  call: 'POST /v1/tools/call',
  tools: '/v1/tools',
  health: '/health',
  live: '/health/live',
  ready: '/health/ready',
  metrics: '/metrics',
  events: '/api/events',
  feed: '/ws/eisv',
  console: '/dashboard/',
  openapi: '/openapi.json',
};

/**
 * Health, from memory alone: a probe must get its answer while PostgreSQL hangs (BW-serve.02). `live` says that the
 * process answers, `ready` which part is not ready, and `/health` is for people and for the reference's plugin, which
 * wants a body whatever the state. While PostgreSQL keeps no writes, `ready` is 503 although reads are answered: it says that
 * work can be taken, and work is written (BW-nodes.04).
 */
export const registerHealth = (
  app: FastifyInstance,
  {
    readiness,
    writeProblem,
    server,
    clock,
    tokens,
  }: Pick<ServeOptions, 'readiness' | 'writeProblem' | 'server' | 'clock' | 'tokens'>,
): void => {
  const startedAt = clock.monotonic();
  const cold = () =>
    Object.entries(readiness.parts())
      .filter(([, warm]) => !warm)
      .map(([part]) => part);

  serveRoute(app, serverRoutes.live, async () => ({ status: 'alive' as const }));

  serveRoute(app, serverRoutes.ready, async (_request, reply) => {
    const problem = writeProblem();
    if (readiness.ready && problem === undefined) return { status: 'ready' as const, parts: readiness.parts() };
    void reply.code(503).header('retry-after', String(WARMING_RETRY_SECONDS));
    if (readiness.ready && problem !== undefined) {
      const since = new Date(problem.since).toISOString();
      const parts = readiness.parts();
      return reply.send({ status: 'degraded', not_ready: ['writes'], writes: problem.reason, since, parts });
    }
    const { coldSince } = readiness;
    const why = readiness.why();
    return reply.send({
      status: 'warming_up',
      not_ready: cold(),
      ...(Object.keys(why).length > 0 && { why }),
      ...(coldSince !== undefined && { since: new Date(coldSince).toISOString() }),
      parts: readiness.parts(),
    });
  });

  serveRoute(app, serverRoutes.health, async (_request, reply) => {
    if (!readiness.ready) {
      void reply.code(503).header('retry-after', String(WARMING_RETRY_SECONDS));
      return reply.send({
        status: 'warming_up',
        message: `Not ready: ${cold().join(', ')}`,
        hint: `Ask again in ${WARMING_RETRY_SECONDS} s.`,
        server_version: server.version,
        parts: readiness.parts(),
      });
    }
    const problem = writeProblem();
    if (problem !== undefined) {
      void reply.code(503).header('retry-after', String(WRITES_RETRY_SECONDS));
      return reply.send({
        status: 'degraded',
        message: `Reads are answered; writes are refused with 503: ${WRITE_PROBLEMS[problem.reason]}.`,
        writes: problem.reason,
        since: new Date(problem.since).toISOString(),
        hint: 'Free space or mend the disk; service comes back within seconds, without a restart.',
        server_version: server.version,
        parts: readiness.parts(),
      });
    }
    const seconds = Math.round((clock.monotonic() - startedAt) / 1000);
    return {
      status: 'ok' as const,
      version: server.version,
      uptime: { seconds },
      parts: readiness.parts(),
      transports: ['rest', 'mcp-2025', 'mcp-2026-07-28'],
      endpoints: ENDPOINTS,
      auth: { bearer_required: tokens.length > 0 },
    };
  });

  serveRoute(app, serverRoutes.root, async ({ headers }, reply) => {
    // A person with a browser wants the console, a program the list.
    if (headers.accept?.includes('text/html') === true) return reply.redirect('/dashboard/');
    return { name: server.name, version: server.version, endpoints: ENDPOINTS };
  });
};
