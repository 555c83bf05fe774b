import type { FastifyInstance } from 'fastify';
import type { ServeOptions } from './ports.ts';

const WARMING_RETRY_SECONDS = 2;
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

/** Routes that answer without a token: a probe has none, and they tell nothing about agents. */
export const OPEN_ROUTES: ReadonlySet<string> = new Set([
  '/',
  '/health',
  '/health/live',
  '/health/ready',
  '/openapi.json',
]);

/**
 * Health, from memory alone: a probe must get its answer while PostgreSQL hangs (BW-serve.02). `live` says that the
 * process answers, `ready` which part is not ready, and `/health` is for people and for the reference's plugin, which
 * wants a body whatever the state.
 */
export const registerHealth = (
  app: FastifyInstance,
  { readiness, server, clock, tokens }: Pick<ServeOptions, 'readiness' | 'server' | 'clock' | 'tokens'>,
): void => {
  const startedAt = clock.monotonic();
  const cold = () =>
    Object.entries(readiness.parts())
      .filter(([, warm]) => !warm)
      .map(([part]) => part);

  app.get('/health/live', async () => ({ status: 'alive' }));

  app.get('/health/ready', async (_request, reply) => {
    if (readiness.ready) return { status: 'ready', parts: readiness.parts() };
    void reply.code(503).header('retry-after', String(WARMING_RETRY_SECONDS));
    const { coldSince } = readiness;
    return {
      status: 'warming_up',
      not_ready: cold(),
      ...(coldSince !== undefined && { since: new Date(coldSince).toISOString() }),
      parts: readiness.parts(),
    };
  });

  app.get('/health', async (_request, reply) => {
    if (!readiness.ready) {
      void reply.code(503).header('retry-after', String(WARMING_RETRY_SECONDS));
      return {
        status: 'warming_up',
        message: `Not ready: ${cold().join(', ')}`,
        hint: `Ask again in ${WARMING_RETRY_SECONDS} s.`,
        server_version: server.version,
        parts: readiness.parts(),
      };
    }
    const seconds = Math.round((clock.monotonic() - startedAt) / 1000);
    return {
      status: 'ok',
      version: server.version,
      uptime: { seconds },
      parts: readiness.parts(),
      transports: ['rest', 'mcp-2025', 'mcp-2026-07-28'],
      endpoints: ENDPOINTS,
      auth: { bearer_required: tokens.length > 0 },
    };
  });

  app.get('/', async ({ headers }, reply) => {
    // A person with a browser wants the console, a program the list.
    if (headers.accept?.includes('text/html') === true) return reply.redirect('/dashboard/');
    return { name: server.name, version: server.version, endpoints: ENDPOINTS };
  });
};
