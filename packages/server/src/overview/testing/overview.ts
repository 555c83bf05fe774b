import { ok } from '@breakwater/contract';
import type { AgentHead } from '../../agents/index.ts';
import { Calibration } from '../../calibration/index.ts';
import type { Database } from '../../postgres/index.ts';
import { columnsOf, systemClock, type Clock, type LiveTable } from '../../runtime/index.ts';
import { createActivity } from '../activity.ts';
import { Overview } from '../service.ts';

/** An overview of these agents, on a node that says as little of itself as may be. */
export const testOverview = (
  database: Database,
  agents: LiveTable<AgentHead>,
  over: {
    readonly clock?: Clock;
    readonly parts?: Readonly<Record<string, boolean>>;
    readonly isStable?: (agentId: string) => boolean;
  } = {},
): Overview => {
  const { clock = systemClock, parts = {}, isStable = () => true } = over;
  const counters = { stored: 0, dropped: 0, waiting: 0 };
  return new Overview({
    database,
    clock,
    agents,
    fleet: columnsOf(agents),
    named: (name) => [...agents.entries()].flatMap(([, head]) => (head.label === name ? [head] : [])),
    isStable,
    flags: { all: () => [], history: () => Promise.resolve(ok([])) },
    calibration: new Calibration({ database, clock }),
    activity: createActivity(clock.now()),
    node: {
      version: '0.1.0',
      nodeId: 'test',
      host: 'test',
      applicationName: 'breakwater test',
      startedAt: clock.now(),
      embeddedDatabase: true,
      ready: () => Object.values(parts).every(Boolean),
      parts: () => parts,
      liveTables: () => [],
      mailboxes: () => [],
      loopDelay: () => ({ maxMs: 0, p99Ms: 0, meanMs: 0 }),
      channel: () => ({ failures: counters, measurements: counters }),
      auditTables: () => [],
      requests: () => undefined,
    },
  });
};
