import type {
  Basin,
  Edge,
  Health,
  MarginWord,
  Phase,
  Regime,
  TaskType,
  Verdict,
  VerdictWord,
} from '@breakwater/contract';
import { anomalyEntropy, learn, type BehaviouralStats } from '../../baselines/index.ts';
import { assess, finalRisk, gatedRisk, withFinalRisk, type RiskComponents } from './assessment.ts';
import { basinOf } from './basin.ts';
import {
  advance,
  confidenceOf,
  deviations,
  isBaselined,
  lastChange,
  phaseOf,
  velocity,
  WARMUP_TARGET,
  type Behaviour,
  type Eisv,
} from './behaviour.ts';
import { continuity, type Continuity } from './continuity.ts';
import { blendOwnDrift, driftVector, learnDecision, learnDrift, type DriftVector } from './drift.ts';
import type { CheckInEvidence } from './evidence.ts';
import { decide, verdictOf, withOscillation, type Ruling } from './ladder.ts';
import { RECENT_KEPT } from './loop.ts';
import { marginOf } from './margin.ts';
import { appended, finiteOrNull } from './numbers.ts';
import { observe, type Observation } from './observations.ts';
import { oscillate, type Oscillation } from './oscillation.ts';
import { pauseEvidence, type PauseEvidence } from './pause-evidence.ts';
import { continuityEnergy, updateCoherence, type JudgedState } from './reflexive.ts';
import { readRegime } from './regime.ts';
import type { ScoringState } from './state.ts';
import { textFeatures, type TextFeatures } from './text-features.ts';
import { hasExitCode, toolStatistics, type ToolResult } from './tool-results.ts';
import { voidThreshold } from './void-threshold.ts';

/** Coherence carries no measurement here: a constant, the middle of its range, and labelled `prior` wherever it shows. */
export const COHERENCE = 0.5;
const REGIMES_KEPT = 10;
/** Updates from which the state is more than the values it started with. */
const STATE_FROM = 3;

/** What the agent was before this update. */
export interface CheckInContext {
  readonly scoring: ScoringState;
  readonly baseline: BehaviouralStats;
  readonly evidence: CheckInEvidence;
  /** Whether the agent acts in the session it acted in last. */
  readonly sameSession: boolean;
  /** Number of this update, from 1. */
  readonly updateIndex: number;
  /** Whether evidence stood behind the agent's risk before this update. */
  readonly measured: boolean;
  /** A long-lived agent, whose V may swing wider. */
  readonly resident: boolean;
  /** The topic under which the update is remembered for loops; default: that of its text. */
  readonly topicHash?: string | undefined;
  /** What resolutions oblige the agent to; undefined: nothing. */
  readonly obligations?: Obligations | undefined;
}

/** The conditions of resolutions, as far as a check-in meets them (BW-dialectic.06). */
export interface Obligations {
  /** The complexity as it counts, and the warning that says so when that is less than what was reported. */
  capComplexity(complexity: number): { readonly complexity: number; readonly warning: string | null };
  /** The decision after the risk targets: the same or a more severe one, never a milder. */
  escalate(
    risk: number,
    decision: { readonly action: 'proceed' | 'guide' | 'pause'; readonly reason: string },
  ): {
    readonly action: 'proceed' | 'guide' | 'pause' | 'reject';
    readonly reason: string;
    readonly escalated: boolean;
    readonly warnings: readonly string[];
  };
}

/** What the agent reports, validated. */
export interface CheckInInput {
  readonly text: string;
  /** The features of `text` when they were read already, which costs as much as the whole computation. */
  readonly features?: TextFeatures | undefined;
  readonly textTruncated: boolean;
  /** 0 to 1. */
  readonly complexity?: number;
  /** 0 to 1. */
  readonly confidence?: number;
  readonly taskType: TaskType;
  /** At most three numbers. */
  readonly ownDrift: readonly number[];
  readonly toolResults: readonly ToolResult[];
}

interface CheckInDecision extends Ruling {
  readonly margin: MarginWord;
  readonly nearest_edge: Edge | null;
}

