import { encodeEvidence, withResetClaims, type OutcomeEvidence } from './rules/evidence.ts';
import type { AgentMemory } from '../agents/index.ts';

declare module '../agents/memory.ts' {
  interface AgentMemory {
    readonly evidence: OutcomeEvidence;
  }
}

/**
 * Settles what the claims detector holds against an agent, as every end of a pause does: otherwise its next check-in would
 * pause it again. Returns the new memory and the part of it to persist.
 */
export const settleClaims = (
  memory: AgentMemory,
): { readonly memory: AgentMemory; readonly evidence: ReturnType<typeof encodeEvidence> } => {
  const evidence = withResetClaims(memory.evidence);
  return { memory: { ...memory, evidence }, evidence: encodeEvidence(evidence) };
};
