import type { ResponseMode } from '@breakwater/contract';
import { COMPONENT_WEIGHTS, leadingComponent } from './assessment.ts';
import { COHERENCE, type CheckIn } from './check-in.ts';
import { provenanceOf } from './provenance.ts';
import { wordOf } from './word.ts';
import { wireNumbers } from './wire-numbers.ts';

export { pausedDetails } from './paused.ts';
export { eisvTelemetry } from './telemetry.ts';

/** What the answer says beside the check-in itself. */
export interface AnswerExtras<P extends string | null = string | null> {
  readonly agentId: string;
  /** null when nothing was recorded, so that nothing can be bound to it. */
  readonly predictionId: P;
  /** Number of this update, from 1. */
  readonly updateIndex: number;
  /** The pause that this check-in put in force. */
  readonly paused?: {
    readonly paused_at: string;
    readonly expires_at: string | null;
    readonly actuation_id: string;
    /** The one next step. */
    readonly next_step: string;
  };
  /** Warnings from outside the scoring. */
  readonly notes?: readonly string[];
}

/** A compact answer stays below this many bytes, which leaves room for what envelope and transport put around it. */
export const COMPACT_BYTES = 860;

const decisionOf = ({ decision, measured }: CheckIn) => ({
  action: decision.action,
  sub_action: decision.sub_action,
  reason: decision.reason,
  ...(decision.guidance !== undefined && { guidance: decision.guidance }),
  margin: decision.margin,
  nearest_edge: decision.nearest_edge,
  ...(decision.critical === true && { critical: true as const }),
  ...(!measured && { unmeasured: true as const }),
});

/** The risk of an agent without evidence is unknown, and so null. */
const metricsOf = (checkIn: CheckIn) => ({
  ...checkIn.eisv,
  coherence: COHERENCE,
  risk: checkIn.measured ? checkIn.risk.gated : null,
  risk_score: checkIn.measured ? checkIn.risk.gated : null,
  risk_score_latest: checkIn.measured ? checkIn.risk.final : null,
  verdict: wordOf(checkIn),
});

const warmupOf = ({ warmup: { phase, done, target, baselined } }: CheckIn) => ({
  phase,
  done,
  target,
  baselined,
});

/** Without graded outcomes nothing is known, and the answer never sounds as if it were. */
const calibrationOf = ({ evidence: { calibration } }: CheckIn) => ({
  error: calibration.error,
  n: calibration.graded,
  ...(calibration.graded === 0 && { status: 'unmeasured' as const }),
});

/** What became of the claims, in short; nothing before there is one. */
const coverageOf = ({ evidence: { coverage } }: CheckIn) =>
  coverage === undefined || coverage.made + coverage.unclaimed === 0
    ? {}
    : {
        coverage: {
          claims: coverage.made,
          settled: coverage.settled,
          expired: coverage.expired,
          ...(coverage.unclaimed > 0 && { unclaimed: coverage.unclaimed }),
        },
      };

const pauseOf = ({ paused }: AnswerExtras) =>
  paused === undefined
    ? {}
    : {
        paused: { paused_at: paused.paused_at, expires_at: paused.expires_at, actuation_id: paused.actuation_id },
        next_step: paused.next_step,
      };

/** What every answer but the minimal one holds. */
const core = <P extends string | null>(checkIn: CheckIn, extras: AnswerExtras<P>) => ({
  success: true as const,
  decision: decisionOf(checkIn),
  verdict: checkIn.verdict,
  metrics: metricsOf(checkIn),
  provenance: provenanceOf(checkIn, ['eisv', 'risk', 'coherence', 'calibration', 'counts']),
  update: extras.updateIndex,
  warmup: warmupOf(checkIn),
  prediction_id: extras.predictionId,
  calibration: calibrationOf(checkIn),
  ...coverageOf(checkIn),
  ...pauseOf(extras),
  agent_id: extras.agentId,
});

const warningsOf = (checkIn: CheckIn, { notes = [] }: AnswerExtras): string[] => [...checkIn.warnings, ...notes];

const withAllWarnings = <R extends object>(
  reply: R,
  warnings: readonly string[],
): R & { readonly warnings?: readonly string[] } => (warnings.length === 0 ? reply : { ...reply, warnings });

const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** As many warnings as there is room for, in order; the last one says how many are left out. */
const withFittingWarnings = <R extends object>(
  reply: R,
  warnings: readonly string[],
): R & { readonly warnings?: readonly string[] } => {
  for (let shown = warnings.length; shown > 0; shown -= 1) {
    const left = warnings.length - shown;
    const list = [...warnings.slice(0, shown), ...(left > 0 ? [`and ${left} more`] : [])];
    const full = { ...reply, warnings: list };
    if (bytes(wireNumbers(full)) <= COMPACT_BYTES) return full;
  }
  return warnings.length === 0 ? reply : { ...reply, warnings: [`${warnings.length} warnings; response_mode full`] };
};

/** To a paused agent its next step matters more than warm-up and coverage, which check_working_state tells as well. */
const compact = <P extends string | null>(checkIn: CheckIn, extras: AnswerExtras<P>) => {
  const whole = core(checkIn, extras);
  const { warmup: _warmup, coverage: _coverage, ...short } = whole;
  return withFittingWarnings(extras.paused === undefined ? whole : short, warningsOf(checkIn, extras));
};

