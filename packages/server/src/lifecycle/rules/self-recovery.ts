import { accept, AUDIT_EVENTS, refuse, type Outcome, type Recovery, type Refusal } from '@breakwater/contract';
import type { AgentHead, AuditDraft } from '../../agents/index.ts';
import { authorityOver, isHeld, type Actor, type Authority, type StandingChange } from './authority.ts';

/** The limits of self recovery (spec dialectic I). Risks are the mean of the last ten check-ins, from 0 to 1. */
const SELF_RECOVERY_LIMITS = {
  /** Above it, check names the risk as a blocker. */
  blockerRisk: 0.65,
  /** Quick lifts a pause up to and including it. */
  quickRisk: 0.4,
  /** Review lifts a pause below it. */
  reviewRisk: 0.65,
  /** Characters that a reflection has at least, without the space around it. */
  reflectionCharacters: 20,
} as const;

const REVIEW: Recovery = {
  action: 'Ask for a review with request_review, or ask an operator.',
  related_tools: ['request_review', 'operator_resume_agent'],
};
/** No review is opened about a pause that a person decides on. */
const OPERATOR: Recovery = {
  action: 'Wait until the pause ends, where it has an end, or ask an operator.',
  related_tools: ['operator_resume_agent'],
};

type Refused = { readonly ok: false; readonly refusal: Refusal };

/** Only the agent itself, by its own proof: for an operator there is operator_resume_agent, with its own limits. */
const asOwner = (actor: Actor, target: AgentHead): Outcome<Authority> => {
  const { agentId, operator } = actor;
  if (agentId !== target.agentId && (agentId !== undefined || operator !== undefined)) {
    return refuse('FORBIDDEN', 'An agent recovers only itself.', {
      recovery: {
        action: 'Recover your own identity; an operator resumes another with operator_resume_agent.',
        related_tools: ['operator_resume_agent'],
      },
    });
  }
  return authorityOver({ ...actor, operator: undefined }, target);
};

/** Pauses that the agent does not lift itself, with the reason: a circuit breaker that resets itself protects nothing. */
const LIFTED_BY_OTHERS: Readonly<Record<string, string>> = {
  claims_pause: 'Results contradict what the agent claimed',
  operator_pause: 'An operator paused the agent',
  review_cooldown: 'A review agreed on it',
  review_block: 'A review agreed on it',
  review_escalate: 'A review agreed on it',
};

/** Why somebody else must lift the pause; undefined: nobody must. Of a pause without its record nobody knows who may. */
const needsOthers = (target: AgentHead, now: number): string | undefined => {
  if (!isHeld(target, now)) return undefined;
  if (target.pause === null) return 'Nobody knows what paused the agent';
  return LIFTED_BY_OTHERS[target.pause.sub_action];
};

/** Who lifts a pause that the agent does not lift itself. */
const wayOut = ({ pause }: AgentHead): Recovery => {
  const blocker = blockerOf(pause);
  return blocker === 'operator_pause' || blocker === 'review_pause' ? OPERATOR : REVIEW;
};

const isRecoverable = ({ status }: AgentHead): boolean => status === 'paused' || status === 'waiting_input';

const refuseStanding = (target: AgentHead, now: number): Refused | undefined => {
  const { status, pause } = target;
  if (!isRecoverable(target)) {
    return refuse('AGENT_NOT_RESUMABLE', `The agent is ${status}.`, { details: { status } });
  }
  const why = needsOthers(target, now);
  if (why === undefined) return undefined;
  return refuse('FORBIDDEN', `${why}; it does not lift this pause itself.`, {
    details: { sub_action: pause?.sub_action ?? null, expires_at: pause?.expires_at ?? null },
    recovery: wayOut(target),
  });
};

const resumed = (
  authority: Authority,
  target: AgentHead,
  detail: Readonly<Record<string, unknown>>,
): Outcome<StandingChange> =>
  accept({
    status: 'active',
    pause: null,
    events: [
      {
        type: AUDIT_EVENTS.agentResumed,
        payload: {
          ...authority,
          ...detail,
          risk: target.vitals?.risk ?? null,
          previous_status: target.status,
          actuation_id: target.pause?.actuation_id ?? null,
        },
      },
    ],
  });

