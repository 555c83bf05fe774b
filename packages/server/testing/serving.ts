import { pino } from 'pino';
import { calibrationDiagram } from '../src/calibration/index.ts';
import { Computation } from '../src/dialectic/index.ts';
import { Limits } from '../src/dispatch/index.ts';
import { testOverview } from '../src/overview/testing/overview.ts';
import { createHttpServer, createMetrics } from '../src/serve/index.ts';
import { idsFrom, seededRandom, systemClock } from '../src/runtime/index.ts';
import type { World } from './world.ts';

/** A world behind HTTP, on a port that it keeps when it is restarted. */
export interface ServedWorld {
  readonly url: string;
  /** Stops server and node, and starts others on the same data and port. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Serves a world over REST and MCP. Its agents and credentials live by the clock of the test, connections by the real one. */
export const serveWorld = async (world: World): Promise<ServedWorld> => {
  let port = 0;
  const computation = new Computation({ clock: systemClock, random: seededRandom(1), onFailure: () => undefined });
  const listen = async () => {
    const { identity } = world.node;
    const http = createHttpServer({
      dispatcher: world.dispatcher,
      limits: new Limits({}, systemClock),
      sessions: {
        create: () => identity.createMcpSession(),
        known: (id) => identity.mcpSessionKnown(id),
        revoke: (id) => identity.revokeMcpSession(id),
      },
      readiness: { ready: true, coldSince: undefined, parts: () => ({}), why: () => ({}) },
      writeProblem: () => undefined,
      readFlag: () => ({ ok: false, cold: true }),
      readBaseline: () => ({ ok: false, cold: true }),
      compute: (call) => computation.run(call),
      recordExternalOutcome: (secret, body) => world.node.harness.record(secret, body),
      calibrationDiagram: (agent) => calibrationDiagram(world.node.calibration)(agent),
      feed: world.node.feed,
      metrics: createMetrics(),
      tokens: [],
      operatorOf: (secret) => identity.operatorOf(secret),
      overview: testOverview(world.database, world.node.agents.table),
      node: { version: 'test', node: 'test', started_at: '2026-01-01T00:00:00.000Z' },
      allowedHosts: [],
      allowedOrigins: [],
      server: { name: 'breakwater', version: 'test' },
      clock: systemClock,
      ids: idsFrom(seededRandom(1)),
      log: pino({ enabled: false }),
    });
    const url = await http.listen({ host: '127.0.0.1', port });
    port = Number(new URL(url).port);
    return { http, url };
  };
  let current = await listen();
  return {
    url: current.url,
    restart: async () => {
      await current.http.close({ graceMs: 100 });
      await world.restart();
      current = await listen();
    },
    close: () => current.http.close({ graceMs: 100 }),
  };
};
