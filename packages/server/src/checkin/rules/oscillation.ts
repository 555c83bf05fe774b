import type { VerdictWord } from '@breakwater/contract';
import { appended, changes } from './numbers.ts';
import { RISK_EDGE } from './margin.ts';

/** What the detector remembers of the updates before. */
export interface OscillationState {
  /** Smoothed sum of the threshold crossings of risk and coherence, up counted as +2 and down as −2. */
  readonly index: number;
  /** Side of the threshold at the update before: 1 at or above, −1 below, 0 when there was none. */
  readonly riskSide: -1 | 0 | 1;
  readonly coherenceSide: -1 | 0 | 1;
  /** Verdict words of the last 8 updates, oldest first. */
  readonly routes: readonly string[];
}

export interface Oscillation {
  readonly index: number;
  /** Changes of verdict within the window. */
  readonly flips: number;
  readonly resonant: boolean;
  readonly trigger: 'index' | 'flips' | null;
}

export const INITIAL_OSCILLATION: OscillationState = Object.freeze({
  index: 0,
  riskSide: 0,
  coherenceSide: 0,
  routes: Object.freeze([]),
});

const COHERENCE_EDGE = 0.4;
const SMOOTHING = 0.3;
const WINDOW = 8;
const INDEX_LIMIT = 3;
const FLIP_LIMIT = 3;

const crossing = (before: -1 | 0 | 1, now: -1 | 1): number => (before === 0 ? 0 : now - before);

/** Watches whether the judgement swings to and fro (spec checkin 2.11). */
export const oscillate = (
  state: OscillationState,
  input: { readonly risk: number; readonly coherence: number; readonly route: VerdictWord },
): { readonly state: OscillationState; readonly reading: Oscillation } => {
  const riskSide = input.risk >= RISK_EDGE ? 1 : -1;
  const coherenceSide = input.coherence >= COHERENCE_EDGE ? 1 : -1;
  const crossed = crossing(state.riskSide, riskSide) + crossing(state.coherenceSide, coherenceSide);
  const index = (1 - SMOOTHING) * state.index + SMOOTHING * crossed + 0;
  const routes = appended(state.routes, input.route, WINDOW);
  const flips = changes(routes);
  const trigger = Math.abs(index) >= INDEX_LIMIT ? 'index' : flips >= FLIP_LIMIT ? 'flips' : null;
  return {
    state: { index, riskSide, coherenceSide, routes },
    reading: { index, flips, resonant: trigger !== null, trigger },
  };
};
