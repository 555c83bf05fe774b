import { AUDIT_EVENTS } from '@breakwater/contract';
import type { AuditDraft, Lineage } from '../../agents/index.ts';
import type { Score } from './continuity-score.ts';
import { isTerminal } from './lineage.ts';

/** A claim that nobody settles is given up after this long. */
const GRACE_DAYS = 30;
const GRACE_MS = GRACE_DAYS * 86_400_000;
/** One evaluation of an agent at most in this time. */
const CADENCE_MS = 3_600_000;

/** An agent's claim when its turn comes. */
interface Claim {
  readonly lineage: Lineage;
  readonly parentAgentId: string | null;
  readonly now: number;
}

/**
 * What an evaluation found. A skip changes nothing, but for a failed scorer, whose turn is used up: `lineage` carries the
 * stamp. `clearsParent`: the declared parent must be taken away. Only a change of state has an audit row.
 */
export type Evaluation =
  | { readonly kind: 'skip'; readonly reason: 'no_parent' | 'terminal_state' | 'within_cadence' }
  | { readonly kind: 'skip'; readonly reason: 'r1_error'; readonly lineage: Lineage }
  | { readonly kind: 'stamp'; readonly lineage: Lineage }
  | {
      readonly kind: 'confirm' | 'demote' | 'archive';
      readonly lineage: Lineage;
      readonly clearsParent: boolean;
      readonly event: AuditDraft;
    };

/** What needs no score: a reason to skip, or the end of the grace. */
const beforeScore = ({ lineage, parentAgentId, now }: Claim): Exclude<Evaluation, { kind: 'stamp' }> | undefined => {
  if (parentAgentId === null) return { kind: 'skip', reason: 'no_parent' };
  if (isTerminal(lineage)) return { kind: 'skip', reason: 'terminal_state' };
  if (lineage.last_eval_at !== null && now - Date.parse(lineage.last_eval_at) < CADENCE_MS) {
    return { kind: 'skip', reason: 'within_cadence' };
  }
  if (lineage.provisional && lineage.declared_at !== null && now - Date.parse(lineage.declared_at) > GRACE_MS) {
    const at = new Date(now).toISOString();
    return {
      kind: 'archive',
      lineage: { ...lineage, archived_at: at, declared_at: null, provisional: false, last_eval_at: at },
      clearsParent: false,
      event: {
        type: AUDIT_EVENTS.lineageGraceExpired,
        payload: { parent_id: parentAgentId, declared_at: lineage.declared_at, grace_days: GRACE_DAYS },
      },
    };
  }
  return undefined;
};

/** Whether the scorer has to be run before {@link evaluateLineage} can decide. */
export const needsScore = (claim: Claim): boolean => beforeScore(claim) === undefined;

const evidenceOf = (score: Score) => ({
  plausibility: score.plausibility,
  observations: score.observations,
  parent_mature: score.parentMature,
  components: score.components,
  reasons: score.reasons,
});

/**
 * Evaluates a declared parent (spec identity a.4, BW-identity.10). Demoted and archived are final; a confirmed claim can
 * only be demoted. The end of the grace passes the same guards as the rest [ours]. A score that is missing although it
 * is needed counts like a failed one: nothing is decided without a measurement.
 */
export const evaluateLineage = (claim: Claim & { readonly score: Score | undefined | 'error' }): Evaluation => {
  const early = beforeScore(claim);
  if (early !== undefined) return early;
  const { lineage, parentAgentId, score, now } = claim;
  const at = new Date(now).toISOString();
  const stamped: Lineage = { ...lineage, last_eval_at: at };
  if (score === undefined || score === 'error') return { kind: 'skip', reason: 'r1_error', lineage: stamped };
  const confirmed = lineage.confirmed_at !== null;
  if (score.plausibility === 'plausible' && !confirmed) {
    return {
      kind: 'confirm',
      lineage: { ...stamped, confirmed_at: at, provisional: false },
      clearsParent: false,
      event: { type: AUDIT_EVENTS.lineagePromoted, payload: { parent_id: parentAgentId, ...evidenceOf(score) } },
    };
  }
  if (score.plausibility === 'unsupported') {
    const reason = confirmed ? 'post_promotion_divergence' : 'r1_unsupported';
    return {
      kind: 'demote',
      lineage: { ...stamped, demoted_at: at, provisional: false, chain_obs_count: 0 },
      clearsParent: true,
      event: { type: AUDIT_EVENTS.lineageDemoted, payload: { parent_id: parentAgentId, reason, ...evidenceOf(score) } },
    };
  }
  return { kind: 'stamp', lineage: stamped };
};
