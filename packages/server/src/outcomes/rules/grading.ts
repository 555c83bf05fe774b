import type { CorroborationGrade, OutcomeType, VerificationSource } from '@breakwater/contract';
import { stripProvenance } from './provenance.ts';
import { isResultField, readEvidence, type EvidenceReading } from './says.ts';

type Json = Readonly<Record<string, unknown>>;

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
  tool_observed:
    'a command, tool or test together with its exit_code, or a test (test, kind=test, tests_passed) with its result',
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
  /** It says neither success nor failure, whatever its type: a tool result that came without a result. */
  readonly isOpen?: boolean;
}

/** An outcome with its standing. */
interface GradedOutcome {
  readonly isBad: boolean;
  /** 0 to 1; null for a neutral type without a score: it says neither success nor failure. */
  readonly score: number | null;
  readonly grade: CorroborationGrade;
  readonly weight: number;
  /** It says neither success nor failure; a score of its own does not change that. Never learned from. */
  readonly isOpen: boolean;
  /** Test data: stored, never learned from. */
  readonly fixture: boolean;
  readonly detail: Json;
  /** Paths in `detail` that were dropped because only the server may state them. */
  readonly stripped: readonly string[];
  /** Which two fields contradict each other; such an outcome is never graded. */
  readonly contradiction?: Contradiction;
  /** What is missing before this could be graded, in one sentence. */
  readonly missing?: string;
}

/** Two statements of one outcome that cannot both be true. */
export interface Contradiction {
  readonly field: string;
  readonly against: string;
  readonly message: string;
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
  const reading = readEvidence(detail);
  const isSilent = NEUTRAL.has(draft.type) && !isBad && draft.score === undefined;
  const contradiction = contradictionOf(draft, isBad, reading);
  const missing = GRADE_WEIGHT[grade] < GRADE_WEIGHT.tool_observed ? missingOf(detail, reading) : undefined;
  return {
    isBad,
    score: draft.score ?? (isSilent || draft.isOpen === true ? null : isBad ? 0 : 1),
    grade,
    weight: GRADE_WEIGHT[grade],
    fixture: isFixture(detail),
    isOpen: draft.isOpen === true || (NEUTRAL.has(draft.type) && draft.isBad === undefined),
    detail,
    stripped,
    ...(contradiction && { contradiction }),
    ...(missing !== undefined && { missing }),
  };
};

/**
 * The first pair of statements that cannot both be true: type against flag, either against the score, and all of them
 * against the evidence. A type that says neither success nor failure contradicts nothing until it is called good or bad.
 */
const contradictionOf = (
  { type, isBad: flag, score, isOpen }: OutcomeDraft,
  isBad: boolean,
  { says, fields }: EvidenceReading,
): Contradiction | undefined => {
  const between = (field: string, against: string, message: string): Contradiction => ({ field, against, message });
  if (flag !== undefined && !NEUTRAL.has(type) && flag !== BAD.has(type) && isOpen !== true) {
    return between('is_bad', 'outcome_type', `is_bad ${flag} contradicts outcome_type ${type}`);
  }
  const stated = flag === undefined ? 'outcome_type' : 'is_bad';
  const word = flag === undefined ? type : String(flag);
  if (score !== undefined && (isBad ? score > 0.5 : score < 0.5) && (flag !== undefined || !NEUTRAL.has(type))) {
    return between('outcome_score', stated, `outcome_score ${score} contradicts ${stated} ${word}`);
  }
  const speaks = flag !== undefined || !NEUTRAL.has(type);
  const path = `detail.${fields[0] ?? ''}`;
  if (speaks && says !== 'unknown' && (says === 'fail') !== isBad) {
    return between(path, stated, `${path} says ${says}, which contradicts ${stated} ${word}`);
  }
  return undefined;
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

const TEST_RESULT = [
  'result',
  'status',
  'outcome',
  'conclusion',
  'passed',
  'failed',
  'failures',
  'errors',
  'is_bad',
  'success',
  'tests_passed',
  'tests_failed',
] as const;

/** What ran, by name. */
const RAN = ['command', 'tool', 'test', 'tests'] as const;

const isTest = (detail: Json): boolean =>
  detail['kind'] === 'test' || isName(detail['test']) || 'tests_passed' in detail || 'tests_failed' in detail;

/** A tool, command or test that ran, together with what it returned; or a test together with its result. */
const hasHardResult = (detail: Json): boolean => {
  const returned = Number.isInteger(detail['exit_code']);
  if (returned && (RAN.some((key) => isName(detail[key])) || isTest(detail))) return true;
  return isTest(detail) && TEST_RESULT.some((key) => isResultField(detail, key));
};

/** What to add to evidence that does not suffice. */
const missingOf = (detail: Json, { says }: EvidenceReading): string => {
  const ran = RAN.some((key) => isName(detail[key])) || isTest(detail);
  if (!ran && says === 'unknown')
    return 'add what ran and what it returned to detail: {command, exit_code} or {test, result}';
  if (!ran) return 'add what ran to detail: command, tool or test';
  return isTest(detail)
    ? 'add what the test returned to detail: exit_code (an integer), or result (passed or failed)'
    : 'add what it returned to detail: exit_code (an integer)';
};

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
