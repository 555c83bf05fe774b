import { clamp, mean } from './numbers.ts';
import type { Eisv } from './behaviour.ts';

/**
 * Update coherence ρ, −1 to 1: whether energy and integrity moved together at the last update (spec checkin 2.8).
 */
export const updateCoherence = (deltaE: number, deltaI: number): number =>
  clamp((deltaE * deltaI) / ((Math.abs(deltaE) + 1e-8) * (Math.abs(deltaI) + 1e-8)), -1, 1);

/** A past state and the verdict it got; null while the verdict is still to come. */
export interface JudgedState extends Eisv {
  readonly decision: string | null;
}

const WINDOW = 10;

/** Continuity energy: how restless the last ten states and their verdicts were; 0 with fewer than two. */
export const continuityEnergy = (history: readonly JudgedState[]): number => {
  const recent = history.slice(-WINDOW);
  if (recent.length < 2) return 0;
  const moves: number[] = [];
  let turns = 0;
  for (let i = 1; i < recent.length; i += 1) {
    const now = recent[i];
    const before = recent[i - 1];
    if (now === undefined || before === undefined) continue;
    moves.push(
      Math.abs(now.E - before.E) + Math.abs(now.I - before.I) + Math.abs(now.S - before.S) + Math.abs(now.V - before.V),
    );
    if (now.decision !== null && before.decision !== null && now.decision !== before.decision) turns += 1;
  }
  return 0.6 * mean(moves) + 0.4 * (turns / moves.length);
};
