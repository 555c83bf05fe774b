/**
 * Wire names of failures: rows of `audit.coordination_events`. Families are the reference's. A name is never changed nor used
 * for something else; what each says stands in docs/channel.md, which a test holds against this list (W3-8.10).
 */
export const FAILURE_EVENTS = {
  connectError: 'coordination_failure.asyncpg_connect_error.runtime',
  poolExhausted: 'coordination_failure.executor_pool_exhaustion.acquire_timeout',
  expiredInQueue: 'coordination_failure.anyio_cancellation.expired_in_queue',
  toolTimeout: 'coordination_failure.mcp_handler_timeout.tool_decorator',
  identityTimeout: 'coordination_failure.mcp_handler_timeout.identity_step',
  beamToPythonRequestFailed: 'coordination_failure.beam_python_boundary.beam_to_python_request_failed',
  shadowDivergence: 'coordination_failure.beam_python_boundary.shadow_divergence',
  etsPgDivergence: 'coordination_failure.beam_python_boundary.ets_pg_divergence',
  cutover503RateBreach: 'coordination_failure.governance_mcp.cutover_503_rate_breach',
  eventLoopDelay: 'coordination_failure.governance_mcp.event_loop_delay',
  storageUnavailable: 'coordination_failure.governance_mcp.storage_unavailable',
  handlerCrashed: 'coordination_failure.governance_mcp.handler_crashed',
} as const;
export type FailureEventType = (typeof FAILURE_EVENTS)[keyof typeof FAILURE_EVENTS];

/** Wire names of measurements: rows of `audit.coordination_measurements`. The rules of the failures' names hold here, too. */
export const MEASUREMENT_EVENTS = {
  request: 'measurement.governance_mcp.request',
  unavailable: 'measurement.governance_mcp.503_emission',
  samplesDropped: 'measurement.governance_mcp.samples_dropped',
  boundaryRequest: 'measurement.beam_python_boundary.request',
} as const;
export type MeasurementEventType = (typeof MEASUREMENT_EVENTS)[keyof typeof MEASUREMENT_EVENTS];

/** Types of rows in the audit trail (`audit.events`). */
export const AUDIT_EVENTS = {
  agentCreated: 'lifecycle_created',
  agentRenamed: 'agent_renamed',
  checkInRecorded: 'checkin_recorded',
  agentPaused: 'lifecycle_paused',
  pauseExpired: 'pause_auto_expired',
  loopDetected: 'lifecycle_loop_detected',
  voidEntered: 'void_alert',
  outcomeRecorded: 'outcome_recorded',
  sessionBound: 'session_bound',
  agentResumed: 'lifecycle_resumed',
  recoveryRefused: 'lifecycle_recovery_refused',
  agentArchived: 'agent_archived',
  agentReactivated: 'lifecycle_reactivated',
  agentDeleted: 'agent_deleted',
  agentUpdated: 'agent_updated',
  operatorCreated: 'operator_created',
  dialecticResolved: 'dialectic_resolved',
  reviewerAssigned: 'reviewer_assigned',
  reviewConfirmed: 'review_confirmed',
  reviewRejected: 'review_rejected',
  sagaRetried: 'saga_retried',
  sagaReverted: 'saga_reverted',
  operatorRevoked: 'operator_revoked',
  successorLinked: 'successor_linked',
  lineageDeclared: 'lineage_declared',
  lineagePromoted: 'lineage_promoted',
  lineageDemoted: 'lineage_demoted',
  lineageGraceExpired: 'lineage_grace_expired',
  lineageCrossRoleRejected: 'lineage_cross_role_rejected',
  lineageCoincidentalRejected: 'lineage_coincidental_rejected',
  substrateEnrolled: 'substrate_enrolled',
  substrateRemoved: 'substrate_removed',
  knowledgeWritten: 'knowledge_write',
  knowledgeRead: 'knowledge_read',
  knowledgeTended: 'knowledge_lifecycle',
} as const;
export type AuditEventType = (typeof AUDIT_EVENTS)[keyof typeof AUDIT_EVENTS];

/**
 * Types of suspicions about identity: rows of `audit.events` that stand outside every agent's chain, because the one who
 * caused them is not the agent that they name.
 */
export const IDENTITY_EVENTS = {
  hijackSuspected: 'identity_hijack_suspected',
  residentForkDetected: 'resident_fork_detected',
  concurrentBinding: 'identity_concurrent_binding',
  parentMismatch: 'identity_same_host_ppid_mismatch',
  unprovenWrite: 'identity_unproven_write',
} as const;
export type IdentityEventType = (typeof IDENTITY_EVENTS)[keyof typeof IDENTITY_EVENTS];
