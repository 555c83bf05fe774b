import { outcomeEvent, refuse } from '@breakwater/contract';
import { defineTool, type Evidence, type Tool } from '../runtime/index.ts';
import type { Outcomes, WithEvidence } from './service.ts';

/** The tools of outcomes. */
export const outcomeTools = <M extends WithEvidence>(
  outcomes: Outcomes<M>,
  sessionKeyOf: (evidence: Evidence) => string | null,
): Tool[] => [
  defineTool(outcomeEvent, async ({ args, caller, evidence, deadline }) =>
    caller.agentId === undefined
      ? refuse('IDENTITY_REQUIRED', 'The call carries no proof of an identity.')
      : outcomes.record({ agentId: caller.agentId, args, sessionKey: sessionKeyOf(evidence), deadline }),
  ),
];