const minimal = <P extends string | null>(checkIn: CheckIn, extras: AnswerExtras<P>) => {
  const { predictionId, paused } = extras;
  const short = {
    success: true as const,
    decision: { action: checkIn.decision.action, reason: checkIn.decision.reason },
    verdict: checkIn.verdict,
    ...checkIn.eisv,
    risk_score: checkIn.measured ? checkIn.risk.gated : null,
    provenance: provenanceOf(checkIn, ['eisv', 'risk']),
    prediction_id: predictionId,
    ...(paused !== undefined && { next_step: paused.next_step }),
  };
  // What was cut or not understood is told however short the answer is; otherwise nobody would learn of it.
  return withFittingWarnings(short, warningsOf(checkIn, extras));
};

/** The readings in words, for a reader that would rather not know the model. */
const interpretation = (checkIn: CheckIn) => ({
  regime: checkIn.regime,
  basin: checkIn.basin,
  health: checkIn.health,
  void_active: checkIn.voidActive,
  oscillating: checkIn.oscillation.resonant,
  leading_component: leadingComponent(checkIn.components) ?? null,
});

const standard = <P extends string | null>(checkIn: CheckIn, extras: AnswerExtras<P>) =>
  withAllWarnings({ ...core(checkIn, extras), state: interpretation(checkIn) }, warningsOf(checkIn, extras));

const full = <P extends string | null>(checkIn: CheckIn, extras: AnswerExtras<P>) => {
  const { claims, calibration, outcomes } = checkIn.evidence;
  const reply = {
    ...core(checkIn, extras),
    provenance: provenanceOf(checkIn, ['eisv', 'risk', 'coherence', 'calibration', 'counts', 'scoring', 'claims']),
    state: interpretation(checkIn),
    scoring: {
      components: checkIn.components,
      weights: COMPONENT_WEIGHTS,
      risk: checkIn.risk,
      reflexive: { rho: checkIn.reflexive.rho, continuity_energy: checkIn.reflexive.continuityEnergy },
      drift: checkIn.driftVector,
      continuity: {
        derived_complexity: checkIn.continuity.derivedComplexity,
        complexity_divergence: checkIn.continuity.divergence,
        over_confident: checkIn.continuity.overConfident,
        under_confident: checkIn.continuity.underConfident,
        E_input: checkIn.continuity.E_input,
        I_input: checkIn.continuity.I_input,
        S_input: checkIn.continuity.S_input,
        complexity_defaulted: checkIn.continuity.complexityDefaulted,
        degenerate: checkIn.continuity.degenerate,
      },
      observation: checkIn.observation,
      anomaly_entropy: checkIn.anomalyEntropy,
      deviations: checkIn.deviations,
      void_threshold: checkIn.voidThreshold,
      oscillation: checkIn.oscillation,
      // A confidence that was not reported is not made up: what the scoring assumed in its place is told as that.
      confidence:
        checkIn.confidence.source === 'reported'
          ? { value: checkIn.confidence.value, source: 'reported' as const }
          : { value: null, source: 'derived' as const, assumed: checkIn.confidence.value },
      state_confidence: checkIn.warmup.confidence,
    },
    evidence: {
      graded: calibration.graded,
      outcomes: outcomes.length,
      claims:
        claims.graded === 0
          ? { status: 'unmeasured' as const, value: null, mean_claim: null, accuracy: null }
          : {
              status: 'measured' as const,
              value: claims.value,
              mean_claim: claims.meanClaim,
              accuracy: claims.accuracy,
            },
      ...(checkIn.evidence.coverage && { coverage: { ...checkIn.evidence.coverage } }),
      ...(checkIn.pauseEvidence !== undefined && { pause_schema: checkIn.pauseEvidence.schema }),
    },
  };
  return withAllWarnings(reply, warningsOf(checkIn, extras));
};

const VERDICT_LINES: Readonly<Record<CheckIn['verdict'], string>> = {
  proceed: 'You can carry on.',
  guide: 'You can carry on, with care.',
  pause: 'You are paused.',
  reject: 'You are paused: recent work was too risky.',
};

const claimsLine = ({ evidence: { claims } }: CheckIn): string => {
  if (claims.graded === 0 || claims.meanClaim === null || claims.accuracy === null) {
    return 'None of your claims has been held against a result yet; report outcomes with the prediction_id.';
  }
  return `You claimed ${claims.meanClaim.toFixed(2)} on average; ${claims.accuracy.toFixed(2)} of ${claims.graded} results bore it out.`;
};

/** The same, said to the agent: at most three lines. */
const mirror = <P extends string | null>(checkIn: CheckIn, extras: AnswerExtras<P>) => {
  const { decision } = checkIn;
  const lines = [
    `${VERDICT_LINES[checkIn.verdict]} Why: ${decision.reason}.`,
    ...(decision.guidance === undefined ? [] : [decision.guidance]),
    extras.paused?.next_step ?? claimsLine(checkIn),
  ];
  return withAllWarnings({ ...core(checkIn, extras), mirror: lines }, warningsOf(checkIn, extras));
};

/**
 * The reply to a check-in: a projection of what was decided and nothing more, so that reply, row and decision cannot
 * disagree (BW-checkin.17). Numbers are rounded here and nowhere before; each belongs to a group that `provenance`
 * labels (BW-checkin.07).
 */
export const answer = <P extends string | null>(checkIn: CheckIn, mode: ResponseMode, extras: AnswerExtras<P>) => {
  switch (mode) {
    case 'auto':
    case 'compact':
      return wireNumbers(compact(checkIn, extras));
    case 'minimal':
      return wireNumbers(minimal(checkIn, extras));
    case 'standard':
      return wireNumbers(standard(checkIn, extras));
    case 'full':
      return wireNumbers(full(checkIn, extras));
    case 'mirror':
      return wireNumbers(mirror(checkIn, extras));
  }
};
