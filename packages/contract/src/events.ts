/** Wire names of failure events and measurements. The family names are the reference's (spec storage_and_ops 4). */
export const FAILURE_EVENTS = {
  etsPgDivergence: 'coordination_failure.beam_python_boundary.ets_pg_divergence',
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
} as const;
export type AuditEventType = (typeof AUDIT_EVENTS)[keyof typeof AUDIT_EVENTS];
