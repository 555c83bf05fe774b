import type { MemoryCodec } from '../agents/index.ts';
import { decodeEvidence, freshEvidence } from '../outcomes/index.ts';
import type { Loop } from './rules/loop.ts';
import { decodeScoring, initialScoring, type ScoringState } from './rules/state.ts';

declare module '../agents/memory.ts' {
  interface AgentMemory {
    readonly scoring: ScoringState;
    /**
     * The loop that was found last. While it lasts it is refused without looking again, so that it leaves one record; a
     * restart forgets it and finds the same loop in the same stored updates.
     */
    readonly loop: Loop | null;
  }
}

/** Memory from the newest state row, the drift baseline and what outcomes taught (spec checkin, section 4). */
export const memoryCodec: MemoryCodec = {
  restore: ({ state, drift, evidence }) => ({
    scoring: state === null ? initialScoring : decodeScoring(state['scoring'], drift),
    evidence: Object.keys(evidence).length === 0 ? freshEvidence : decodeEvidence(evidence),
    loop: null,
  }),
};
