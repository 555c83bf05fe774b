import type { OutcomeType, VerificationSource } from '@breakwater/contract';
import { stripProvenance } from './provenance.ts';

type Json = Readonly<Record<string, unknown>>;

/** How an outcome is known, weakest first. */
type CorroborationGrade =
  'claim_only' | 'self_report_with_refs' | 'tool_observed' | 'substrate_observed' | 'externally_verified';

/** What a grade weighs as evidence, 0 to 1 (spec storage_and_ops 2.1). */
export const GRADE_WEIGHT: Readonly<Record<CorroborationGrade, number>> = {
  claim_only: 0.1,
  self_report_with_refs: 0.35,
  tool_observed: 0.65,
  substrate_observed: 0.85,
  externally_verified: 1,
};

/** What it takes to be known like this, for people. */
export const GRADE_MEANING: Readonly<Record<CorroborationGrade, string>> = {
  claim_only: 'words',
  self_report_with_refs: 'a reference: pr, commit, ci, test, command, tool, file or url',
  tool_observed: 'a command or tool together with its exit_code, or kind=test together with its result',
  substrate_observed: 'observed by the server or its machine; only an operator can say so',
  externally_verified: 'confirmed from outside; only an operator can say so',
};

/** An outcome as reported, before anything is believed. */
export interface OutcomeDraft {
  readonly type: OutcomeType;
  readonly detail: Json;
  readonly score?: number;
  readonly isBad?: boolean;
  readonly confidence?: number;
  readonly predictionId?: string;
}

/** An outcome with its standing. */
interface GradedOutcome {
  readonly isBad: boolean;
  /** 0 to 1; null for a neutral type without a score: it says neither success nor failure. */
  readonly score: number | null;
  readonly grade: CorroborationGrade;
  readonly weight: number;
  /** Test data: stored, never learned from. */
  readonly fixture: boolean;
  readonly detail: Json;
  /** Paths in `detail` that were dropped because only the server may state them. */
  readonly stripped: readonly string[];
}

const BAD: ReadonlySet<OutcomeType> = new Set<OutcomeType>([
  'test_failed',
  'tool_rejected',
  'drawing_abandoned',
  'task_failed',
]);
const NEUTRAL: ReadonlySet<OutcomeType> = new Set<OutcomeType>([
  'trajectory_validated',
  'dialectic_resolved',
  'watcher_finding_dismissed',
]);

/**
 * Grades an outcome. An agent's report is graded by the structure of what shows it, never by what it says of itself
 * (BW-outcomes.01); the two grades above `tool_observed` belong to sources that no public caller can name. A marker
 * `verified: false` counts from such a source, and from nobody else.
 */
export const gradeOutcome = (
  draft: OutcomeDraft,
  source: VerificationSource = 'agent_reported_tool_result',
): GradedOutcome => {
  const { detail, stripped } = stripProvenance(draft.detail, isTrusted(source));
  const grade = gradeOf(detail, source);
  const isBad = draft.isBad ?? BAD.has(draft.type);
  return {
    isBad,
    score: draft.score ?? (NEUTRAL.has(draft.type) && !isBad ? null : isBad ? 0 : 1),
    grade,
    weight: GRADE_WEIGHT[grade],
    fixture: isFixture(detail),
    detail,
    stripped,
  };
};

const isTrusted = (source: VerificationSource): boolean => source !== 'agent_reported_tool_result';

const gradeOf = (detail: Json, source: VerificationSource): CorroborationGrade => {
  // A trusted source that says itself that it could not verify is no better than what it brings.
  if (isTrusted(source) && detail['verified'] !== false) {
    return source === 'server_observation' ? 'substrate_observed' : 'externally_verified';
  }
  if (hasHardResult(detail)) return 'tool_observed';
  return hasReference(detail) ? 'self_report_with_refs' : 'claim_only';
};

const isName = (value: unknown): boolean => typeof value === 'string' && value.trim() !== '';

const TEST_RESULT = ['result', 'passed', 'failed', 'is_bad'] as const;

/** A tool or command that ran, together with what it returned; or a test together with its result. */
const hasHardResult = (detail: Json): boolean => {
  const returned = Number.isInteger(detail['exit_code']);
  if (returned && (isName(detail['command']) || isName(detail['tool']))) return true;
  if (detail['kind'] !== 'test') return false;
  return returned || TEST_RESULT.some((key) => isResult(detail[key]));
};

const isResult = (value: unknown): boolean =>
  typeof value === 'boolean' || isName(value) || (typeof value === 'number' && Number.isFinite(value));

const REFERENCES = ['pr', 'commit', 'ci', 'test', 'command', 'tool', 'file', 'url'] as const;

/** Something that another person could look up. */
const hasReference = (detail: Json): boolean =>
  REFERENCES.some((key) => {
    const value = detail[key];
    if (typeof value === 'number') return Number.isFinite(value);
    if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
    return isName(value);
  });

const FIXTURE_FLAGS = new Set(['do_not_use_for_live_validation', 'do_not_persist', 'calibration_excluded']);

/** Whether any object in it carries a flag of test data. */
const isFixture = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(
    ([key, part]) =>
      ((key.startsWith('synthetic_') || FIXTURE_FLAGS.has(key)) && part !== false && part !== null) || isFixture(part),
  );
};
