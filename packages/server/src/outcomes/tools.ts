import { outcomeEvent } from '@breakwater/contract/tools';
import { defineTool, type Evidence, type Tool } from '../runtime/index.ts';
import type { Outcomes } from './service.ts';

const DOWNGRADED =
  'verification_source was taken for agent_reported_tool_result: what an agent says of its own evidence adds no weight';

/** The tools of outcomes. */
export const outcomeTools = (outcomes: Outcomes, sessionKeyOf: (evidence: Evidence) => string | null): Tool[] => [
  defineTool(
    outcomeEvent,
    async ({ args, caller, evidence, deadline }) =>
      outcomes.record({
        agentId: caller.agentId,
        args,
        sessionKey: sessionKeyOf(evidence),
        deadline,
        ...(args.verification_source !== 'agent_reported_tool_result' && { notes: [DOWNGRADED] }),
      }),
    { checksAtCommit: true },
  ),
];
