import { accept, getServerInfo, healthCheck } from '@breakwater/contract';
import { defineTool, type Clock, type Readiness, type Tool } from '../runtime/index.ts';

/** What the server says of itself over the tools. Everything is read from memory. */
export interface ServerFacts {
  readonly version: string;
  readonly clock: Clock;
  readonly readiness: Pick<Readiness, 'ready' | 'parts'>;
  readonly loopDelayMs: () => number;
  readonly counts: () => Readonly<Record<string, number>>;
  readonly embeddedDatabase: boolean;
}

/** health_check and get_server_info: they answer before the server is ready, and while PostgreSQL is away. */
export const serverTools = (facts: ServerFacts): Tool[] => {
  const startedAt = facts.clock.now();
  const uptimeSeconds = () => Math.round((facts.clock.now() - startedAt) / 1000);
  return [
    defineTool(healthCheck, async () => {
      const parts = Object.entries(facts.readiness.parts());
      const failing = parts.filter(([, warm]) => !warm).map(([part]) => part);
      return accept({
        status: facts.readiness.ready ? 'healthy' : 'degraded',
        version: facts.version,
        status_breakdown: { healthy: parts.length - failing.length, failed: failing.length },
        operator_summary: {
          overall_status: facts.readiness.ready ? 'healthy' : 'degraded',
          failing_checks: failing,
          ...(failing.length > 0 && {
            first_action: `Wait for ${failing.join(', ')}; the log says why it is not ready.`,
          }),
        },
        checks: Object.fromEntries(parts.map(([part, warm]) => [part, { status: warm ? 'healthy' : 'failed' }])),
        event_loop_delay_ms: Math.round(facts.loopDelayMs()),
        timestamp: new Date(facts.clock.now()).toISOString(),
      });
    }),
    defineTool(getServerInfo, async ({ args }) =>
      accept({
        name: 'breakwater',
        version: facts.version,
        uptime_seconds: uptimeSeconds(),
        transports: ['rest', 'mcp-2025', 'mcp-2026-07-28', 'stdio'],
        database: facts.embeddedDatabase ? 'embedded' : 'external',
        counts: facts.counts(),
        ...(args.detail === 'full' && { pid: process.pid, node: process.version, platform: process.platform }),
      }),
    ),
  ];
};
