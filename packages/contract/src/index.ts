/** What crosses the wire: tool specifications, aliases, the error catalogue, outcomes and event names. */
export { ALIASES, COMPLEXITY_WORDS } from './aliases.ts';
export {
  type ErrorEnvelope,
  type FieldProblem,
  type NormalizedParameter,
  type SuccessEnvelope,
  type ToolListing,
} from './envelope.ts';
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
export { AGENT_SORTS, AGENT_STATUS_FILTERS, VERDICTS } from './overview-words.ts';
export { accept, refuse, type Outcome, type Recovery, type Refusal } from './outcome.ts';
export { CLAIMS_LIMITS, PREDICTION_HOURS } from './policy.ts';
export { readTime, TIME_RULE } from './time.ts';
export {
  type ActionAnswerOf,
  type ActionSpec,
  type AnswerOf,
  type IdentityNeed,
  type ToolAlias,
  type ToolCategory,
  type ToolExample,
  type ToolSpec,
} from './tool-spec.ts';
export { TOOLS, WORKFLOW, type ToolName } from './tools.ts';
export { VERSION } from './version.ts';
export { calibration } from './tools/calibration.ts';
export {
  calibrationCheck,
  type CalibrationAdvisory,
  type CalibrationCheck,
  type CalibrationIssue,
  type CalibrationStatus,
} from './tools/calibration-answer.ts';
export {
  type Action,
  type Basin,
  type Edge,
  type Health,
  type MarginWord,
  type Phase,
  type Provenance,
  type Regime,
  type StandingWord,
  type SubAction,
  type Verdict,
  type VerdictWord,
} from './tools/check-in-words.ts';
export {
  getGovernanceMetrics,
  outcomeEvent,
  processAgentUpdate,
  simulateUpdate,
  type ResponseMode,
  type TaskType,
  type VerificationSource,
} from './tools/core.ts';
export { dialectic } from './tools/dialectic.ts';
export { describeTool, getServerInfo, healthCheck, listTools } from './tools/discovery.ts';
export { flags } from './tools/flags.ts';
export { admin, config, NOT_OFFERED, notices, notOffered, observe, report } from './tools/fleet.ts';
export { externalOutcome } from './tools/external-outcome.ts';
export {
  externalOutcomeAnswer,
  type CorroborationGrade,
  type ExternalOutcomeAnswer,
  type OutcomeType,
  type PredictionSource,
} from './tools/outcome-answer.ts';
export { timeText } from './tools/common.ts';
export { bindSession, identity, onboard } from './tools/identity.ts';
export {
  FINDING_CLOSURES,
  FINDING_RESPONSES,
  FINDING_SEVERITIES,
  FINDING_STATUSES,
  FINDING_TYPES,
} from './tools/finding-words.ts';
export { knowledge } from './tools/knowledge.ts';
export { operators, saga } from './tools/operator.ts';
export { agent, archiveOrphanAgents, detectStuckAgents, operatorResumeAgent, selfRecovery } from './tools/lifecycle.ts';
