import { COHERENCE, type CheckIn } from './check-in.ts';
import { POLICY } from './pause-evidence.ts';
import { wordOf } from './word.ts';

/**
 * The envelope of one measurement, as every state row keeps it: what was read, what it was made from, what was missing,
 * and what policy made of it. Numbers are whole, so that a later analysis works on what decided; as JSON, one that is
 * not finite becomes null.
 */
export const eisvTelemetry = (checkIn: CheckIn, now: number): Record<string, unknown> => {
  const { eisv, continuity, observation, evidence, decision, risk, warmup } = checkIn;
  const { E, I, S } = observation;
  const missing = [
    ...(continuity.complexityDefaulted ? ['complexity'] : []),
    ...(checkIn.confidence.source === 'derived' ? ['confidence'] : []),
    ...(evidence.calibration.error === null ? ['calibration_error'] : []),
    ...(evidence.outcomes.length < 3 ? ['outcomes'] : []),
  ];
  return {
    schema: 'eisv.telemetry.v1',
    observed_at: new Date(now).toISOString(),
    measurement: {
      primary: { source: checkIn.source === 'prior' ? 'prior' : 'behavioral', values: eisv },
      coherence: { value: COHERENCE, source: 'constant', role: 'prior' },
      behavioral: {
        observation: { E, I, S },
        confidence: warmup.confidence,
        phase: warmup.phase,
      },
    },
    derivation: {
      formula: POLICY,
      inputs: {
        divergence: continuity.divergence,
        drift_norm: checkIn.driftVector.norm,
        calibration_error: evidence.calibration.error,
        anomaly_entropy: checkIn.anomalyEntropy,
        confidence: checkIn.confidence.value,
      },
      missing_inputs: missing,
    },
    policy_evaluation: {
      action: decision.action,
      sub_action: decision.sub_action,
      verdict: wordOf(checkIn),
      basin: checkIn.basin,
      risk_score: risk.gated,
      risk_score_latest: risk.final,
      claims: evidence.claims.value,
    },
    enforcement: { applied: decision.action === 'pause' },
  };
};
