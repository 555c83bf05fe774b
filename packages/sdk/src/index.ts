/** The client that agents embed. Nothing here needs Node; credentials in a file are in `@breakwater/sdk/file-credentials`. */
export { Agent, type CheckInReport, type ResultReport, type SelfRecovery, type ToolRun } from './agent.ts';
export type { AgentOptions } from './agent-options.ts';
export { memoryCredentials, type Credentials, type CredentialStore } from './credentials.ts';
export { BreakwaterClient, type CallOptions, type Client, type ClientOptions } from './client.ts';
export type { Clock } from './clock.ts';
export {
  CredentialsError,
  BreakwaterError,
  CallTimeoutError,
  IdentityDriftError,
  IdentityRefusedError,
  PausedError,
  ProtocolError,
  RateLimitedError,
  ApiError,
  UnavailableError,
  UnreachableError,
  type RefusalCode,
} from './errors.ts';
export type { Json } from './json.ts';
export type { FindingChange, FindingDraft, Knowledge, SearchOptions } from './knowledge.ts';
export type { LoopOptions, LoopTurn } from './loop.ts';
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
  Identity,
  StoredFinding,
} from './results.ts';
export type {
  Antithesis,
  ProposedAction,
  ReviewFilter,
  ReviewHandle,
  ReviewRequest,
  Synthesis,
  Thesis,
} from './review.ts';
export type { ToolAnswer, ToolArguments, ToolName } from './tools.ts';
