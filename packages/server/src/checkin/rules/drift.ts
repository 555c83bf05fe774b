import type { TaskType } from '@breakwater/contract';
import { appended, changes, clamp, euclidean } from './numbers.ts';

/** What the drift vector is judged against, learned per agent (spec checkin 2.4, table core.agent_baselines). */
export interface DriftBaseline {
  readonly coherence: number;
  /** Moving average of claimed confidence: what an agent that claims nothing is taken to claim. */
  readonly confidence: number;
  readonly complexity: number;
  readonly previousCoherence: number | null;
  readonly previousConfidence: number | null;
  readonly previousComplexity: number | null;
  /** Verdicts of the last 20 check-ins, oldest first. */
  readonly decisions: readonly string[];
  /** 1 when decisions never change, less the more they do. */
  readonly consistency: number;
  readonly count: number;
  readonly alpha: number;
}

export const INITIAL_DRIFT_BASELINE: DriftBaseline = Object.freeze({
  coherence: 0.5,
  confidence: 0.6,
  complexity: 0.4,
  previousCoherence: null,
  previousConfidence: null,
  previousComplexity: null,
  decisions: Object.freeze([]),
  consistency: 0.8,
  count: 0,
  alpha: 0.1,
});

/** Four components, each 0 to 1, and their Euclidean norm. */
export interface DriftVector {
  readonly calibration: number;
  readonly complexity: number;
  readonly coherence: number;
  readonly stability: number;
  readonly norm: number;
}

interface DriftInput {
  readonly coherence: number;
  readonly confidence: number;
  readonly divergence: number;
  /** null while too few outcomes are graded to know it. */
  readonly calibrationError: number | null;
  /** How far the state moved at the update before; null or undefined when unknown. */
  readonly velocity: number | null;
  readonly task: TaskType;
}

const KEPT_DECISIONS = 20;
const INITIAL_CONSISTENCY = 0.8;
/** Updates over which the components that need a baseline are faded in. */
const FADE_IN = 5;
const SEARCHING: ReadonlySet<TaskType> = new Set(['exploration', 'introspection']);

const vectorOf = (calibration: number, complexity: number, coherence: number, stability: number): DriftVector => ({
  calibration,
  complexity,
  coherence,
  stability,
  norm: euclidean([calibration, complexity, coherence, stability]),
});

/** The wider of the distances to the baseline and to the value before. */
const departure = (value: number, baseline: number, previous: number | null): number =>
  Math.max(Math.abs(value - baseline), previous === null ? 0 : Math.abs(value - previous));

/** The drift of this update, judged against the baseline as it was before it. */
export const driftVector = (base: DriftBaseline, input: DriftInput): DriftVector => {
  let calibration =
    input.calibrationError !== null
      ? Math.min(1, Math.abs(input.calibrationError))
      : departure(input.confidence, base.confidence, base.previousConfidence);
  let complexity = Math.min(1, input.divergence);
  let coherence = departure(input.coherence, base.coherence, base.previousCoherence);
  let stability = 1 - base.consistency;
  if (base.count < FADE_IN) {
    const share = base.count / FADE_IN;
    calibration *= share;
    coherence *= share;
    stability *= share;
  }
  if (SEARCHING.has(input.task)) {
    calibration *= 0.3;
    complexity *= 0.5;
  }
  if (input.velocity !== null && input.velocity > 0.01) {
    const speed = Math.min(0.5, input.velocity);
    coherence = Math.max(coherence, 0.5 * speed);
    calibration = Math.max(calibration, 0.3 * speed);
  }
  return vectorOf(clamp(calibration), clamp(complexity), clamp(coherence), clamp(stability));
};

/**
 * Mixes in the drift that the agent itself reports: calibration, coherence and stability, in this order. A number that
 * it left out leaves its component as measured.
 */
export const blendOwnDrift = (vector: DriftVector, own: readonly number[]): DriftVector => {
  if (!(euclidean(own) > 0.01)) return vector;
  const blend = (measured: number, given: number | undefined) =>
    given === undefined ? measured : 0.7 * measured + 0.3 * Math.min(1, Math.abs(given));
  return vectorOf(
    blend(vector.calibration, own[0]),
    vector.complexity,
    blend(vector.coherence, own[1]),
    blend(vector.stability, own[2]),
  );
};

/** The baseline after it learned from this update. */
export const learnDrift = (base: DriftBaseline, input: DriftInput): DriftBaseline => {
  const agreement = 1 - input.divergence;
  const learned = (old: number, value: number) => (1 - base.alpha) * old + base.alpha * value;
  return {
    ...base,
    coherence: learned(base.coherence, input.coherence),
    confidence: learned(base.confidence, input.confidence),
    complexity: learned(base.complexity, agreement),
    previousCoherence: input.coherence,
    previousConfidence: input.confidence,
    previousComplexity: agreement,
    count: base.count + 1,
  };
};

/** The baseline after a decision: the decision joins the last twenty and moves the consistency. */
export const learnDecision = (base: DriftBaseline, decision: string): DriftBaseline => {
  const decisions = appended(base.decisions, decision, KEPT_DECISIONS);
  const n = decisions.length;
  const consistency = n < 2 ? INITIAL_CONSISTENCY : 0.3 * (1 - changes(decisions) / (n - 1)) + 0.7 * base.consistency;
  return { ...base, decisions, consistency };
};
