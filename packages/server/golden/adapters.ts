import type { TaskType } from '@breakwater/contract';
import { anomalyEntropy, freshStats, learn, type Signals } from '../src/baselines/stats.ts';
import { assess } from '../src/checkin/rules/assessment.ts';
import { basinOf } from '../src/checkin/rules/basin.ts';
import {
  advance,
  baselineConfidence,
  confidenceOf,
  deviations,
  INITIAL_BEHAVIOUR,
  isBaselined,
  phaseOf,
  trend,
  type Behaviour,
  type Dimension,
  type Eisv,
} from '../src/checkin/rules/behaviour.ts';
import { derivedComplexity, toolComplexity } from '../src/checkin/rules/complexity.ts';
import { continuity } from '../src/checkin/rules/continuity.ts';
import { driftVector, INITIAL_DRIFT_BASELINE, learnDecision, learnDrift } from '../src/checkin/rules/drift.ts';
import { observe } from '../src/checkin/rules/observations.ts';
import { INITIAL_OSCILLATION, oscillate } from '../src/checkin/rules/oscillation.ts';
import { continuityEnergy, updateCoherence, type JudgedState } from '../src/checkin/rules/reflexive.ts';
import { readRegime } from '../src/checkin/rules/regime.ts';
import { textFeatures } from '../src/checkin/rules/text-features.ts';
import { voidThreshold } from '../src/checkin/rules/void-threshold.ts';
import { single, type Adapter } from './adapter.ts';
import { DIALECTIC_ADAPTERS } from './dialectic.ts';

/** An adapter for cases of steps that are applied in order to one fresh state. */
const stepped = <State>(
  start: State,
  apply: (state: State, step: never) => { state: State; got: unknown; expected: unknown },
): Adapter => ({
  tolerance: 1e-9,
  run(vector) {
    const { steps } = vector as { readonly steps: readonly never[] };
    let state = start;
    return steps.map((step, i) => {
      const applied = apply(state, step);
      state = applied.state;
      return { at: `step ${i}`, got: applied.got, expected: applied.expected };
    });
  },
});

const perDimension = (of: (dimension: Dimension) => number): Eisv => ({
  E: of('E'),
  I: of('I'),
  S: of('S'),
  V: of('V'),
});

interface AssessmentInput {
  readonly observations: readonly (readonly [number, number, number])[];
  readonly override_current: Partial<Eisv> | null;
  readonly rho: number;
  readonly continuity_energy: number;
  readonly task_type: TaskType;
}

interface ContinuityVector {
  readonly text: string;
  readonly latency_ms: number | null;
  readonly same_session: boolean;
  readonly complexity: number | null;
  readonly confidence: number | null;
  readonly task_type: TaskType;
}

interface DriftStep {
  readonly input: {
    readonly current_coherence: number;
    readonly current_confidence: number;
    readonly complexity_divergence: number;
    readonly calibration_error: number | null;
    readonly decision: string | null;
    readonly state_velocity: number | null;
    readonly task_context: TaskType;
  };
  readonly expected: unknown;
}

interface ObservationVector {
  readonly decision_history: readonly string[];
  readonly coherence_history: readonly number[];
  readonly regime_history: readonly string[];
  readonly calibration_error: number | null;
  readonly drift_norm: number | null;
  readonly complexity_divergence: number | null;
  readonly continuity_E_input: number | null;
  readonly continuity_I_input: number | null;
  readonly continuity_S_input: number | null;
  readonly outcome_history: readonly { readonly is_bad: boolean; readonly outcome_score: number | null }[] | null;
  readonly tool_error_rate: number | null;
  readonly tool_call_velocity: number | null;
  readonly unique_tools_ratio: number | null;
}

interface ToolVector {
  readonly unique_tools: number;
  readonly total_calls: number;
  readonly error_rate: number;
  readonly files_modified: number;
}

interface OscillationStep {
  readonly input: {
    readonly coherence: number;
    readonly risk: number;
    readonly route: 'safe' | 'caution' | 'high-risk';
  };
  readonly expected: unknown;
}

interface RegimeStep extends Eisv {
  readonly previous: { readonly S: number; readonly I: number } | null;
  readonly expected: string;
}

interface BehaviourStep extends Eisv {
  readonly obs: readonly [number, number, number];
}

const advanced = (state: Behaviour, [E, I, S]: readonly [number, number, number]) => advance(state, { E, I, S });

