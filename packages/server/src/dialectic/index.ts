/** The dialectic: a paused agent comes back by a review, and a saga carries out what was agreed. */
export { Computation, computeTimeoutPayload } from './compute.ts';
export { obligationsOf } from './obligations.ts';
export { Saga, type SagaPayload } from './saga.ts';
export { Dialectic } from './service.ts';
export { dialecticTools } from './tools.ts';
