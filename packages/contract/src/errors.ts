import type { Recovery } from './result.ts';

/** The four families a client can branch on without knowing the code. */
export type ErrorCategory = 'validation_error' | 'auth_error' | 'state_error' | 'system_error';

interface ErrorEntry {
  readonly category: ErrorCategory;
  /**
   * HTTP status of the transport. 200 means: the transport did its work and the tool refused, so the refusal stands in
   * the result (the reference's clients expect that). Anything else answers for the transport itself.
   */
  readonly status: 200 | 400 | 401 | 404 | 405 | 413 | 415 | 503;
  /** When the code is raised. */
  readonly when: string;
  readonly recovery: Recovery;
}

const entry = (
  category: ErrorCategory,
  status: ErrorEntry['status'],
  when: string,
  action: string,
  related_tools: readonly string[] = [],
): ErrorEntry => ({ category, status, when, recovery: { action, ...(related_tools.length > 0 && { related_tools }) } });

/**
 * The error catalogue: the only place that names an error code. Each entry says when it is raised and the way out, so
 * that no refusal reaches a caller without one (BW-dispatch.08).
 */
export const ERRORS = {
  MISSING_PARAMETER: entry(
    'validation_error',
    200,
    'one or more required arguments are absent',
    'Send the missing arguments; describe_tool shows the schema.',
    ['describe_tool'],
  ),
  PARAMETER_ERROR: entry(
    'validation_error',
    200,
    'one or more arguments break their rule',
    'Correct the named arguments; describe_tool shows the schema.',
    ['describe_tool'],
  ),
  TOOL_NOT_FOUND: entry(
    'validation_error',
    200,
    'no tool and no alias has this name',
    'Call list_tools for the names.',
    ['list_tools'],
  ),
  BAD_REQUEST: entry(
    'validation_error',
    400,
    'the body is not a JSON object of the expected form',
    'Send {"name": "<tool>", "arguments": {…}} as application/json.',
  ),
  ROUTE_NOT_FOUND: entry('validation_error', 404, 'nothing is at the address', 'GET / names the endpoints.'),
  METHOD_NOT_ALLOWED: entry(
    'validation_error',
    405,
    'the address does not take the method',
    'Use a method that the Allow header names.',
  ),
  UNSUPPORTED_MEDIA_TYPE: entry(
    'validation_error',
    415,
    'the body is of another media type, or compressed',
    'Send JSON as application/json, without Content-Encoding.',
  ),
  PAYLOAD_TOO_LARGE: entry('validation_error', 413, 'the body exceeds the size limit', 'Send a smaller body.'),
  UNAUTHORIZED: entry(
    'auth_error',
    401,
    'the server requires a bearer token and none, or a wrong one, was sent',
    'Send "Authorization: Bearer <token>".',
  ),
  FORBIDDEN: entry('auth_error', 200, 'policy forbids this to the caller', 'Ask an operator.'),
  IDENTITY_REQUIRED: entry(
    'auth_error',
    200,
    'the tool needs an identity and the call carries no proof of one',
    'Call onboard, keep client_session_id, and send it with every call.',
    ['onboard', 'start_session'],
  ),
  SESSION_UNKNOWN: entry(
    'auth_error',
    200,
    'the session secret is unknown, expired or revoked',
    'Call onboard for a new session; the old secret never works again.',
    ['onboard', 'start_session'],
  ),
  IDENTITY_CONFLICT: entry(
    'auth_error',
    200,
    'two pieces of evidence in one call name different agents',
    'Send only the session that belongs to this agent.',
    ['identity'],
  ),
  LINEAGE_DECLARATION_REQUIRED: entry(
    'auth_error',
    200,
    'under identity_strict_mode=enforce, an onboard brings no proof and does not say that it wants a new identity',
    'Send client_session_id to resume, or force_new=true for a new identity, with parent_agent_id if it continues one.',
    ['onboard'],
  ),
  CONTINUITY_TOKEN_RESUME_RETIRED: entry(
    'auth_error',
    200,
    'a continuity token was sent without the agent_uuid that it must stand beside',
    'Send agent_uuid and continuity_token together to identity, or client_session_id alone.',
    ['identity'],
  ),
  CONTINUITY_TOKEN_EXPIRED: entry(
    'auth_error',
    200,
    'the continuity token beside the uuid was issued more than 30 days ago',
    'Send client_session_id, if you still have one in force; else onboard with force_new=true and parent_agent_id=<the old uuid>, which says whom you continue.',
    ['onboard', 'identity'],
  ),
  BARE_UUID_RESUME_DENIED: entry(
    'auth_error',
    200,
    'a uuid was given to resume by, with no proof, or with one that does not hold',
    'Send the client_session_id of the agent, or its continuity_token beside agent_uuid; or onboard for a new identity.',
    ['onboard', 'identity'],
  ),
  SUBSTRATE_REQUIRES_SOCKET: entry(
    'auth_error',
    200,
    'the agent is enrolled: only its own process may act as it, over the unix socket',
    'Call over the unix socket from the enrolled process; an operator can end the enrolment.',
    ['identity'],
  ),
  OPERATOR_REQUIRED: entry(
    'auth_error',
    200,
    "the act is an operator's, and the call carries no operator credential that allows it",
    'Send an operator credential as "Authorization: Bearer bwo_…"; "breakwater operator create" makes one.',
  ),
  STRONG_IDENTITY_REQUIRED: entry(
    'auth_error',
    200,
    'the caller asked for strong identity and the proof is weaker',
    'Send client_session_id as an argument of the call.',
    ['identity'],
  ),
  AGENT_PAUSED: entry(
    'state_error',
    200,
    'the circuit breaker holds the agent; until the pause ends its check-ins are refused, and whatever changes itself',
    'Do what recovery.action says; it is the one step that is open.',
    ['check_working_state', 'identity'],
  ),
  AGENT_ARCHIVED: entry('state_error', 200, 'the agent is archived', 'Onboard a new agent.', ['onboard']),
  AGENT_ALREADY_ARCHIVED: entry('state_error', 200, 'the agent is archived already', 'Nothing is left to do.', [
    'agent',
  ]),
  AGENT_LOOKS_LIVE: entry(
    'state_error',
    200,
    'the agent to archive shows signs of life',
    'Look at liveness_signals; archive with force=true if it must end all the same.',
    ['agent'],
  ),
  AGENT_NOT_RESUMABLE: entry(
    'state_error',
    200,
    'the agent is in no state that a resume ends',
    'Look at its status; an active agent needs no resume, an archived one needs agent(action=update, status=active).',
    ['agent'],
  ),
  SOFT_SAFETY_FAILED: entry(
    'state_error',
    200,
    'the risk of the paused agent is too high to resume it without insisting',
    'Look at its evidence first; resume with force=true if it must go on all the same.',
    ['operator_resume_agent', 'agent'],
  ),
  NOT_SAFE_FOR_QUICK_RESUME: entry(
    'state_error',
    200,
    'the risk of the agent is too high, or unknown, for a quick self recovery',
    'Call self_recovery(action=review) with a reflection, or ask for a review with request_review.',
    ['self_recovery', 'request_review'],
  ),
  REFLECTION_REQUIRED: entry(
    'validation_error',
    200,
    'a self recovery by review comes without a reflection, or with one that is too short',
    'Say in reflection what went wrong and what you will do differently.',
    ['self_recovery'],
  ),
  UNSAFE_CONDITIONS: entry(
    'validation_error',
    200,
    'a condition would weaken the oversight that the agent recovers under',
    'Leave out or reword the conditions that the refusal names.',
    ['self_recovery'],
  ),
  INVALID_STATUS_TRANSITION: entry(
    'state_error',
    200,
    'the status cannot be reached like this',
    'agent(action=update) only sets status=active on an archived agent; archive, resume and delete are actions of their own.',
    ['agent'],
  ),
  INVALID_PREFERENCE: entry(
    'validation_error',
    200,
    'a preference has a value that it cannot have',
    'Send one of the values that the message names.',
    ['agent'],
  ),
  AGENT_NOT_FOUND: entry('state_error', 200, 'no agent has this id', 'Call identity to see who you are.', ['identity']),
  LOOP_DETECTED: entry(
    'state_error',
    200,
    'the agent repeats itself; check-ins are refused for a cool-down',
    'Do different work, wait for retry_after_seconds, then check in once.',
  ),
  RATE_LIMIT_EXCEEDED: entry(
    'state_error',
    200,
    'the caller used up its calls for this minute or hour',
    'Wait for retry_after_seconds.',
  ),
  IDEMPOTENCY_CONFLICT: entry(
    'state_error',
    200,
    'the idempotency key was used before for a different request',
    'Use a new key for a new request.',
  ),
  SEQUENCE_CONFLICT: entry(
    'state_error',
    200,
    'another writer changed the agent again and again while this call tried to',
    'Repeat the call, with the same idempotency key if it has one.',
  ),
  SAGA_IN_FLIGHT: entry(
    'state_error',
    200,
    'a resolution that names the session or one of its agents is being carried out',
    'Repeat the call in a few seconds; get shows what became of it.',
  ),
  DISCOVERY_NOT_FOUND: entry(
    'state_error',
    200,
    'no finding has this id',
    'knowledge(action=search) finds findings by words, tags and type.',
    ['knowledge'],
  ),
  SEARCH_MODE_UNAVAILABLE: entry(
    'validation_error',
    200,
    'the search asks for a mode that this server does not have',
    'Search with search_mode=auto: by words, then by any of them.',
    ['knowledge'],
  ),
  DIALECTIC_NOT_FOUND: entry('state_error', 200, 'no review has this id', 'dialectic(action=list) shows the reviews.', [
    'dialectic',
  ]),
  SESSION_EXISTS: entry(
    'state_error',
    200,
    'the agent has a review that has not ended',
    'Go on with that one: dialectic(action=get) shows whose move it is.',
    ['dialectic'],
  ),
  INVALID_PHASE: entry(
    'state_error',
    200,
    'the review is in a phase in which this cannot be done',
    'dialectic(action=get) shows the phase, whose move it is and the next call.',
    ['dialectic'],
  ),
  SELF_REVIEW: entry(
    'state_error',
    200,
    'the agent under review would be its own reviewer',
    'Name another agent, or leave the place open for one.',
    ['dialectic'],
  ),
  REVIEWER_PAUSED: entry(
    'state_error',
    200,
    'the agent named as reviewer is paused itself',
    'Name an active agent, or none: then one is chosen.',
    ['dialectic'],
  ),
  REVIEWER_UNQUALIFIED: entry(
    'state_error',
    200,
    'the agent lacks the record of a reviewer, is related to the paused agent, or comes from its place',
    'Leave the review to an agent that qualifies, or have an operator assign a reviewer.',
    ['dialectic'],
  ),
  NO_REVIEWER: entry(
    'state_error',
    200,
    'nobody that qualifies is free to review',
    'Name the reviewer in new_reviewer_id, or repeat the call when more agents are active.',
    ['dialectic', 'agent'],
  ),
  REASSIGN_FORBIDDEN: entry(
    'auth_error',
    200,
    'the caller is neither an operator nor the reviewer of the session',
    'Ask the reviewer or an operator to reassign the review.',
    ['dialectic'],
  ),
  REVIEWER_VERDICT_PENDING: entry(
    'state_error',
    200,
    'the agent under review agrees before its reviewer has given a verdict',
    'Wait for the verdict of the reviewer; dialectic(action=get) shows it.',
    ['dialectic'],
  ),
  SELF_CLEAR_REFUSED: entry(
    'state_error',
    200,
    'the agent under review agrees against an objection that stands',
    'Answer the objection with agrees=false and better conditions; only a reviewer can lift it, and an operator can name another.',
    ['dialectic'],
  ),
  EMPTY_AGREEMENT: entry(
    'validation_error',
    200,
    'a synthesis agrees, and no conditions were proposed to agree to',
    'Send proposed_conditions with the agreement.',
    ['dialectic'],
  ),
  CALIBRATION_BY_OUTCOMES_ONLY: entry(
    'state_error',
    200,
    'somebody asserts how good earlier claims were, instead of recording what came of the work',
    'Call record_result with the prediction_id of the check-in and what shows the result (exit_code, command, test); calibration follows from it.',
    ['record_result', 'calibration'],
  ),
  NOT_OFFERED: entry(
    'validation_error',
    200,
    'the reference has this tool or action, and this server deliberately does not',
    'Do what the message says instead; list_tools shows what there is.',
    ['list_tools'],
  ),
  TIMEOUT: entry(
    'system_error',
    200,
    'the tool passed its deadline; a message that had not started never will',
    'Repeat the call with the same idempotency_key, which makes the repeat harmless.',
  ),
  OVERLOADED: entry('system_error', 503, 'a bounded queue is full', 'Wait for Retry-After, then repeat.'),
  NOT_READY: entry('system_error', 503, 'the server is starting or stopping', 'Wait for Retry-After, then repeat.', [
    'health_check',
  ]),
  STORAGE_UNAVAILABLE: entry(
    'system_error',
    503,
    'PostgreSQL cannot be reached; nothing was written',
    'Wait for Retry-After, then repeat.',
    ['health_check'],
  ),
  INTERNAL_ERROR: entry(
    'system_error',
    200,
    'a bug; nothing was decided and nothing was written',
    'Repeat the call once, with the same idempotency key if it has one; if it fails again, give the operator the incident_id, which the log has.',
  ),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

/**
 * The refusals after which the same call may be made again: `wait` for the time that the answer names, in
 * `retry_after_seconds` or the header `Retry-After`; `repeat` at once or in some seconds, a write under its
 * `idempotency_key`, which makes the repeat harmless. Any other refusal stays one until something else has changed.
 */
export const REPEATS: Readonly<Partial<Record<ErrorCode, 'wait' | 'repeat'>>> = {
  RATE_LIMIT_EXCEEDED: 'wait',
  LOOP_DETECTED: 'wait',
  OVERLOADED: 'wait',
  NOT_READY: 'wait',
  STORAGE_UNAVAILABLE: 'wait',
  TIMEOUT: 'repeat',
  SEQUENCE_CONFLICT: 'repeat',
  SAGA_IN_FLIGHT: 'repeat',
  INTERNAL_ERROR: 'repeat',
};

/** The 503 contract: one body and one header for every route while the runtime cannot serve (W3-3.12, W3-10.05). */
export const UNAVAILABLE_RETRY_SECONDS = 5;
export const unavailableBody = (reason = 'handler_dispatch_unavailable') =>
  ({
    ok: false,
    error: 'governance_temporarily_unavailable',
    reason,
    retry_after_seconds: UNAVAILABLE_RETRY_SECONDS,
  }) as const;