/** What one update came to: the decision, everything it stands on, and the state after it. Numbers are not rounded. */
export interface CheckIn {
  readonly scoring: ScoringState;
  readonly baseline: BehaviouralStats;
  readonly decision: CheckInDecision;
  readonly verdict: Verdict;
  readonly eisv: Eisv;
  /** What E, I, S and V are worth: `prior` while they are mostly what they started with. Risk inherits it. */
  readonly source: 'prior' | 'derived';
  /** raw: as assessed; final (`risk_score_latest`): with velocity; gated (`risk_score`): mean of the last ten finals. */
  readonly risk: { readonly raw: number; readonly final: number; readonly gated: number };
  readonly verdictWord: VerdictWord;
  /** Whether a graded result or a tool's exit code stands behind the risk; else it is unknown to everybody who reads it. */
  readonly measured: boolean;
  readonly health: Health;
  readonly regime: Regime;
  readonly basin: Basin;
  readonly voidActive: boolean;
  /** The void was not active before this update and is after it (W3-2.03). */
  readonly voidEntered: boolean;
  readonly voidThreshold: number;
  readonly confidence: { readonly value: number; readonly source: 'reported' | 'derived' };
  readonly warmup: {
    readonly phase: Phase;
    readonly done: number;
    readonly target: number;
    readonly baselined: boolean;
    /** 0 to 1: how much the state is worth. */
    readonly confidence: number;
  };
  readonly components: RiskComponents;
  readonly reflexive: { readonly rho: number; readonly continuityEnergy: number };
  readonly driftVector: DriftVector;
  readonly continuity: Continuity;
  readonly observation: Observation;
  readonly anomalyEntropy: number;
  readonly deviations: Eisv;
  readonly oscillation: Oscillation;
  readonly evidence: CheckInEvidence;
  readonly warnings: readonly string[];
  /** Present exactly when the action is pause. */
  readonly pauseEvidence?: PauseEvidence;
}

/** Seconds between two check-ins, or undefined when there was none before or the clock did not move on. */
const secondsBetween = (lastAt: number | null, now: number): number | undefined =>
  lastAt !== null && now > lastAt ? (now - lastAt) / 1000 : undefined;

/** The last states with the verdicts they got; the newest has none yet. */
const judgedStates = ({ history }: Behaviour, decisions: readonly string[]): JudgedState[] => {
  const { E, I, S, V } = history;
  const offset = V.length - E.length;
  return E.map((e, i) => ({
    E: e,
    I: I[i] ?? 0,
    S: S[i] ?? 0,
    V: V[i + offset] ?? 0,
    decision: decisions[decisions.length - E.length + 1 + i] ?? null,
  }));
};

/** What a {@link Ruling} promises. */
const MOST_REASON = 120;

/** A ruling held against the agent's obligations, and the warnings that come of it. */
const underObligations = (
  ruling: Ruling,
  risk: number,
  obligations: Obligations | undefined,
): { readonly ruling: Ruling; readonly warnings: readonly string[] } => {
  if (obligations === undefined) return { ruling, warnings: [] };
  const action = ruling.action === 'pause' ? 'pause' : ruling.sub_action === 'guide' ? 'guide' : 'proceed';
  const held = obligations.escalate(risk, { action, reason: ruling.reason });
  const { warnings } = held;
  const reason = held.reason.slice(0, MOST_REASON);
  if (!held.escalated) return { ruling, warnings };
  return held.action === 'guide'
    ? {
        ruling: { action: 'proceed', sub_action: 'guide', reason, guidance: 'Your risk is above what you agreed to.' },
        warnings,
      }
    : { ruling: { action: 'pause', sub_action: 'conditions_pause', reason }, warnings };
};

const warningsOf = (input: CheckInInput): string[] => [
  ...(input.textTruncated ? ['response_text was longer than 50000 characters and was cut.'] : []),
  ...(input.text.trim() === '' ? ['response_text is empty; this update says little about the work.'] : []),
];

/**
 * One update, scored (spec checkin 3, steps 2 to 12): a pure function. Nothing given to it changes, equal arguments give
 * equal results (W3-2.08), what was before feeds the computation and what is after feeds the result (W3-2.06).
 *
 * `now` is ms since the epoch.
 */
