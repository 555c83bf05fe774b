import {
  ok,
  AUDIT_EVENTS,
  refuse,
  type MarginWord,
  type Result,
  type Recovery,
  type Refusal,
} from '@breakwater/contract';
import type { Hold } from '../../agents/agent.ts';
import type { AgentHead, AuditDraft } from '../../agents/index.ts';
import { ownHold, refusedAct, verdictOf } from './acts.ts';
import { authorityOver, type Actor, type Authority, type StandingChange } from './authority.ts';
import { nextStep, SELF_RECOVERY_LIMITS } from './next-step.ts';
import { standingOf, type Standing } from './standings.ts';

const REVIEW: Recovery = {
  action: 'Ask for a review with request_review.',
  related_tools: ['request_review', 'operator_resume_agent'],
};
/** Only the agent itself, by its own proof: for an operator there is operator_resume_agent, with its own limits. */
const asOwner = (actor: Actor, target: AgentHead): Result<Authority> => {
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

const resumed = (
  authority: Authority,
  target: AgentHead,
  detail: Readonly<Record<string, unknown>>,
): Result<StandingChange> =>
  ok({
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
  | 'not_paused'
  | 'claims_pause'
  | 'conditions_pause'
  | 'operator_pause'
  | 'review_pause'
  | 'inherited_pause'
  | 'unknown_pause'
  | 'high_risk'
  | 'risk_unknown';

/** How an agent stands with respect to self recovery. Risks are from 0 to 1; null: nothing was measured. */
export interface SelfRecoveryCheck {
  /** Nothing blocks; whether quick, review, or both are open then depends on the risk. */
  readonly eligible: boolean;
  readonly blockers: readonly Blocker[];
  readonly quick_open: boolean;
  readonly review_open: boolean;
  readonly metrics: { readonly risk: number | null; readonly risk_latest: number | null; readonly V: number | null };
  /** The word of the newest check-in; null: there is none. */
  readonly margin: MarginWord | null;
  readonly thresholds: typeof SELF_RECOVERY_LIMITS;
  readonly recovery_policy: string;
  readonly recommendations: readonly string[];
}

const POLICY =
  'quick lifts a pause that risk put in force at a low risk; review lifts one at a moderate risk, for a reflection; a pause ' +
  'by the claims detector or for a broken condition is lifted by a review with others, by an operator, or by time; one that ' +
  'a review left in force or an operator made, and any other, by an operator, or by time when it has an end.';

/** The word for a pause that the agent does not lift itself. */
const BLOCKERS: Readonly<Partial<Record<Standing, Blocker>>> = {
  inherited: 'inherited_pause',
  claims_pause: 'claims_pause',
  conditions_pause: 'conditions_pause',
  operator_pause: 'operator_pause',
  review_cooldown: 'review_pause',
  review_held: 'review_pause',
  unknown_pause: 'unknown_pause',
};

const blockersOf = (target: AgentHead, hold: Hold | undefined): readonly Blocker[] => {
  const risk = target.vitals?.risk ?? Number.NaN;
  const standing = standingOf(target, hold);
  const verdict = verdictOf('owner', 'recover', standing);
  const blockers: Blocker[] = [];
  if (verdict === 'AGENT_NOT_RESUMABLE') blockers.push('not_paused');
  else if (verdict !== 'yes') blockers.push(BLOCKERS[standing] ?? 'unknown_pause');
  if (Number.isNaN(risk)) blockers.push('risk_unknown');
  if (risk > SELF_RECOVERY_LIMITS.blockerRisk) blockers.push('high_risk');
  return blockers;
};

/** Tells the agent what stands against its recovery, and which way is open. It changes nothing. */
export const checkSelfRecovery = (
  actor: Actor,
  target: AgentHead,
  now: number,
  hold: Hold | undefined = ownHold(target, now),
): Result<SelfRecoveryCheck> => {
  const authority = asOwner(actor, target);
  if (!authority.ok) return authority;
  const { vitals } = target;
  const risk = vitals?.risk ?? Number.NaN;
  const standing = verdictOf('owner', 'recover', standingOf(target, hold)) === 'yes';
  const open = {
    quick: standing && risk <= SELF_RECOVERY_LIMITS.quickRisk,
    review: standing && risk < SELF_RECOVERY_LIMITS.reviewRisk,
  };
  const blockers = blockersOf(target, hold);
  return ok({
    eligible: blockers.length === 0,
    blockers,
    quick_open: open.quick,
    review_open: open.review,
    metrics: { risk: vitals?.risk ?? null, risk_latest: vitals?.risk_latest ?? null, V: vitals?.V ?? null },
    margin: vitals?.margin ?? null,
    thresholds: SELF_RECOVERY_LIMITS,
    recovery_policy: POLICY,
    recommendations: [blockers.includes('not_paused') ? 'Nothing is to be recovered.' : nextStep(target, hold).say],
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
  hold: Hold | undefined = ownHold(target, now),
): Result<StandingChange> => {
  const authority = asOwner(actor, target);
  if (!authority.ok) return authority;
  const refused = refusedAct('recover', 'owner', target, hold);
  if (refused !== undefined) return refused;
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
  hold: Hold | undefined = ownHold(target, now),
): Result<StandingChange> => {
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
  const refused = refusedAct('recover', 'owner', target, hold);
  if (refused !== undefined) return refused;
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
