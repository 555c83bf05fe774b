import type { TaskType } from '@breakwater/contract';
import { derivedComplexity, toolComplexity, withTaskFloor, type ToolStatistics } from './complexity.ts';
import { clamp } from './numbers.ts';
import type { TextFeatures } from './text-features.ts';

interface ContinuityInput {
  readonly features: TextFeatures;
  readonly task: TaskType;
  /** As reported, 0 to 1; undefined when the agent said nothing. */
  readonly complexity: number | undefined;
  /** As reported, 0 to 1; undefined when the agent claimed nothing, which is neither too much nor too little. */
  readonly confidence: number | undefined;
  /** Seconds since the last check-in; undefined when there was none or the clock went back. */
  readonly secondsSinceLast: number | undefined;
  readonly sameSession: boolean;
  readonly tools: ToolStatistics | undefined;
  /** Derived complexity of the check-in before, if there was one. */
  readonly earlierDerived: number | null;
}

/** How what an agent says about its work fits the work it shows (spec checkin 2.3). All numbers 0 to 1. */
export interface Continuity {
  readonly derivedComplexity: number;
  readonly divergence: number;
  readonly overConfident: boolean;
  readonly underConfident: boolean;
  readonly E_input: number;
  readonly I_input: number;
  readonly S_input: number;
  readonly complexityDefaulted: boolean;
  readonly E_inputClipped: boolean;
  /** The text shows no structure at all, so little can be told from it. */
  readonly degenerate: boolean;
}

/** Divergence assumed when the agent reported no complexity. */
const ASSUMED_DIVERGENCE = 0.2;

export const continuity = (input: ContinuityInput): Continuity => {
  const { features: f, complexity, confidence, secondsSinceLast, tools } = input;
  const textual = withTaskFloor(derivedComplexity(f), input.task);
  const first = complexity === undefined ? ASSUMED_DIVERGENCE : Math.abs(textual - complexity);
  const pace =
    secondsSinceLast !== undefined && secondsSinceLast > 0
      ? f.tokens / secondsSinceLast / 200
      : 0.5 + (0.3 * f.tokens) / 1000;

  let derived = textual;
  let divergence = first;
  if (tools !== undefined) {
    const shown = toolComplexity(tools);
    derived = 0.7 * textual + 0.3 * shown;
    if (complexity !== undefined) {
      const gap = Math.abs(shown - complexity);
      if (gap > 0.3 && first > 0.2) divergence = Math.max(first, (first + gap) / 2);
    }
  }
  if (complexity === undefined && input.earlierDerived !== null) {
    divergence = Math.min(1, Math.abs(derived - input.earlierDerived));
  }

  return {
    derivedComplexity: derived,
    divergence,
    overConfident: confidence !== undefined && confidence > 0.8 && textual > 0.6,
    underConfident: confidence !== undefined && confidence < 0.3 && textual < 0.3,
    E_input: clamp(pace, 0.3, 1),
    I_input: 1 - first,
    S_input: clamp(0.1 + 0.5 * first + (input.sameSession ? 0 : 0.1) + (complexity === undefined ? 0.1 : 0)),
    complexityDefaulted: complexity === undefined,
    E_inputClipped: !(pace > 0.3 && pace < 1),
    degenerate:
      f.codeBlocks === 0 && f.listItems === 0 && f.paragraphs <= 1 && f.questions === 0 && f.tools.length === 0,
  };
};
