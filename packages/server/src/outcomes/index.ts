/** Outcomes: what came of the work, and what it says about the claims made before it. */
export {
  encodeEvidence,
  decodeEvidence,
  freshEvidence,
  viewEvidence,
  withResetClaims as resetClaims,
  type OutcomeEvidence,
} from './rules/evidence.ts';
export { Outcomes, type Settled, type WithEvidence } from './service.ts';
export { outcomeTools } from './tools.ts';
