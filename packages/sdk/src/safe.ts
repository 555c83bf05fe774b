import type { Json } from './json.ts';

/** Tools that write nothing, by every name that this package or an agent is likely to use. */
const READING: ReadonlySet<string> = new Set([
  'check_calibration',
  'check_working_state',
  'describe_tool',
  'detect_stuck_agents',
  'get_governance_metrics',
  'get_server_info',
  'health_check',
  'list_tools',
  'search_shared_memory',
  'simulate_update',
]);

/** Tools that read or write by their action, with the actions that read. */
const READING_ACTIONS: Readonly<Record<string, ReadonlySet<unknown>>> = {
  agent: new Set(['list', 'get']),
  dialectic: new Set(['list', 'get']),
  knowledge: new Set(['search', 'get', 'list', 'details', 'stats', 'audit']),
  self_recovery: new Set(['check']),
};

/** Tools that do a call once for an `idempotency_key`, however often it comes. */
const KEYED: ReadonlySet<string> = new Set([
  'knowledge',
  'leave_note',
  'outcome_event',
  'process_agent_update',
  'record_result',
  'store_finding',
  'sync_state',
]);

/**
 * Whether a call may be repeated although nobody knows what became of it: it reads, it carries a key under which the server
 * does it once, or, for `identity`, it only asks who one is.
 */
export const isSafeToRepeat = (tool: string, args: Json): boolean => {
  if (READING.has(tool)) return true;
  if (tool === 'identity') return args['name'] == null && args['revoke'] == null;
  if (KEYED.has(tool) && typeof args['idempotency_key'] === 'string') return true;
  return Object.hasOwn(READING_ACTIONS, tool) && READING_ACTIONS[tool]?.has(args['action']) === true;
};
