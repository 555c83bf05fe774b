import { ProtocolError } from './errors.ts';
import { isObject, numberOf, objectsOf, textOf, textsOf, type Json } from './json.ts';

/** What every result has: the answer as it came, for what the typed part leaves out. */
export interface Result {
  readonly raw: Json;
}

/** A pause in force, as far as an answer tells of it. Times are ISO 8601, UTC. */
export interface Pause {
  readonly reason: string | null;
  readonly pausedAt: string | null;
  /** null: it does not end by itself, or the answer does not say. */
  readonly expiresAt: string | null;
}

/** The answer to a check-in. */
export interface CheckIn extends Result {
  /** What to do: carry on, or stop acting. */
  readonly action: 'proceed' | 'pause';
  readonly paused: boolean;
  /** Finer than the action: `guide` is a proceed with advice. */
  readonly verdict: string | null;
  readonly reason: string | null;
  readonly guidance: string | null;
  readonly margin: string | null;
  /** To be sent with the result of the work, which the claim is then held against. */
  readonly predictionId: string | null;
  /** From 0 to 1; null: not known. */
  readonly risk: number | null;
  readonly metrics: Json;
  /** Number of this check-in, from 1; null: the answer does not say. */
  readonly update: number | null;
  readonly pause: Pause | null;
  /** Session id of a review that waits for this agent's answer; null: none does. */
  readonly reviewWaiting: string | null;
  readonly warnings: readonly string[];
}

/** The answer to a recorded result. */
export interface RecordedResult extends Result {
  readonly outcomeId: string | null;
  /** From 0 to 1. */
  readonly score: number | null;
  readonly isBad: boolean | null;
  /** How well it is backed by evidence, and what that weighs. */
  readonly grade: string | null;
  readonly weight: number | null;
  /** Whether it was held against a claim. */
  readonly graded: boolean;
  /** This result put a pause in force. */
  readonly paused: boolean;
  readonly pause: Pause | null;
  readonly warnings: readonly string[];
}

/** The state of an agent. */
export interface AgentState extends Result {
  readonly status: string | null;
  readonly paused: boolean;
  readonly pause: Pause | null;
  readonly verdict: string | null;
  readonly risk: number | null;
  readonly metrics: Json;
  /** Check-ins so far. */
  readonly updates: number | null;
}

/** Which agent the server takes the caller for. */
export interface Identity extends Result {
  /** Its id, which never changes. */
  readonly agentId: string | null;
  /** A readable name that several agents may share; no call takes it. */
  readonly handle: string | null;
  readonly displayName: string | null;
  readonly clientSessionId: string | null;
  readonly continuityToken: string | null;
  readonly archived: boolean;
  readonly pause: Pause | null;
}

/** A finding of the shared memory. */
export interface Finding extends Result {
  readonly id: string;
  readonly summary: string;
  readonly type: string | null;
  readonly severity: string | null;
  readonly status: string | null;
  readonly tags: readonly string[];
  readonly by: string | null;
  readonly details: string | null;
}

export interface FoundFindings extends Result {
  readonly count: number;
  readonly findings: readonly Finding[];
}

export interface StoredFinding extends Result {
  readonly id: string;
  /** Findings that say much the same. */
  readonly similar: readonly Json[];
  readonly warnings: readonly string[];
}

/** A review, as the caller may see it. */
export interface Review extends Result {
  readonly sessionId: string;
  readonly phase: string | null;
  /** `yours`, `not_yours`, or who has to move. */
  readonly whoseMove: string | null;
  /** What the caller can call now; null: nothing. */
  readonly nextAction: string | null;
  readonly pausedAgent: string | null;
  readonly reviewer: string | null;
  readonly awaitingFacilitation: boolean;
  /** After a synthesis: whether both agree. */
  readonly converged: boolean | null;
  /** Both agree, and the paused agent stays paused until an operator has confirmed it. */
  readonly awaitingConfirmation: boolean;
  readonly resolution: Json | null;
  readonly transcript: readonly Json[];
}

export interface ReviewList extends Result {
  readonly count: number;
  readonly reviews: readonly Review[];
}

/** Whether the agent may lift its pause itself, and how. */
export interface RecoveryCheck extends Result {
  readonly eligible: boolean;
  readonly blockers: readonly string[];
  readonly quickOpen: boolean;
  readonly reviewOpen: boolean;
  readonly recommendations: readonly string[];
}

const pauseIn = (value: unknown): Pause | null =>
  isObject(value)
    ? {
        reason: textOf(value['reason']),
        pausedAt: textOf(value['paused_at']),
        expiresAt: textOf(value['expires_at']),
      }
    : null;

/** The pause that a refused check-in tells of. */
export const pauseOfRefusal = (details: Json): Pause => {
  const recovery = details['recovery'];
  return {
    reason: textOf(details['reason']),
    pausedAt: textOf(details['paused_at']),
    expiresAt: isObject(recovery) ? textOf(recovery['expires_at']) : null,
  };
};

const objectIn = (value: unknown): Json => (isObject(value) ? value : {});

const STOPS: ReadonlySet<unknown> = new Set(['pause', 'reject']);
const GOES: ReadonlySet<unknown> = new Set(['proceed', 'guide', 'approve']);

/**
 * Reads a check-in's answer. The word of `decision.action` decides; where an older server has it is looked at, too. An
 * answer that names none of the known words is an error: it is never taken for a proceed (BW-sdk.02).
 */
