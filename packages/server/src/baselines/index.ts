/** Behavioural baselines: what is usual for an agent, readable without a query. */
export { createBaselines, type Baselines } from './service.ts';
export { anomalyEntropy, freshStats, learn, sameStats, SIGNALS, type BehaviouralStats, type Signals } from './stats.ts';
