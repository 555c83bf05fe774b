/** The dialectic: a paused agent comes back by a review, and a saga carries out what was agreed. */
export { createComputations } from './compute/placements.ts';
export { Computation, computeAnswerPayload, computeFailurePayload } from './compute/computation.ts';
export { ENDED_LIMIT, isDeadLetter, listSagas, retrySaga, revertSaga, type SagaView } from './dead-letters.ts';
export { ReviewDuties } from './duties.ts';
export { conditionsOf, obligationsOf } from './obligations.ts';
export { explainReviewMerge, readSession } from './read.ts';
export {
  awaitsConfirmation,
  confirmationText,
  isPausedAgain,
  AGAIN_WITHIN,
  type ClaimsReview,
} from './rules/confirmation.ts';
export { assignedBy } from './rules/reassign.ts';
export { isInForce } from './rules/conditions.ts';
export type { Session as ReviewSession } from './session.ts';
export { countOpenWork, readOutbox } from './open-work.ts';
export { sagaTools } from './saga-tools.ts';
export { Saga, type SagaPayload } from './saga.ts';
export { Dialectic } from './service.ts';
export { dialecticTools } from './tools.ts';
