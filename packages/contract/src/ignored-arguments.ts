const CHECK_IN = ['auto_export_on_significance'] as const;

/**
 * Arguments of the reference's tools that have no meaning here and may be sent all the same, by tool; `*` are those that
 * any of its calls may bring. A name in neither list, nor an argument, is refused: it is misspelt, and what it was to say
 * would be lost without a word.
 */
export const IGNORED_ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  '*': [
    'agent_id',
    'agent_name',
    'agent_uuid',
    'api_key',
    'client_hint',
    'client_session_id',
    'continuity_token',
    'lite',
    'lite_response',
    'model_type',
    'response_mode',
  ],
  admin: ['detail', 'dry_run', 'file_path', 'include_calibration', 'max_age_seconds', 'tool_name', 'window_hours'],
  agent: ['grouped', 'include_metrics', 'loaded_only', 'standardized', 'summary_only'],
  calibration: ['max_decisions', 'min_age_hours'],
  config: ['thresholds', 'validate'],
  detect_stuck_agents: ['auto_resolve'],
  dialectic: ['check_timeout', 'reviewer_provenance', 'take_over_if_requested', 'takeover_reason', 'vote'],
  identity: ['force_new', 'resume'],
  knowledge: [
    'comparison_key',
    'include_summary_only',
    'memory_context',
    'min_similarity',
    'task_label',
    'task_outcome',
    'use_llm',
    'use_model',
  ],
  notices: ['action', 'type'],
  observe: [
    'analyze_patterns',
    'compare_metrics',
    'corroboration_grade',
    'diagnostic',
    'event_type',
    'event_types',
    'include_detail',
    'include_events',
    'include_history',
    'include_test_fixtures',
    'low_weight_threshold',
    'min_completions',
    'outcome_type',
    'since',
    'until',
  ],
  process_agent_update: CHECK_IN,
  // Whoever asks for a decision first sends what it would then check in with.
  simulate_update: [
    ...CHECK_IN,
    'comparison_key',
    'epistemic_class',
    'idempotency_key',
    'logprobs',
    'memory_context',
    'provenance_context',
    'require_strong_identity',
    'task_label',
    'task_outcome',
    'trajectory_signature',
  ],
};
