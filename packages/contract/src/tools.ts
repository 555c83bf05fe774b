/** The tools, with the schemas of what they take and answer. */
import type { ToolSpec } from './tool-spec.ts';
import { calibration } from './tools/calibration.ts';
import { getGovernanceMetrics, outcomeEvent, processAgentUpdate, simulateUpdate } from './tools/core.ts';
import { dialectic } from './tools/dialectic.ts';
import { describeTool, getServerInfo, healthCheck, listTools } from './tools/discovery.ts';
import { admin, config, notices, notOffered, observe, report } from './tools/fleet.ts';
import { flags } from './tools/flags.ts';
import { bindSession, identity, onboard } from './tools/identity.ts';
import { knowledge } from './tools/knowledge.ts';
import { agent, archiveOrphanAgents, detectStuckAgents, operatorResumeAgent, selfRecovery } from './tools/lifecycle.ts';
import { operators, saga } from './tools/operator.ts';

export { calibration } from './tools/calibration.ts';
export { calibrationCheck } from './tools/calibration-answer.ts';
export { timeText } from './tools/common.ts';
export { getGovernanceMetrics, outcomeEvent, processAgentUpdate, simulateUpdate } from './tools/core.ts';
export { dialectic } from './tools/dialectic.ts';
export { describeTool, getServerInfo, healthCheck, listTools } from './tools/discovery.ts';
export { externalOutcome } from './tools/external-outcome.ts';
export { admin, config, notices, notOffered, observe, report } from './tools/fleet.ts';
export { flags } from './tools/flags.ts';
export { bindSession, identity, onboard } from './tools/identity.ts';
export { knowledge } from './tools/knowledge.ts';
export { agent, archiveOrphanAgents, detectStuckAgents, operatorResumeAgent, selfRecovery } from './tools/lifecycle.ts';
export { operators, saga } from './tools/operator.ts';
export { externalOutcomeAnswer } from './tools/outcome-answer.ts';

/** Every tool, by the name that it is called by. */
export const TOOLS = {
  onboard,
  identity,
  bind_session: bindSession,
  process_agent_update: processAgentUpdate,
  simulate_update: simulateUpdate,
  get_governance_metrics: getGovernanceMetrics,
  outcome_event: outcomeEvent,
  calibration,
  knowledge,
  dialectic,
  self_recovery: selfRecovery,
  agent,
  operator_resume_agent: operatorResumeAgent,
  detect_stuck_agents: detectStuckAgents,
  archive_orphan_agents: archiveOrphanAgents,
  flags,
  saga,
  operators,
  list_tools: listTools,
  describe_tool: describeTool,
  health_check: healthCheck,
  get_server_info: getServerInfo,
  report,
  notices,
  observe,
  config,
  admin,
  not_offered: notOffered,
} as const satisfies Readonly<Record<string, ToolSpec>>;

export type ToolName = keyof typeof TOOLS;
