import type { MemoryCodec } from '../agents/index.ts';
import { decodeEvidence, encodeEvidence, freshEvidence, resetClaims, type OutcomeEvidence } from '../outcomes/index.ts';
import type { Loop } from './rules/loop.ts';
import { decodeScoring, initialScoring, type ScoringState } from './rules/state.ts';

/** What is remembered about an agent between calls; all of it comes back from PostgreSQL, but for the loop. */
export interface Memory {
  readonly scoring: ScoringState;
  readonly evidence: OutcomeEvidence;
  /**
   * The loop that was found last. While it lasts it is refused without looking again, so that it leaves one record; a
   * restart forgets it and finds the same loop in the same stored updates.
   */
  readonly loop: Loop | null;
}

/** Memory from the newest state row, the drift baseline and what outcomes taught (spec checkin, section 4). */
export const memoryCodec: MemoryCodec<Memory> = {
  fresh: () => ({ scoring: initialScoring, evidence: freshEvidence, loop: null }),
  restore: ({ state, drift, evidence }) => ({
    scoring: state === null ? initialScoring : decodeScoring(state['scoring'], drift),
    evidence: Object.keys(evidence).length === 0 ? freshEvidence : decodeEvidence(evidence),
    loop: null,
  }),
};

/**
 * Settles what the claims detector holds against an agent, as every end of a pause does: it starts a new account, and
 * would be paused again by its next check-in otherwise. Gives the memory after it, and what of it is stored.
 */
export const settleClaims = (
  memory: Memory,
): { readonly memory: Memory; readonly evidence: ReturnType<typeof encodeEvidence> } => {
  const evidence = resetClaims(memory.evidence);
  return { memory: { ...memory, evidence }, evidence: encodeEvidence(evidence) };
};
