/**
 * When the claims detector guides and when it pauses (spec checkin 2.12). Recording an outcome and deciding on a check-in
 * both hold its value against these.
 */
export const CLAIMS_LIMITS = { guide: 20, pause: 1000, leastGraded: 5 } as const;
