import type * as contract from '@breakwater/contract';

type Contract = typeof contract;

/** The tools of the contract, by the names that they are called by; the last four are those that agents learn. */
interface Tools {
  readonly agent: Contract['agent'];
  readonly archive_orphan_agents: Contract['archiveOrphanAgents'];
  readonly bind_session: Contract['bindSession'];
  readonly calibration: Contract['calibration'];
  readonly describe_tool: Contract['describeTool'];
  readonly detect_stuck_agents: Contract['detectStuckAgents'];
  readonly dialectic: Contract['dialectic'];
  readonly get_governance_metrics: Contract['getGovernanceMetrics'];
  readonly get_server_info: Contract['getServerInfo'];
  readonly health_check: Contract['healthCheck'];
  readonly identity: Contract['identity'];
  readonly knowledge: Contract['knowledge'];
  readonly list_tools: Contract['listTools'];
  readonly onboard: Contract['onboard'];
  readonly operator_resume_agent: Contract['operatorResumeAgent'];
  readonly outcome_event: Contract['outcomeEvent'];
  readonly process_agent_update: Contract['processAgentUpdate'];
  readonly self_recovery: Contract['selfRecovery'];
  readonly simulate_update: Contract['simulateUpdate'];
  readonly check_working_state: Contract['getGovernanceMetrics'];
  readonly record_result: Contract['outcomeEvent'];
  readonly start_session: Contract['onboard'];
  readonly sync_state: Contract['processAgentUpdate'];
}

export type ToolName = keyof Tools;

/** The arguments that a tool takes; any, for a name that is not listed. */
export type ToolArguments<N extends string> = N extends ToolName
  ? Tools[N]['input']['_zod']['input']
  : Readonly<Record<string, unknown>>;

/** A tool of the contract, or any other name; written so that editors still offer the known ones. */
export type AnyTool = ToolName | (string & {});
