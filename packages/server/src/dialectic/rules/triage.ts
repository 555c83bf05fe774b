import { ok, refuse, type Result } from '@breakwater/contract';

const HIGH_RISK = ['paused', 'reject', 'unsafe', 'security', 'data loss', 'delete', 'drop', 'credential'];
const MANY_CONCERNS = 3;
const HIGH = 0.7;

/** What somebody wants to decide without a review. */
export interface Question {
  readonly issue: string;
  /** null: none was taken yet. */
  readonly position: string | null;
  readonly concerns: readonly string[];
  /** 0 to 1. */
  readonly risk: number | null;
}

/** What speaks against deciding alone. */
type Flag =
  | 'issue_contains_high_risk_terms'
  | 'decision_context_contains_high_risk_terms'
  | 'three_or_more_concerns'
  | 'risk_score_at_or_above_0.70'
  | 'no_position_supplied';

/** Whether a question may be decided alone, and what speaks against it. */
export interface Triage {
  readonly recommendation: 'record_decision' | 'escalate_full_dialectic';
  readonly flags: readonly Flag[];
}

const mentions = (text: string): boolean => HIGH_RISK.some((term) => text.toLowerCase().includes(term));

/**
 * Looks at a question once, and remembers nothing (spec dialectic B.8): any flag asks for a whole review. Refuses a question
 * without words.
 */
export const triage = ({ issue, position, concerns, risk }: Question): Result<Triage> => {
  if (issue === '') {
    return refuse('MISSING_PARAMETER', 'issue_description: say what is to be decided.', {
      details: { parameter: 'issue_description' },
    });
  }
  const flags: readonly Flag[] = [
    ...(mentions(issue) ? (['issue_contains_high_risk_terms'] as const) : []),
    ...(position !== null && mentions(position) ? (['decision_context_contains_high_risk_terms'] as const) : []),
    ...(concerns.length >= MANY_CONCERNS ? (['three_or_more_concerns'] as const) : []),
    ...(risk !== null && risk >= HIGH ? (['risk_score_at_or_above_0.70'] as const) : []),
    ...(position === null ? (['no_position_supplied'] as const) : []),
  ];
  return ok({ recommendation: flags.length === 0 ? 'record_decision' : 'escalate_full_dialectic', flags });
};