const riskText = (risk: number | null): string => `The risk is ${risk === null ? 'unknown' : risk.toFixed(4)}`;

/** What stands against a self recovery; `risk_unknown` also stands for a risk that is no number. */
export type Blocker =
  'not_paused' | 'claims_pause' | 'operator_pause' | 'review_pause' | 'unknown_pause' | 'high_risk' | 'risk_unknown';

/** How an agent stands with respect to self recovery. Risks are from 0 to 1; null: nothing was measured. */
export interface SelfRecoveryCheck {
  /** Nothing blocks; whether quick, review, or both are open then depends on the risk. */
  readonly eligible: boolean;
  readonly blockers: readonly Blocker[];
  readonly quick_open: boolean;
  readonly review_open: boolean;
  readonly metrics: { readonly risk: number | null; readonly risk_latest: number | null; readonly V: number | null };
  /** The word of the newest check-in; null: there is none. */
  readonly margin: string | null;
  readonly thresholds: typeof SELF_RECOVERY_LIMITS;
  readonly recovery_policy: string;
  readonly recommendations: readonly string[];
}

const POLICY =
  'quick lifts a pause at a low risk; review lifts one at a moderate risk, for a reflection; a pause by the claims ' +
  'detector is lifted by a review with others, by an operator, or by time; one that a review left in force or an ' +
  'operator made, by an operator, or by time when it has an end.';

const blockerOf = (pause: AgentHead['pause']): Blocker => {
  if (pause === null) return 'unknown_pause';
  const { sub_action: kind } = pause;
  return kind === 'claims_pause' || kind === 'operator_pause' ? kind : 'review_pause';
};

const blockersOf = (target: AgentHead, now: number): readonly Blocker[] => {
  const risk = target.vitals?.risk ?? Number.NaN;
  const blockers: Blocker[] = [];
  if (!isRecoverable(target)) blockers.push('not_paused');
  if (needsOthers(target, now) !== undefined) blockers.push(blockerOf(target.pause));
  if (Number.isNaN(risk)) blockers.push('risk_unknown');
  if (risk > SELF_RECOVERY_LIMITS.blockerRisk) blockers.push('high_risk');
  return blockers;
};

const recommend = (
  target: AgentHead,
  open: { readonly quick: boolean; readonly review: boolean },
  now: number,
): string => {
  if (!isRecoverable(target)) return 'Nothing is to be recovered.';
  if (needsOthers(target, now) !== undefined) return wayOut(target).action;
  if (open.quick) return 'Call self_recovery(action=quick).';
  if (open.review) return 'Call self_recovery(action=review) with a reflection on what went wrong.';
  return REVIEW.action;
};

/** Tells the agent what stands against its recovery, and which way is open. It changes nothing. */
export const checkSelfRecovery = (actor: Actor, target: AgentHead, now: number): Outcome<SelfRecoveryCheck> => {
  const authority = asOwner(actor, target);
  if (!authority.ok) return authority;
  const { vitals } = target;
  const risk = vitals?.risk ?? Number.NaN;
  const standing = isRecoverable(target) && needsOthers(target, now) === undefined;
  const open = {
    quick: standing && risk <= SELF_RECOVERY_LIMITS.quickRisk,
    review: standing && risk < SELF_RECOVERY_LIMITS.reviewRisk,
  };
  const blockers = blockersOf(target, now);
  return accept({
    eligible: blockers.length === 0,
    blockers,
    quick_open: open.quick,
    review_open: open.review,
    metrics: { risk: vitals?.risk ?? null, risk_latest: vitals?.risk_latest ?? null, V: vitals?.V ?? null },
    margin: vitals?.margin ?? null,
    thresholds: SELF_RECOVERY_LIMITS,
    recovery_policy: POLICY,
    recommendations: [recommend(target, open, now)],
  });
};

/**
 * The agent lifts its own pause or ends its wait, at a low risk. An unknown risk is not low. Refused with
 * NOT_SAFE_FOR_QUICK_RESUME above the threshold, which the refusal names (BW-dialectic.10).
 */