export const checkIn = (context: CheckInContext, input: CheckInInput, now: number): CheckIn => {
  const { scoring: before, baseline, evidence } = context;
  const task = input.taskType;
  const at = Math.floor(now);

  const capped = input.complexity === undefined ? undefined : context.obligations?.capComplexity(input.complexity);
  const features = input.features ?? textFeatures(input.text);
  const tools = toolStatistics(input.toolResults);
  const secondsSinceLast = secondsBetween(before.lastAt, at);
  const confidence =
    input.confidence === undefined
      ? ({ value: before.drift.confidence, source: 'derived' } as const)
      : ({ value: input.confidence, source: 'reported' } as const);
  const fit = continuity({
    features,
    task,
    complexity: capped?.complexity ?? input.complexity,
    confidence: input.confidence,
    secondsSinceLast,
    sameSession: context.sameSession,
    tools,
    earlierDerived: before.derivedComplexity,
  });

  const driftInput = {
    coherence: COHERENCE,
    confidence: confidence.value,
    divergence: fit.divergence,
    calibrationError: finiteOrNull(evidence.calibration.error),
    velocity: velocity(before.behaviour),
    task,
  };
  const drift = blendOwnDrift(driftVector(before.drift, driftInput), input.ownDrift);

  const callsPerMinute =
    tools === undefined || secondsSinceLast === undefined ? null : (tools.totalCalls * 60) / secondsSinceLast;
  // Coherence is left out: a constant is no reading.
  const signals = {
    tool_error_rate: tools?.errorRate ?? null,
    tool_call_velocity: callsPerMinute,
    complexity_divergence: fit.divergence,
    coherence: null,
  };
  const entropy = anomalyEntropy(baseline, signals);
  const observed = observe({
    decisions: before.drift.decisions,
    coherences: [],
    regimes: before.regimes,
    calibrationError: drift.calibration,
    driftNorm: drift.norm,
    divergence: fit.divergence,
    E_input: fit.E_input,
    I_input: fit.I_input,
    S_input: fit.S_input,
    outcomes: evidence.outcomes,
    toolErrorRate: tools?.errorRate ?? null,
    callsPerMinute,
    uniqueToolsRatio: tools === undefined ? null : tools.uniqueTools / tools.totalCalls,
  });
  const observation = { ...observed, S: observed.S + entropy };

  const behaviour = advance(before.behaviour, observation);
  const { E, I, S, V, count, history } = behaviour;
  const eisv = { E, I, S, V };

  const rho = updateCoherence(lastChange(history.E), lastChange(history.I));
  const energy = continuityEnergy(judgedStates(behaviour, before.drift.decisions));
  const assessment = assess(behaviour, rho, energy, task);
  const final = finalRisk(assessment.risk, behaviour);
  const finalRisks = withFinalRisk(before.finalRisks, final);
  const risk = { raw: assessment.risk, final, gated: gatedRisk(finalRisks) };

  const { regime, calm } = readRegime(before.calm, eisv, count < 2 ? undefined : before.behaviour);
  const threshold = voidThreshold(history.V, context.resident);
  const voidActive = Math.abs(V) > threshold;
  const basin = basinOf(eisv, COHERENCE, final);
  const margin = marginOf({ risk: final, V, voidThreshold: threshold, voidActive, checkIns: count });
  const oscillation = oscillate(before.oscillation, { risk: final, coherence: COHERENCE, route: assessment.verdict });

  const decided = decide({
    claims: evidence.claims,
    coverage: evidence.coverage,
    others: evidence.others,
    risk,
    verdict: assessment.verdict,
    resonant: oscillation.reading.resonant,
    components: assessment.components,
    basin,
    voidActive,
    margin,
    checkIn: context.updateIndex,
  });
  const { ruling, warnings: held } = underObligations(decided, risk.gated, context.obligations);
  const verdict = verdictOf(ruling);

  return {
    scoring: {
      behaviour,
      drift: learnDecision(learnDrift(before.drift, driftInput), verdict),
      regimes: appended(before.regimes, regime, REGIMES_KEPT),
      calm,
      finalRisks,
      oscillation: oscillation.state,
      voidActive,
      derivedComplexity: fit.derivedComplexity,
      lastAt: at,
      recent: appended(
        before.recent,
        { at, topicHash: context.topicHash ?? features.topicHash, action: ruling.action },
        RECENT_KEPT,
      ),
    },
    baseline: learn(baseline, signals),
    decision: { ...ruling, margin: margin.word, nearest_edge: margin.edge },
    verdict,
    eisv,
    source: count < STATE_FROM ? 'prior' : 'derived',
    risk,
    verdictWord: withOscillation(assessment.verdict, oscillation.reading.resonant),
    measured: context.measured || evidence.calibration.graded > 0 || input.toolResults.some(hasExitCode),
    health: assessment.health,
    regime,
    basin,
    voidActive,
    voidEntered: voidActive && !before.voidActive,
    voidThreshold: threshold,
    confidence,
    warmup: {
      phase: phaseOf(count),
      done: Math.min(count, WARMUP_TARGET),
      target: WARMUP_TARGET,
      baselined: isBaselined(count),
      confidence: confidenceOf(count),
    },
    components: assessment.components,
    reflexive: { rho, continuityEnergy: energy },
    driftVector: drift,
    continuity: fit,
    observation,
    anomalyEntropy: entropy,
    deviations: deviations(behaviour),
    oscillation: oscillation.reading,
    evidence,
    warnings: [...warningsOf(input), ...(capped?.warning == null ? [] : [capped.warning]), ...held],
    ...(ruling.action === 'pause' && {
      pauseEvidence: pauseEvidence(ruling, {
        eisv,
        risk,
        components: assessment.components,
        claims: evidence.claims,
        others: evidence.others?.(),
        updateIndex: context.updateIndex,
      }),
    }),
  };
};
