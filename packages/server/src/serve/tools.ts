import { ok, refuse } from '@breakwater/contract';
import { admin, getServerInfo, healthCheck } from '@breakwater/contract/tools';
import type { WriteProblem } from '../postgres/index.ts';
import { defineActions, defineTool, type Clock, type Readiness, type Tool } from '../runtime/index.ts';

/** What the server says of itself over the tools. Everything is read from memory. */
export interface ServerFacts {
  readonly version: string;
  readonly clock: Clock;
  readonly readiness: Pick<Readiness, 'ready' | 'parts'>;
  /** What keeps PostgreSQL from writing; undefined when nothing does. */
  readonly writeProblem: () => WriteProblem | undefined;
  readonly loopDelayMs: () => number;
  readonly counts: () => { readonly agents: number; readonly sessions: number };
  readonly embeddedDatabase: boolean;
}

/** health_check and get_server_info: they answer before the server is ready, and while PostgreSQL is away. */
export const serverTools = (facts: ServerFacts): Tool[] => {
  const startedAt = facts.clock.now();
  const uptimeSeconds = () => Math.round((facts.clock.now() - startedAt) / 1000);
  const health = () => {
    const parts = [
      ...Object.entries(facts.readiness.parts()),
      ['writes', facts.writeProblem() === undefined] as [string, boolean],
    ];
    const failing = parts.filter(([, warm]) => !warm).map(([part]) => part);
    const status: 'healthy' | 'degraded' = failing.length === 0 ? 'healthy' : 'degraded';
    return {
      status,
      version: facts.version,
      status_breakdown: { healthy: parts.length - failing.length, failed: failing.length },
      operator_summary: {
        overall_status: status,
        failing_checks: failing,
        ...(failing.length > 0 && {
          first_action: `Wait for ${failing.join(', ')}; the log says why it is not ready.`,
        }),
      },
      checks: Object.fromEntries(
        parts.map(([part, warm]) => [part, { status: warm ? ('healthy' as const) : ('failed' as const) }]),
      ),
      event_loop_delay_ms: Math.round(facts.loopDelayMs()),
      timestamp: new Date(facts.clock.now()).toISOString(),
    };
  };
  const info = () => ({
    name: 'breakwater' as const,
    version: facts.version,
    uptime_seconds: uptimeSeconds(),
    transports: ['rest', 'mcp-2025', 'mcp-2026-07-28', 'stdio'] as const,
    database: facts.embeddedDatabase ? ('embedded' as const) : ('external' as const),
    counts: facts.counts(),
  });
  return [
    defineTool(healthCheck, async () => ok(health())),
    defineTool(getServerInfo, async ({ args }) =>
      ok({
        ...info(),
        ...(args.detail === 'full' && { pid: process.pid, node: process.version, platform: process.platform }),
      }),
    ),
    defineActions(admin, {
      server_info: async () => ok(info()),
      workspace_health: async () => ok({ ...health(), health: health() }),
      async debug_context({ caller }) {
        const { agentId = null, assurance, source, origin, operator } = caller;
        return ok({
          bound_agent_id: agentId,
          identity_assurance: { tier: assurance, session_source: source, proof_origin: origin },
          operator: operator?.name ?? null,
        });
      },
      connections: elsewhere('Connections and sessions are counted at GET /metrics.'),
      tool_usage: elsewhere('Calls of each tool are counted at GET /metrics, and in breakwater channel report.'),
      telemetry: elsewhere('Telemetry is at GET /metrics, for Prometheus, and in breakwater channel report.'),
      validate_path: elsewhere('This server opens no file for a caller, so there is no path to check.'),
      reset_monitor: elsewhere('What an agent did is not taken back. An operator ends a pause: agent(action=resume).'),
      cleanup_locks: elsewhere('There are no lock files; what a server held ends with its connection to PostgreSQL.'),
    }),
  ];
};

/** Refuses an action that the reference has, and says where the thing is here. */
const elsewhere = (where: string) => async () => refuse('NOT_OFFERED', where);
