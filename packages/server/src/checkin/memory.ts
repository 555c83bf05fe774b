import type { MemoryCodec } from '../agents/index.ts';
import { decodeEvidence, freshEvidence, type OutcomeEvidence } from '../outcomes/index.ts';
import { decodeScoring, initialScoring, type ScoringState } from './rules/state.ts';

/** What is remembered about an agent between calls; all of it comes back from PostgreSQL, but for the cool-down. */
export interface Memory {
  readonly scoring: ScoringState;
  readonly evidence: OutcomeEvidence;
  /**
   * Clock time in ms until which a loop is refused without looking again. A restart forgets it and finds the same loop
   * in the same stored updates.
   */
  readonly cooldownUntil: number;
}

/** Memory from the newest state row, the drift baseline and what outcomes taught (spec checkin, section 4). */
export const memoryCodec: MemoryCodec<Memory> = {
  fresh: () => ({ scoring: initialScoring, evidence: freshEvidence, cooldownUntil: 0 }),
  restore: ({ state, drift, evidence }) => ({
    scoring: state === null ? initialScoring : decodeScoring(state['scoring'], drift),
    evidence: Object.keys(evidence).length === 0 ? freshEvidence : decodeEvidence(evidence),
    cooldownUntil: 0,
  }),
};
