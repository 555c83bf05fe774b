import type { ToolAlias } from './tool-spec.ts';

const guesses = (tool: string, names: readonly string[]): ToolAlias[] =>
  names.map((name) => ({ name, tool, kind: 'guess' }));

/** Every other name of a tool, as data (spec surface 1.3 and 1.4). */
export const ALIASES: readonly ToolAlias[] = [
  { name: 'start_session', tool: 'onboard', kind: 'workflow' },
  { name: 'sync_state', tool: 'process_agent_update', kind: 'workflow', complexityWords: true },
  { name: 'check_working_state', tool: 'get_governance_metrics', kind: 'workflow' },
  { name: 'record_result', tool: 'outcome_event', kind: 'workflow' },
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
