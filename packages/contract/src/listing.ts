/** How the default `tools/list` shows a name: what it does, and the arguments that matter, without words about them. */
interface BriefListing {
  readonly says: string;
  readonly takes: readonly string[];
}

/**
 * Names that the default `tools/list` shows in brief. An MCP host can call only what is listed, so every name that our
 * refusals and guides mention stands here or is advertised; whole, they would fill a model's context. describe_tool tells
 * the rest, and every other argument is taken all the same.
 */
export const BRIEF: Readonly<Record<string, BriefListing>> = {
  onboard: {
    says: 'The same as start_session.',
    takes: ['name', 'force_new', 'parent_agent_id'],
  },
  bind_session: { says: 'Ties this MCP session to an agent that has a secret.', takes: ['resume'] },
  agent: {
    says: 'Agents: list, get, update, archive, pause, resume, delete.',
    takes: ['action', 'target_agent_id', 'status_filter', 'limit', 'tags', 'notes', 'reason', 'force', 'confirm'],
  },
  self_recovery: {
    says: 'Whether a paused agent may go on by itself, and how.',
    takes: ['action', 'reflection', 'conditions'],
  },
  request_review: {
    says: 'A paused agent asks for a review.',
    takes: ['reason', 'root_cause', 'proposed_conditions'],
  },
  dialectic: {
    says: 'Reviews: list, get, request, thesis, antithesis, synthesis, reassign, quick.',
    takes: [
      'action',
      'session_id',
      'reasoning',
      'root_cause',
      'proposed_conditions',
      'concerns',
      'agrees',
      'proposed_action',
      'reason',
    ],
  },
  knowledge: {
    says: 'Findings that agents share, by action.',
    takes: ['action', 'query', 'discovery_id', 'summary', 'tags', 'limit'],
  },
  search_shared_memory: {
    says: 'Searches the findings of all agents; without query, the newest.',
    takes: ['query', 'tags', 'limit'],
  },
  store_finding: {
    says: 'Stores what other agents should know.',
    takes: ['summary', 'details', 'discovery_type', 'severity', 'tags'],
  },
  update_finding: {
    says: 'Changes or closes a finding.',
    takes: ['discovery_id', 'status', 'resolution_notes'],
  },
  leave_note: { says: 'Stores a note.', takes: ['summary', 'tags'] },
  detect_stuck_agents: { says: 'Agents that fell silent.', takes: ['timeout_minutes'] },
  archive_orphan_agents: {
    says: 'Operators: agents that nobody went on with.',
    takes: ['dry_run', 'max_age_hours'],
  },
  operator_resume_agent: {
    says: 'Operators: makes a paused agent active.',
    takes: ['target_agent_id', 'reason', 'force'],
  },
  observe: {
    says: 'The fleet now: one agent, compared, similar, anomalies, aggregate.',
    takes: ['action', 'target_agent_id', 'agent_ids', 'limit'],
  },
  config: { says: 'The thresholds of check-ins.', takes: ['action'] },
};
