import type { ToolAlias } from './tool-spec.ts';
import type { ToolName } from './tools.ts';
import { NOT_OFFERED } from './not-offered.ts';

/** The names that agents should learn, and the tools behind them. */
export const WORKFLOW = {
  start_session: 'onboard',
  sync_state: 'process_agent_update',
  check_working_state: 'get_governance_metrics',
  record_result: 'outcome_event',
} as const satisfies Readonly<Record<string, ToolName>>;

const guesses = (tool: string, names: readonly string[]): ToolAlias[] =>
  names.map((name) => ({ name, tool, kind: 'guess' }));

/** Names that stand for one action of a tool. */
const acts = (tool: string, names: Readonly<Record<string, string>>): ToolAlias[] =>
  Object.entries(names).map(([name, action]) => ({ name, tool, kind: 'guess', inject: { action } }));

/** Every other name of a tool, as data (spec surface 1.3 and 1.4). */
export const ALIASES: readonly ToolAlias[] = [
  ...Object.entries(WORKFLOW).map(([name, tool]): ToolAlias => ({
    name,
    tool,
    kind: 'workflow',
    ...(name === 'sync_state' && { complexityWords: true }),
  })),
  ...guesses('onboard', ['init', 'login', 'register', 'start']),
  ...guesses('identity', ['authenticate', 'bind_identity', 'hello', 'quick_start', 'recall_identity', 'session']),
  ...(['checkin', 'log', 'update'] as const).map((name): ToolAlias => ({
    name,
    tool: 'process_agent_update',
    kind: 'guess',
    complexityWords: true,
  })),
  ...guesses('get_governance_metrics', ['check_status', 'metrics', 'my_status', 'state', 'status']),
  ...(['list', 'get', 'update', 'archive', 'delete'] as const).map((action): ToolAlias => ({
    name: {
      list: 'list_agents',
      get: 'get_agent_metadata',
      update: 'update_agent_metadata',
      archive: 'archive_agent',
      delete: 'delete_agent',
    }[action],
    tool: 'agent',
    kind: 'guess',
    inject: { action },
  })),
  ...(
    [
      ['request_review', 'request'],
      ['request_dialectic_review', 'request'],
      ['submit_thesis', 'thesis'],
      ['submit_antithesis', 'antithesis'],
      ['submit_synthesis', 'synthesis'],
      ['reassign_reviewer', 'reassign'],
      ['get_dialectic_session', 'get'],
      ['list_dialectic_sessions', 'list'],
      ['quick_dialectic', 'quick'],
    ] as const
  ).map(([name, action]): ToolAlias => ({ name, tool: 'dialectic', kind: 'guess', inject: { action } })),
  ...(
    [
      ['check_calibration', 'check'],
      ['update_calibration_ground_truth', 'update'],
      ['backfill_calibration_from_dialectic', 'backfill'],
      ['rebuild_calibration', 'rebuild'],
    ] as const
  ).map(([name, action]): ToolAlias => ({ name, tool: 'calibration', kind: 'guess', inject: { action } })),
  ...(
    [
      ['search_shared_memory', 'search'],
      ['store_finding', 'store'],
      ['update_finding', 'update'],
      ['leave_note', 'note'],
      ['search_knowledge_graph', 'search'],
      ['find_similar_discoveries_graph', 'search'],
      ['store_knowledge_graph', 'store'],
      ['get_knowledge_graph', 'get'],
      ['list_knowledge_graph', 'list'],
      ['get_discovery_details', 'details'],
      ['get_related_discoveries_graph', 'details'],
      ['update_discovery_status_graph', 'update'],
      ['get_lifecycle_stats', 'stats'],
      ['cleanup_knowledge_graph', 'cleanup'],
    ] as const
  ).map(([name, action]): ToolAlias => ({ name, tool: 'knowledge', kind: 'guess', inject: { action } })),
  {
    name: 'get_response_chain_graph',
    tool: 'knowledge',
    kind: 'guess',
    inject: { action: 'details', include_response_chain: true },
  },
  ...acts('knowledge', {
    supersede_discovery: 'supersede',
    synthesize_knowledge_graph: 'synthesize',
    audit_knowledge_graph: 'audit',
    reply_to_question: 'store',
  }),
  ...acts('dialectic', { request_exploration_session: 'get' }),
  ...acts('self_recovery', {
    check_recovery_options: 'check',
    quick_resume: 'quick',
    direct_resume_if_safe: 'quick',
    self_recovery_review: 'review',
  }),
  ...acts('agent', { resume_agent: 'resume' }),
  ...acts('report', { record_progress_pulse: 'progress' }),
  ...acts('observe', {
    observe_agent: 'agent',
    compare_agents: 'compare',
    compare_me_to_similar: 'similar',
    detect_anomalies: 'anomalies',
    aggregate_metrics: 'aggregate',
    audit_events_query: 'audit_events',
    outcome_evidence_query: 'outcome_evidence',
    bridge_summary_query: 'bridge',
  }),
  ...acts('config', { get_thresholds: 'get', set_thresholds: 'set' }),
  ...acts('admin', {
    get_workspace_health: 'workspace_health',
    debug_request_context: 'debug_context',
    get_connection_status: 'connections',
    get_tool_usage_stats: 'tool_usage',
    get_telemetry_metrics: 'telemetry',
    validate_file_path: 'validate_path',
    reset_monitor: 'reset_monitor',
    cleanup_stale_locks: 'cleanup_locks',
  }),
  ...Object.keys(NOT_OFFERED).map((name): ToolAlias => ({
    name,
    tool: 'not_offered',
    kind: 'guess',
    inject: { name },
  })),
];

/** Words for `complexity` that the aliases of the check-in accept. */
export const COMPLEXITY_WORDS: Readonly<Record<string, number>> = {
  trivial: 0.1,
  minimal: 0.1,
  low: 0.3,
  simple: 0.3,
  medium: 0.5,
  moderate: 0.5,
  high: 0.7,
  complex: 0.7,
  very_high: 0.9,
  critical: 0.9,
};
