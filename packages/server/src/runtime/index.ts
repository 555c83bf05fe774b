/** Floor 1: the coordination runtime. Small parts, each with one promise; nothing here knows a feature. */
export {
  idsFrom,
  seededRandom,
  systemClock,
  systemIds,
  type Clock,
  type Ids,
  type Random,
  type Timer,
} from './clock.ts';
export { countCrossings, crossed, currentGrounds, standing, standOn, type Tally } from './crossings.ts';
export { armFaultFromEnvironment, FAULT_POINTS, faultPoint, SAGA_FAULT_POINTS, type FaultPoint } from './faults.ts';
export { NO_GROUNDS, type Ground } from './grounds.ts';
export { COLD, createLiveTable, deepFreeze, type LiveTable, type LiveTableWriter, type Reading } from './live-table.ts';
export { LoopMonitor, type LoopDelay } from './loop-monitor.ts';
export { columnsOf, columnsOfThese, type Columns } from './columns.ts';
export { firstOf } from './first-of.ts';
export { SharedAnswers } from './shared-answers.ts';
export { isLoopback, LOOPBACK } from './loopback.ts';
export { Mailboxes, type Handled, type Handler } from './mailbox.ts';
export { problemOfName, reservedIn, skeletonOf, unseenIn } from './names.ts';
export { nearest } from './nearest.ts';
export { Readiness } from './readiness.ts';
export { Supervisor, type Part } from './supervisor.ts';
export { traced, type Crossing, type Trace, type TracedWork } from './trace.ts';
export { Ticker, type Job, type TryLock } from './ticker.ts';
export {
  actionOf,
  defineActions,
  defineTool,
  type ActionCallOf,
  type Assurance,
  type AttestedProcess,
  type Caller,
  type CallOf,
  type Evidence,
  type IdentityWarning,
  type Operator,
  type ProvenOperator,
  type PeerAttestation,
  type ProofOrigin,
  type ProofSource,
  type Tool,
  type ToolCall,
} from './tool.ts';
export {
  createWriteThrough,
  RECONCILE_MS,
  reconcileJob,
  type Divergence,
  type Staged,
  type Store,
  type WriteThrough,
} from './write-through.ts';
export { DAY_MS, HOUR_MS, iso, MINUTE_MS } from './time.ts';
export { isObject, UUID } from './values.ts';
