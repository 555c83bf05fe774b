/** The dialectic: a paused agent comes back by a review, and a saga carries out what was agreed. */
export { obligationsOf } from './obligations.ts';
export { Saga, type SagaPayload } from './saga.ts';
