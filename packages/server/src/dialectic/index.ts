/** The dialectic: a paused agent comes back by a review, and a saga carries out what was agreed. */
export { obligationsOf } from './obligations.ts';
export { Saga } from './saga.ts';
