import { ok, refuse } from '@breakwater/contract';
import { getGovernanceMetrics, processAgentUpdate, simulateUpdate } from '@breakwater/contract/tools';
import type { AgentHead, Hold } from '../agents/index.ts';
import { defineTool, type CallOf, type Evidence, type Tool } from '../runtime/index.ts';
import type { CheckIns, ReviewWaiting } from './service.ts';
import { vitalsView } from './vitals.ts';

/** The tools of the check-in: the update, its simulation, and the agent's reading of itself. */
export const checkInTools = (options: {
  checkIns: CheckIns;
  sessionKeyOf: (evidence: Evidence) => string | null;
  findAgent: (agentId: string) => Promise<AgentHead | undefined>;
  /** What holds an agent now. */
  holdOf: (head: AgentHead) => Promise<Hold | undefined>;
  /** No resolution about the agent is being carried out (W3-9.20). */
  isStable: (agentId: string) => boolean;
  /** A review that waits for the agent's answer, as it is told. */
  reviewFor: (agentId: string) => ReviewWaiting | undefined;
}): Tool[] => {
  const bound = ({
    caller,
    evidence,
    deadline,
  }: Pick<CallOf<typeof simulateUpdate>, 'caller' | 'evidence' | 'deadline'>) => ({
    agentId: caller.agentId,
    assurance: caller.assurance,
    sessionKey: options.sessionKeyOf(evidence),
    deadline,
  });
  return [
    defineTool(processAgentUpdate, async (call) => options.checkIns.checkIn({ args: call.args, ...bound(call) }), {
      checksAtCommit: true,
    }),
    defineTool(simulateUpdate, async (call) => options.checkIns.simulate({ args: call.args, ...bound(call) })),
    defineTool(getGovernanceMetrics, async ({ caller }) => {
      if (caller.agentId === undefined) {
        return ok({
          status: 'unbound',
          metrics: null,
          hint: 'Send client_session_id to read your own state; onboard gives one.',
        });
      }
      const head = await options.findAgent(caller.agentId);
      if (head === undefined) return refuse('AGENT_NOT_FOUND', `No agent ${caller.agentId}.`);
      const review = options.reviewFor(head.agentId);
      return ok({
        ...vitalsView(head, await options.holdOf(head), options.checkIns.now),
        is_stable: options.isStable(head.agentId),
        ...(review !== undefined && { review_waiting: review }),
      });
    }),
  ];
};
