/** Outcomes: what came of the work, and what it says about the claims made before it. */
export { HarnessOutcomes } from './harness.ts';
export { readDetectors, readEvidence } from './readings.ts';
export { settleClaims } from './memory.ts';
export { Fleet, FLEET_REFRESH_MS } from './fleet.ts';
export { calibrationError, freshBins, observeCalibration } from './rules/calibration.ts';
export { encodeEvidence, decodeEvidence, freshEvidence, viewEvidence, type OutcomeEvidence } from './rules/evidence.ts';
export { ranOf, whyStoredNotGraded } from './rules/why-not-graded.ts';
export { toolResultSays } from './rules/tool-result.ts';
export { Outcomes, type Settled } from './service.ts';
export { outcomeTools } from './tools.ts';
