/** Floor 3: the agent as a thing. Its rows, its mailbox, its live metadata; nothing else writes an agent. */
export { pauseHolds, type AgentHead, type AgentStatus, type Pause, type Vitals } from './agent.ts';
export { Agents, expiredPauses, type AgentState, type Decision, type MemoryCodec } from './agents.ts';
export { canonicalJson, type AuditDraft } from './audit-chain.ts';
export type { AgentChange, DriftBaselineRow, OutcomeRow, PredictionRow, StateRow } from './change.ts';
export { idempotencyOf } from './idempotency.ts';
export { expirePause, pauseChange, refuseEnded } from './lifecycle.ts';
export { pruneWorkingData } from './sql.ts';