export const quickRecovery = (
  actor: Actor,
  target: AgentHead,
  args: { readonly reason: string | null },
  now: number,
): Outcome<StandingChange> => {
  const authority = asOwner(actor, target);
  if (!authority.ok) return authority;
  const standing = refuseStanding(target, now);
  if (standing !== undefined) return standing;
  const risk = target.vitals?.risk ?? null;
  const limit = SELF_RECOVERY_LIMITS.quickRisk;
  if (risk === null || !(risk <= limit)) {
    return refuse('NOT_SAFE_FOR_QUICK_RESUME', `${riskText(risk)}; quick needs a risk of at most ${limit}.`, {
      details: { failed_checks: ['risk'], risk, limit },
    });
  }
  return resumed(authority.value, target, { via: 'self_recovery_quick', reason: args.reason });
};

const UNSAFE_PHRASES: readonly string[] = [
  'disable',
  'bypass',
  'ignore safety',
  'remove monitoring',
  'skip governance',
  'override limits',
];

const unsafePhrasesIn = (condition: string): readonly string[] => {
  const text = condition.toLowerCase().replace(/\s+/gu, ' ');
  return UNSAFE_PHRASES.filter((phrase) => text.includes(phrase));
};

/**
 * The agent lifts its own pause or ends its wait for a reflection on what went wrong, at a moderate risk. The reflection,
 * the root cause and the conditions stand in the audit trail; the conditions are not enforced. Refused with
 * REFLECTION_REQUIRED, UNSAFE_CONDITIONS, or SOFT_SAFETY_FAILED at a risk that is too high or unknown; the refusal names
 * the threshold (BW-dialectic.10).
 */
export const reviewRecovery = (
  actor: Actor,
  target: AgentHead,
  args: { readonly reflection: string; readonly rootCause: string | null; readonly conditions: readonly string[] },
  now: number,
): Outcome<StandingChange> => {
  const authority = asOwner(actor, target);
  if (!authority.ok) return authority;
  const reflection = args.reflection.trim();
  const characters = Array.from(reflection).length;
  const least = SELF_RECOVERY_LIMITS.reflectionCharacters;
  if (characters < least) {
    return refuse('REFLECTION_REQUIRED', `reflection: has ${characters} characters and needs at least ${least}.`, {
      details: { parameter: 'reflection', characters, limit: least },
    });
  }
  const unsafe = args.conditions.filter((condition) => unsafePhrasesIn(condition).length > 0);
  if (unsafe.length > 0) {
    const phrases = [...new Set(unsafe.flatMap(unsafePhrasesIn))];
    return refuse('UNSAFE_CONDITIONS', `conditions: must not hold "${phrases.join('", "')}".`, {
      details: { parameter: 'conditions', conditions: unsafe, phrases },
    });
  }
  const standing = refuseStanding(target, now);
  if (standing !== undefined) return standing;
  const risk = target.vitals?.risk ?? null;
  const limit = SELF_RECOVERY_LIMITS.reviewRisk;
  if (risk === null || !(risk < limit)) {
    return refuse('SOFT_SAFETY_FAILED', `${riskText(risk)}; review needs a risk below ${limit}.`, {
      details: { failed_checks: ['risk'], risk, limit },
      recovery: REVIEW,
    });
  }
  const { rootCause, conditions } = args;
  return resumed(authority.value, target, {
    via: 'self_recovery_review',
    reflection,
    root_cause: rootCause,
    conditions,
  });
};

/** A reflection stands in the audit trail also when the risk was too high to act on it (spec dialectic I). */
export const refusedReviewRecord = (
  { code, details }: Refusal,
  args: { readonly reflection: string; readonly rootCause: string | null; readonly conditions: readonly string[] },
): AuditDraft | undefined =>
  code === 'SOFT_SAFETY_FAILED'
    ? {
        type: AUDIT_EVENTS.recoveryRefused,
        payload: {
          via: 'self_recovery_review',
          reflection: args.reflection.trim(),
          root_cause: args.rootCause,
          conditions: args.conditions,
          ...details,
        },
      }
    : undefined;
