import type { AgentHead } from '../agents/index.ts';
import type { StoredCondition } from './rules/conditions.ts';
import { capComplexity, escalate, type CappedComplexity, type Escalation, type Severity } from './rules/enforcement.ts';

/** The conditions that an agent carries. They are written by a resolution alone, in the form that is read here. */
export const conditionsOf = ({ conditions }: Pick<AgentHead, 'conditions'>): readonly StoredCondition[] =>
  conditions as unknown as readonly StoredCondition[];

/** What an agent's conditions make of a check-in at `now`; undefined when it carries none, as most do. */
export const obligationsOf = (
  head: Pick<AgentHead, 'conditions'>,
  now: number,
):
  | {
      capComplexity(complexity: number): CappedComplexity;
      escalate(risk: number, decision: { readonly action: Severity; readonly reason: string }): Escalation;
    }
  | undefined => {
  const conditions = conditionsOf(head);
  if (conditions.length === 0) return undefined;
  return {
    capComplexity: (complexity) => capComplexity(conditions, complexity, now),
    escalate: (risk, decision) => escalate(conditions, risk, decision, now),
  };
};
