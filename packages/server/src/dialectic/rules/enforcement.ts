import { isInForce, type StoredCondition } from './conditions.ts';

/** A complexity as it counts, and the warning that says that it was capped. */
export interface CappedComplexity {
  readonly complexity: number;
  readonly warning: string | null;
}

const limitsOf = (
  conditions: readonly StoredCondition[],
  kind: 'complexity_cap' | 'risk_target',
  now: number,
): readonly number[] =>
  conditions.flatMap((condition) => (condition.kind === kind && isInForce(condition, now) ? [condition.limit] : []));

/** Caps the complexity of a check-in at the lowest cap in force; before it is scored (spec dialectic E.4). */
export const capComplexity = (
  conditions: readonly StoredCondition[],
  complexity: number,
  now: number,
): CappedComplexity => {
  const cap = Math.min(...limitsOf(conditions, 'complexity_cap', now));
  if (!(complexity > cap)) return { complexity, warning: null };
  const change = `${complexity.toFixed(2)} capped to ${cap.toFixed(2)}`;
  return { complexity: cap, warning: `Dialectic condition enforced: complexity ${change}` };
};

const RANKS = { proceed: 0, guide: 1, pause: 2, reject: 3 } as const;

/** The decision of a check-in in one word, from mild to severe: proceed, guide, pause, reject. */
export type Severity = keyof typeof RANKS;

/** A decision after the conditions: the same, or a more severe one, never a milder. */
export interface Escalation {
  readonly action: Severity;
  readonly reason: string;
  readonly escalated: boolean;
  /** One for each target that the risk exceeds. */
  readonly warnings: readonly string[];
}

/** From this part of the target on, the risk above it pauses. */
const SEVERE_OVERSHOOT = 0.5;

/**
 * Holds a scored check-in against the risk targets in force (spec dialectic E.4): a risk above one guides, one above it
 * by more than half of it pauses. `risk` is the risk that the decision was made on.
 */
export const escalate = (
  conditions: readonly StoredCondition[],
  risk: number,
  decision: { readonly action: Severity; readonly reason: string },
  now: number,
): Escalation => {
  const exceeded = limitsOf(conditions, 'risk_target', now).filter((target) => risk > target);
  const warnings = exceeded.map(
    (target) => `Dialectic condition: risk ${risk.toFixed(2)} exceeds target ${target.toFixed(2)}`,
  );
  const action = exceeded
    .map((target): Severity => (risk - target > SEVERE_OVERSHOOT * target ? 'pause' : 'guide'))
    .reduce((worst, next) => (RANKS[next] > RANKS[worst] ? next : worst), decision.action);
  const escalated = action !== decision.action;
  const reason = escalated ? `${decision.reason} [escalated by dialectic conditions]` : decision.reason;
  return { action, reason, escalated, warnings };
};
