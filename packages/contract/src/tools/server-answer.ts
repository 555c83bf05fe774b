import { z } from 'zod';
import { isoTime } from './common.ts';

const count = z.int().nonnegative();

/** `health_check`. */
export const healthAnswer = z.object({
  status: z.enum(['healthy', 'degraded']),
  version: z.string(),
  status_breakdown: z.object({ healthy: count, failed: count }).describe('How many parts'),
  operator_summary: z.object({
    overall_status: z.enum(['healthy', 'degraded']),
    failing_checks: z.array(z.string()),
    first_action: z.string().optional(),
  }),
  // The parts are those that this server was started with.
  checks: z.record(z.string(), z.object({ status: z.enum(['healthy', 'failed']) })),
  event_loop_delay_ms: count,
  timestamp: isoTime,
});

const serverInfo = z.object({
  name: z.literal('breakwater'),
  version: z.string(),
  uptime_seconds: count,
  transports: z.array(z.enum(['rest', 'mcp-2025', 'mcp-2026-07-28', 'stdio'])),
  database: z.enum(['embedded', 'external']),
  counts: z.object({ agents: count, sessions: count }),
});

/** `get_server_info`. */
export const serverInfoAnswer = serverInfo.extend({
  pid: z.int().positive().optional().describe('This and what follows: with detail full'),
  node: z.string().optional(),
  platform: z.string().optional(),
});

/** The answers of `admin`, by action. */
export const adminAnswers = {
  server_info: serverInfo,
  workspace_health: healthAnswer.extend({ health: healthAnswer.describe('The same again') }),
  debug_context: z.object({
    bound_agent_id: z.string().nullable(),
    identity_assurance: z.object({
      tier: z.enum(['none', 'weak', 'medium', 'strong']),
      session_source: z.enum([
        'client_session_id',
        'session_header',
        'continuity_token',
        'attested_process',
        'mcp_session',
        'onboard_pin',
        'none',
      ]),
      proof_origin: z.enum(['caller_asserted', 'server_inferred']).describe('Whether the caller sent the proof itself'),
    }),
    operator: z.string().nullable(),
  }),
} as const;
