import { serverRoutes } from '@breakwater/contract/routes';
import type { FastifyInstance } from 'fastify';
import type { ServeOptions } from './ports.ts';
import { serveRoute } from './route.ts';

/**
 * Reads of live tables over HTTP, for a reader that moves over from asking PostgreSQL itself (W3-10.11). A key that is
 * not in memory is answered `{ok: false, cold: true}`, never as a value and never by omission. Before the tables are
 * warm the 503 contract answers, because cold would then mean nothing (W3-10.05).
 */
export const registerLiveReads = (
  app: FastifyInstance,
  { readFlag, readBaseline }: Pick<ServeOptions, 'readFlag' | 'readBaseline'>,
): void => {
  serveRoute(app, serverRoutes.flag, async ({ body: { name } }) => ({ name, ...readFlag(name) }));
  serveRoute(app, serverRoutes.baseline, async ({ body: { agent_id } }) => ({ agent_id, ...readBaseline(agent_id) }));
};
