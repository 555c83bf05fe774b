/**
 * What crosses the wire: aliases, the error catalogue, outcomes, event names, and the types of the rest. Nothing here loads Zod,
 * so that a command starts at once: the specifications of tools are in `@breakwater/contract/tools`, those of routes in
 * `@breakwater/contract/routes`.
 */
export { ALIASES, COMPLEXITY_WORDS, WORKFLOW } from './aliases.ts';
export type { ErrorEnvelope, FieldProblem, NormalizedParameter, SuccessEnvelope, ToolListing } from './envelope.ts';
export {
  ERRORS,
  REPEATS,
  UNAVAILABLE_RETRY_SECONDS,
  unavailableBody,
  type ErrorCategory,
  type ErrorCode,
} from './errors.ts';
export {
  AUDIT_EVENTS,
  FAILURE_EVENTS,
  IDENTITY_EVENTS,
  MEASUREMENT_EVENTS,
  type AuditEventType,
  type FailureEventType,
  type IdentityEventType,
  type MeasurementEventType,
} from './events.ts';
export { IGNORED_ARGUMENTS } from './ignored-arguments.ts';
export { FEED_EVENTS, type FeedEventType, type FeedSeverity } from './feed.ts';
export { BRIEF } from './listing.ts';
export { NOT_OFFERED } from './not-offered.ts';
export { AGENT_SORTS, AGENT_STATUS_FILTERS, VERDICTS } from './overview-words.ts';
export { ok, refusal, refuse, type Result, type Recovery, type Refusal } from './result.ts';
export { CLAIMS_LIMITS, PREDICTION_HOURS } from './policy.ts';
export { readTime, TIME_RULE } from './time.ts';
export type {
  ActionAnswerOf,
  ActionSpec,
  AnswerOf,
  IdentityNeed,
  ToolAlias,
  ToolCategory,
  ToolExample,
  ToolSpec,
} from './tool-spec.ts';
export type { ToolName } from './tools.ts';
export { VERSION } from './version.ts';
export type {
  CalibrationAdvisory,
  CalibrationCheck,
  CalibrationIssue,
  CalibrationStatus,
} from './tools/calibration-answer.ts';
export type {
  Action,
  Basin,
  Edge,
  Health,
  MarginWord,
  Phase,
  Provenance,
  Regime,
  StandingWord,
  SubAction,
  Verdict,
  VerdictWord,
} from './tools/check-in-words.ts';
export type { ResponseMode, TaskType, VerificationSource } from './tools/core.ts';
export type {
  CorroborationGrade,
  ExternalOutcomeAnswer,
  OutcomeType,
  PredictionSource,
} from './tools/outcome-answer.ts';
export {
  FINDING_CLOSURES,
  FINDING_RESPONSES,
  FINDING_SEVERITIES,
  FINDING_STATUSES,
  FINDING_TYPES,
} from './tools/finding-words.ts';