/** By the `schema` that a vector file carries. A group without an adapter is an error, never a silent pass. */
export const ADAPTERS: Readonly<Record<string, Adapter>> = {
  ...DIALECTIC_ADAPTERS,
  'checkin.text_features.v1': single(({ text }: { text: string }) => {
    const f = textFeatures(text);
    return {
      tokens: f.tokens,
      chars: f.chars,
      has_code: f.codeBlocks > 0,
      code_blocks: f.codeBlocks,
      list_items: f.listItems,
      paragraphs: f.paragraphs,
      questions: f.questions,
      topic_hash: f.topicHash,
      tools: f.tools,
    };
  }),
  'checkin.derived_complexity.v1': single(({ text }: { text: string }) => derivedComplexity(textFeatures(text))),
  'checkin.tool_complexity.v1': single((t: ToolVector) =>
    toolComplexity({
      uniqueTools: t.unique_tools,
      totalCalls: t.total_calls,
      errorRate: t.error_rate,
      filesModified: t.files_modified,
    }),
  ),
  'checkin.continuity.v1': single((v: ContinuityVector) => {
    const c = continuity({
      features: textFeatures(v.text),
      task: v.task_type,
      complexity: v.complexity ?? undefined,
      confidence: v.confidence ?? undefined,
      secondsSinceLast: v.latency_ms === null ? undefined : v.latency_ms / 1000,
      sameSession: v.same_session,
      tools: undefined,
      earlierDerived: null,
    });
    return {
      derived_complexity: c.derivedComplexity,
      complexity_divergence: c.divergence,
      overconfidence_signal: c.overConfident,
      underconfidence_signal: c.underConfident,
      E_input: c.E_input,
      I_input: c.I_input,
      S_input: c.S_input,
      self_complexity_defaulted: c.complexityDefaulted,
      E_input_clipped: c.E_inputClipped,
      continuity_degenerate: c.degenerate,
    };
  }),
  'checkin.drift.v1': stepped(INITIAL_DRIFT_BASELINE, (before, { input: v, expected }: DriftStep) => {
    const input = {
      coherence: v.current_coherence,
      confidence: v.current_confidence,
      divergence: v.complexity_divergence,
      calibrationError: v.calibration_error,
      velocity: v.state_velocity,
      task: v.task_context,
    };
    const vector = driftVector(before, input);
    const learned = learnDrift(before, input);
    const state = v.decision === null ? learned : learnDecision(learned, v.decision);
    const got = {
      vector: [vector.calibration, vector.complexity, vector.coherence, vector.stability],
      norm: vector.norm,
      baseline: {
        baseline_coherence: state.coherence,
        baseline_confidence: state.confidence,
        baseline_complexity: state.complexity,
        prev_coherence: state.previousCoherence,
        prev_confidence: state.previousConfidence,
        prev_complexity: state.previousComplexity,
        recent_decisions: state.decisions,
        decision_consistency: state.consistency,
        update_count: state.count,
        alpha: state.alpha,
      },
    };
    return { state, got, expected };
  }),
  'checkin.observations.v1': single((v: ObservationVector) =>
    observe({
      decisions: v.decision_history,
      coherences: v.coherence_history,
      regimes: v.regime_history,
      calibrationError: v.calibration_error,
      driftNorm: v.drift_norm,
      divergence: v.complexity_divergence,
      E_input: v.continuity_E_input,
      I_input: v.continuity_I_input,
      S_input: v.continuity_S_input,
      outcomes: (v.outcome_history ?? []).map((o) => ({ isBad: o.is_bad, score: o.outcome_score })),
      toolErrorRate: v.tool_error_rate,
      callsPerMinute: v.tool_call_velocity,
      uniqueToolsRatio: v.unique_tools_ratio,
    }),
  ),
  'checkin.state_sequence.v1': stepped(INITIAL_BEHAVIOUR, (before, { obs, ...expected }: BehaviourStep) => {
    const state = advanced(before, obs);
    const got = {
      ...perDimension((dimension) => state[dimension]),
      confidence: confidenceOf(state.count),
      baseline_confidence: baselineConfidence(state.count),
      baselined: isBaselined(state.count),
      phase: phaseOf(state.count),
      deviation: deviations(state),
      trend: perDimension((dimension) => trend(state.history[dimension])),
    };
    return { state, got, expected };
  }),
  'checkin.assessment.v1': single((v: AssessmentInput) => {
    const observed = v.observations.reduce(advanced, INITIAL_BEHAVIOUR);
    const state = { ...observed, ...v.override_current };
    const {
      risk,
      verdict,
      health,
      components,
      updateCoherence: coherence,
    } = assess(state, v.rho, v.continuity_energy, v.task_type);
    return { risk, verdict, health, components, coherence };
  }, 1e-4),
  'checkin.reflexive.v1': single((v: { delta_E: number; delta_I: number; history: readonly JudgedState[] }) => ({
    rho: updateCoherence(v.delta_E, v.delta_I),
    continuity_energy: continuityEnergy(v.history),
  })),
  'checkin.regime.v1': stepped(0, (calm, step: RegimeStep) => {
    const reading = readRegime(calm, step, step.previous ?? undefined);
    return { state: reading.calm, got: reading.regime, expected: step.expected };
  }),
  'checkin.basin.v1': single((v: Eisv & { coherence: number; risk_score: number }) =>
    basinOf(v, v.coherence, v.risk_score),
  ),
  'checkin.void_threshold.v1': single((v: { history: readonly number[]; agent_class: string | null }) =>
    voidThreshold(v.history, v.agent_class === 'embodied' || v.agent_class === 'resident_persistent'),
  ),
  'checkin.oscillation.v1': stepped(INITIAL_OSCILLATION, (before, { input, expected }: OscillationStep) => {
    const { state, reading } = oscillate(before, input);
    const trigger = reading.trigger === 'index' ? 'oi' : reading.trigger;
    return { state, got: { oi: reading.index, flips: reading.flips, resonant: reading.resonant, trigger }, expected };
  }),
  'checkin.welford.v1': stepped(freshStats, (before, step: { readonly input: Signals; readonly expected: unknown }) => {
    const entropy = anomalyEntropy(before, step.input);
    const state = learn(before, step.input);
    return { state, got: { anomaly_entropy: entropy, stats: state }, expected: step.expected };
  }),
};
