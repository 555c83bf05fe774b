/** The dialectic: a paused agent comes back by a review, and a saga carries out what was agreed. */
export { createComputations } from './compute-placements.ts';
export { Computation, computeAnswerPayload, computeFailurePayload } from './compute.ts';
export { ENDED_LIMIT, isDeadLetter, listSagas, retrySaga, revertSaga, type SagaView } from './dead-letters.ts';
export { obligationsOf } from './obligations.ts';
export { countOpenWork } from './open-work.ts';
export { Saga, type SagaPayload } from './saga.ts';
export { Dialectic } from './service.ts';
export { dialecticTools } from './tools.ts';
