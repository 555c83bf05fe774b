import {
  accept,
  getGovernanceMetrics,
  processAgentUpdate,
  refuse,
  simulateUpdate,
  type Outcome,
} from '@breakwater/contract';
import type { AgentHead, Hold } from '../agents/index.ts';
import { defineTool, type Evidence, type Tool, type ToolCall } from '../runtime/index.ts';
import type { BoundCall, CheckIns } from './service.ts';
import { vitalsView } from './vitals.ts';

type AnyCall<A> = Pick<ToolCall<A>, 'args' | 'caller' | 'evidence' | 'deadline'>;

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
  reviewFor: (agentId: string) => Readonly<Record<string, unknown>> | undefined;
}): Tool[] => {
  /** The chain lets no unbound caller through to a tool that needs identity; this says so to the compiler. */
  const bound = <A>({ args, caller, evidence, deadline }: AnyCall<A>): Outcome<BoundCall<A>> => {
    const { agentId, assurance } = caller;
    if (agentId === undefined) return refuse('IDENTITY_REQUIRED', 'The call carries no proof of an identity.');
    const sessionKey = options.sessionKeyOf(evidence);
    return accept({ args, agentId, assurance, sessionKey, deadline });
  };
  return [
    defineTool(
      processAgentUpdate,
      async (call) => {
        const update = bound(call);
        return update.ok ? options.checkIns.checkIn(update.value) : update;
      },
      { checksAtCommit: true },
    ),
    defineTool(simulateUpdate, async (call) => {
      const update = bound(call);
      return update.ok ? options.checkIns.simulate(update.value) : update;
    }),
    defineTool(getGovernanceMetrics, async ({ caller }) => {
      if (caller.agentId === undefined) {
        return accept({
          status: 'unbound',
          metrics: null,
          hint: 'Send client_session_id to read your own state; onboard gives one.',
        });
      }
      const head = await options.findAgent(caller.agentId);
      if (head === undefined) return refuse('AGENT_NOT_FOUND', `No agent ${caller.agentId}.`);
      const review = options.reviewFor(head.agentId);
      return accept({
        ...vitalsView(head, await options.holdOf(head), options.checkIns.now),
        is_stable: options.isStable(head.agentId),
        ...(review !== undefined && { review_waiting: review }),
      });
    }),
  ];
};
