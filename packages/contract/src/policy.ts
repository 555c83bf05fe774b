/**
 * When the claims detector guides and when it pauses (spec checkin 2.12). Recording an outcome and deciding on a check-in
 * both hold its value against these.
 */
export const CLAIMS_LIMITS = { guide: 20, pause: 1000, leastGraded: 5 } as const;

/**
 * How long a claim may be settled by its result, in hours. One hour threw away the passes of agents whose passing runs
 * take longer than their failing ones, and paused them for it.
 */
export const PREDICTION_HOURS = 24;
