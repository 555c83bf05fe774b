import { changes, clamp, finiteOrNull, mean, populationVariance } from './numbers.ts';

/** An outcome as the observations need it. */
export interface ObservedOutcome {
  readonly isBad: boolean;
  readonly score: number | null;
}

interface ObservationInput {
  /** Verdicts, oldest first. */
  readonly decisions: readonly string[];
  /** Empty for us: coherence is a constant here, and a constant carries no trend. */
  readonly coherences: readonly number[];
  readonly regimes: readonly string[];
  /** The calibration component of the drift vector. */
  readonly calibrationError: number | null;
  readonly driftNorm: number | null;
  readonly divergence: number | null;
  readonly E_input: number | null;
  readonly I_input: number | null;
  readonly S_input: number | null;
  /** Oldest first. */
  readonly outcomes: readonly ObservedOutcome[];
  readonly toolErrorRate: number | null;
  readonly callsPerMinute: number | null;
  /** Different tools per call. */
  readonly uniqueToolsRatio: number | null;
}

/** One reading of energy, integrity and entropy. */
export interface Observation {
  readonly E: number;
  readonly I: number;
  readonly S: number;
}

const WINDOW = 10;
const DECISION_SCORES: Readonly<Record<string, number>> = {
  proceed: 1,
  approve: 1,
  guide: 0.7,
  revise: 0.5,
  reflect: 0.5,
  pause: 0,
  reject: 0,
  cirs_block: 0,
};

const decisionScore = (decision: string): number => {
  const word = decision.toLowerCase();
  return DECISION_SCORES[word] ?? (word.endsWith('_pause') ? 0 : 0.5);
};

/** Mean score of the last ten decisions, newer ones weighing more. */
const decisionEnergy = (decisions: readonly string[]): number => {
  const recent = decisions.slice(-WINDOW);
  if (recent.length === 0) return 0.65;
  let weighted = 0;
  let weights = 0;
  recent.forEach((decision, i) => {
    const weight = Math.exp(0.3 * (i - recent.length + 1));
    weighted += weight * decisionScore(decision);
    weights += weight;
  });
  return weighted / weights;
};

const coherenceEnergy = (recent: readonly number[]): number =>
  recent.length < 3 ? 0.6 : clamp(0.3 + 2 * (mean(recent) - 0.35), 0.3, 0.9);

const coherenceIntegrity = (recent: readonly number[]): number => {
  if (recent.length < 4) return 0.6;
  const half = Math.floor(recent.length / 2);
  return clamp(0.6 + 3 * (mean(recent.slice(half)) - mean(recent.slice(0, half))), 0.3, 0.9);
};

/** Reads energy, integrity and entropy out of what is known of this update (spec checkin 2.5). Not clamped. */
export const observe = (input: ObservationInput): Observation => {
  const coherences = input.coherences.slice(-WINDOW);
  const { outcomes } = input;

  const decision = decisionEnergy(input.decisions);
  const coherenceE = coherenceEnergy(coherences);
  const calibrationE = clamp(1 - (input.divergence ?? 0.15), 0.3, 1);
  let E = 0.4 * decision + 0.3 * coherenceE + 0.3 * calibrationE;
  if (outcomes.length >= 3) {
    const good = outcomes.filter((outcome) => !outcome.isBad).length / outcomes.length;
    E = 0.35 * decision + 0.25 * coherenceE + 0.2 * calibrationE + 0.2 * (0.3 + 0.6 * good);
  }

  const calibrationI = input.calibrationError === null ? 0.75 : clamp(1 - input.calibrationError);
  const coherenceI = coherenceIntegrity(coherences);
  let I = 0.6 * calibrationI + 0.4 * coherenceI;
  const scores = outcomes.flatMap((outcome) => finiteOrNull(outcome.score) ?? []);
  if (scores.length >= 3) {
    I = 0.5 * calibrationI + 0.3 * coherenceI + 0.2 * Math.max(0.3, 1 - 4 * populationVariance(scores));
  }

  const regimes = input.regimes.slice(-WINDOW);
  const instability = regimes.length < 2 ? 0.1 : changes(regimes) / (regimes.length - 1);
  let S = Math.max(
    0.05,
    0.4 * Math.min(1, 1.5 * (input.driftNorm ?? 0.2)) +
      0.35 * instability +
      0.25 * Math.min(1, input.divergence ?? 0.1),
  );

  if (input.E_input !== null) E = 0.8 * E + 0.2 * input.E_input;
  if (input.I_input !== null) I = 0.8 * I + 0.2 * input.I_input;
  if (input.S_input !== null) S = 0.8 * S + 0.2 * input.S_input;
  if (input.toolErrorRate !== null) E = 0.85 * E + 0.15 * (1 - input.toolErrorRate);
  if (input.callsPerMinute !== null) S += 0.1 * clamp((input.callsPerMinute - 5) / 10);
  if (input.uniqueToolsRatio !== null) I = 0.9 * I + 0.1 * input.uniqueToolsRatio;
  return { E, I, S };
};