export const readCheckIn = (raw: Json): CheckIn => {
  const whole = { ...objectIn(raw['raw_governance']), ...raw };
  const decision = objectIn(whole['decision']);
  const verdict = whole['verdict'];
  const told = decision['action'] ?? whole['action'] ?? (isObject(verdict) ? verdict['value'] : verdict);
  const inForce = pauseIn(whole['paused']) ?? pauseIn(whole['pause']);
  if (!STOPS.has(told) && !GOES.has(told)) {
    throw new ProtocolError('The check-in was answered without a decision that can be read.', raw);
  }
  const paused = STOPS.has(told) || inForce !== null || whole['paused'] === true;
  const metrics = objectIn(whole['metrics']);
  const reason = textOf(decision['reason']);
  return {
    action: paused ? 'pause' : 'proceed',
    paused,
    verdict: textOf(verdict),
    reason,
    guidance: textOf(decision['guidance']) ?? textOf(whole['guidance']),
    margin: textOf(decision['margin']) ?? textOf(whole['margin']),
    predictionId: textOf(whole['prediction_id']),
    risk: numberOf(metrics['risk']) ?? numberOf(metrics['risk_score']) ?? numberOf(whole['risk_score']),
    metrics,
    update: numberOf(whole['update']),
    pause: inForce === null ? null : { ...inForce, reason: inForce.reason ?? reason },
    reviewWaiting: textOf(objectIn(whole['review_waiting'])['session_id']),
    warnings: textsOf(whole['warnings']),
    raw,
  };
};

export const readRecorded = (raw: Json): RecordedResult => {
  const pause = pauseIn(raw['pause']);
  return {
    outcomeId: textOf(raw['outcome_id']),
    score: numberOf(raw['outcome_score']),
    isBad: typeof raw['is_bad'] === 'boolean' ? raw['is_bad'] : null,
    grade: textOf(raw['corroboration_grade']),
    weight: numberOf(raw['evidence_weight']),
    graded: raw['graded'] === true,
    paused: raw['paused'] === true || pause !== null,
    pause,
    warnings: textsOf(raw['warnings']),
    raw,
  };
};

export const readState = (raw: Json): AgentState => {
  const metrics = objectIn(raw['metrics']);
  const pause = pauseIn(raw['pause']);
  const status = textOf(raw['status']);
  return {
    status,
    paused: pause !== null || status === 'paused',
    pause,
    verdict: textOf(raw['verdict']),
    risk: numberOf(metrics['risk']) ?? numberOf(metrics['risk_score']),
    metrics,
    updates: numberOf(raw['update']),
    raw,
  };
};

export const readIdentity = (raw: Json): Identity => ({
  agentId: textOf(raw['uuid']) ?? textOf(raw['agent_uuid']) ?? textOf(objectIn(raw['bound_identity'])['uuid']),
  handle: textOf(raw['agent_id']),
  displayName: textOf(raw['display_name']),
  clientSessionId: textOf(raw['client_session_id']),
  continuityToken: textOf(raw['continuity_token']),
  archived: raw['archived'] === true,
  pause: pauseIn(raw['pause']),
  raw,
});

const readFinding = (raw: Json): Finding => ({
  id: textOf(raw['id']) ?? textOf(raw['discovery_id']) ?? '',
  summary: textOf(raw['summary']) ?? '',
  type: textOf(raw['type']),
  severity: textOf(raw['severity']),
  status: textOf(raw['status']),
  tags: textsOf(raw['tags']),
  by: textOf(raw['by']),
  details: textOf(raw['details']),
  raw,
});

export const readFound = (raw: Json): FoundFindings => {
  const findings = objectsOf(raw['discoveries'] ?? raw['results']).map(readFinding);
  return { count: numberOf(raw['count']) ?? findings.length, findings, raw };
};

/** One finding, under `discovery` or at the top. */
export const readOneFinding = (raw: Json): Finding => {
  const inner = objectIn(raw['discovery']);
  const finding = readFinding({ ...raw, ...inner });
  if (finding.id === '') throw new ProtocolError('The answer holds no finding.', raw);
  return { ...finding, raw };
};

export const readStored = (raw: Json): StoredFinding => {
  const id = textOf(raw['discovery_id']) ?? textOf(raw['note_id']);
  if (id === null) throw new ProtocolError('The finding was answered without its id.', raw);
  return { id, similar: objectsOf(raw['similar']), warnings: textsOf(raw['warnings']), raw };
};

export const readReview = (raw: Json): Review => {
  const sessionId = textOf(raw['session_id']);
  if (sessionId === null) throw new ProtocolError('The review was answered without its id.', raw);
  return {
    sessionId,
    phase: textOf(raw['phase']),
    whoseMove: textOf(raw['whose_move']),
    nextAction: textOf(objectIn(raw['next_call'])['action']),
    pausedAgent: textOf(raw['paused_agent']),
    reviewer: textOf(raw['reviewer']),
    awaitingFacilitation: raw['awaiting_facilitation'] === true,
    converged: typeof raw['converged'] === 'boolean' ? raw['converged'] : null,
    awaitingConfirmation: objectIn(raw['confirmation'])['decision'] === 'open',
    resolution: isObject(raw['resolution']) ? raw['resolution'] : null,
    transcript: objectsOf(raw['transcript']),
    raw,
  };
};

export const readReviews = (raw: Json): ReviewList => {
  const reviews = objectsOf(raw['sessions']).map(readReview);
  return { count: numberOf(raw['session_count']) ?? reviews.length, reviews, raw };
};

export const readRecovery = (raw: Json): RecoveryCheck => ({
  eligible: raw['eligible'] === true,
  blockers: textsOf(raw['blockers']),
  quickOpen: raw['quick_open'] === true,
  reviewOpen: raw['review_open'] === true,
  recommendations: textsOf(raw['recommendations']),
  raw,
});
