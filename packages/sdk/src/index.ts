/** The client that agents embed. Nothing here needs Node; the anchor file stands in `@breakwater/sdk/anchor-file`. */
export { Agent, type Report, type ResultReport, type SelfRecovery, type ToolRun } from './agent.ts';
export type { AgentOptions } from './agent-options.ts';
export { memoryAnchor, type Anchor, type AnchorStore } from './anchor.ts';
export { connect, type CallOptions, type Client, type ConnectOptions } from './client.ts';
export type { Clock } from './clock.ts';
export {
  AnchorError,
  BreakwaterError,
  CallTimeoutError,
  IdentityDriftError,
  IdentityRefusedError,
  PausedError,
  ProtocolError,
  RateLimitedError,
  RefusedError,
  UnavailableError,
  UnreachableError,
  type RefusalCode,
} from './errors.ts';
export type { FindingChange, FindingDraft, Knowledge, SearchOptions } from './knowledge.ts';
export type { Resident, Turn } from './resident.ts';
export type {
  AgentState,
  CheckIn,
  Finding,
  FoundFindings,
  Pause,
  RecordedResult,
  RecoveryCheck,
  Review,
  ReviewList,
  Standing,
  StoredFinding,
} from './results.ts';
export type { Antithesis, ProposedAction, ReviewFilter, ReviewRequest, Reviews, Synthesis, Thesis } from './review.ts';
export type { ToolArguments, ToolName } from './tools.ts';
