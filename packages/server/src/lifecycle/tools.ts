import type { Tool } from '../runtime/index.ts';
import { agentTool } from './agent-tool.ts';
import { operatorResumeTool, selfRecoveryTool } from './recovery-tools.ts';
import type { Lifecycle } from './service.ts';
import { orphanTool, stuckTool } from './sweep-tools.ts';

/** The tools of lifecycle. `isStable`: no resolution about the agent is being carried out (W3-9.20). */
export const lifecycleTools = (service: Lifecycle, isStable: (agentId: string) => boolean): Tool[] => [
  agentTool(service, isStable),
  operatorResumeTool(service),
  selfRecoveryTool(service),
  stuckTool(service),
  orphanTool(service),
];
