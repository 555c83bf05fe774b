/** Wire names of failure events and measurements. The family names are the reference's (spec storage_and_ops 4). */
export const FAILURE_EVENTS = {
  etsPgDivergence: 'coordination_failure.beam_python_boundary.ets_pg_divergence',
  beamToPythonRequestFailed: 'coordination_failure.beam_python_boundary.beam_to_python_request_failed',
  toolTimeout: 'coordination_failure.mcp_handler_timeout.tool_decorator',
  eventLoopDelay: 'coordination_failure.governance_mcp.event_loop_delay',
  storageUnavailable: 'coordination_failure.governance_mcp.storage_unavailable',
  handlerCrashed: 'coordination_failure.governance_mcp.handler_crashed',
} as const;
export type FailureEventType = (typeof FAILURE_EVENTS)[keyof typeof FAILURE_EVENTS];

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
  operatorRevoked: 'operator_revoked',
  lineageDeclared: 'lineage_declared',
  lineagePromoted: 'lineage_promoted',
  lineageDemoted: 'lineage_demoted',
  lineageGraceExpired: 'lineage_grace_expired',
  lineageCrossRoleRejected: 'lineage_cross_role_rejected',
  lineageCoincidentalRejected: 'lineage_coincidental_rejected',
  substrateEnrolled: 'substrate_enrolled',
  substrateRemoved: 'substrate_removed',
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
