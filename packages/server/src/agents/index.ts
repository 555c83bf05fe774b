/** Floor 3: the agent as a thing. Its rows, its mailbox, its live metadata; nothing else writes an agent. */
export {
  holdOf,
  isHeld,
  MOST_ANCESTORS,
  pauseHolds,
  type AgentHead,
  type AgentStatus,
  type Archive,
  type CoverageAccount,
  type Hold,
  type Lineage,
  type Pause,
  type SubstrateClaim,
  type Vitals,
} from './agent.ts';
export {
  checkedIn as claimMade,
  coverageAt,
  readCoverage,
  resultRecorded,
  silenceAsks,
  type CoverageReading,
} from './coverage.ts';
export { Agents, expiredPauses, GroundLost, type AgentState, type Decision, type Published } from './agents.ts';
export { canonicalJson, type AuditDraft } from './audit-chain.ts';
export { MAX_FAULTS, verifyAudit, type AuditReport } from './audit-read.ts';
export { anchorChains } from './chain-anchors.ts';
export type {
  AgentChange,
  AgentCommit,
  DriftBaselineRow,
  LineageScoreRow,
  OutcomeRow,
  PredictionRow,
  StateRow,
} from './change.ts';
export { idempotencyOf } from './idempotency.ts';
export type { AgentMemory, MemoryCodec } from './memory.ts';
export { expirePause, pauseChange, refuseEnded } from './lifecycle.ts';
export { countOldStates, deleteOldStates, readStates, STATE_DAYS } from './old-states.ts';
export { recordOf, type ClaimsRecord } from './record.ts';
export { isMeasured, shownRisk, standingWord } from './standing.ts';
export { unpackVitals, type StoredVitals } from './stored-vitals.ts';
export { pruneWorkingData, type Birth } from './sql.ts';
export { enrolSubstrate, listSubstrates, removeSubstrate } from './substrate.ts';
export {
  activityOf,
  createdOf,
  idOf,
  idStartOf,
  mayBeHeld,
  parentOf,
  STATUSES,
  statusOf,
  updatesOf,
} from './columns.ts';
