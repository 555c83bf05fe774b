import { CLAIMS_LIMITS } from '@breakwater/contract';

/** The claims detector of one agent (spec checkin 2.12): its value, and the results since its account was opened. */
export interface DetectorReading {
  readonly value: number;
  readonly graded: number;
}

/** The claims detectors of all agents that are not archived and have graded outcomes. */
export interface FleetDetectors {
  readonly agents: number;
  /** At the value from which check-ins guide, or above. */
  readonly guided: number;
  /** At the value that pauses, or above, with enough graded outcomes. */
  readonly paused: number;
  /** Null: there is no such agent. */
  readonly highest: number | null;
}

/**
 * The sequential test, as it is told: there is one, that of the claims detector, and calibration only reads it. It may be
 * looked at after every result, because its guarantee is one over all stopping times.
 */
export const SEQUENTIAL_TEST = {
  detector: 'claims',
  null_hypothesis: 'At every time, the expected result is at least the claim less 0.05.',
  guarantee:
    'An e-detector (Shin, Ramdas, Rinaldo 2022): under the null hypothesis its value reaches L after L graded outcomes on ' +
    'average, or later, whenever one looks. So the chance that it stands at L or more after n outcomes is at most n / L.',
  limits: { guide: CLAIMS_LIMITS.guide, pause: CLAIMS_LIMITS.pause, least_graded: CLAIMS_LIMITS.leastGraded },
} as const;

/**
 * The largest chance that an honest agent's detector stands where it does, 0 to 1; null before the first graded outcome.
 * The detector's expectation after n results is at most n, and Markov's inequality gives the rest.
 */
export const chanceIfHonest = ({ value, graded }: DetectorReading): number | null =>
  graded === 0 ? null : value <= graded ? 1 : graded / value;
