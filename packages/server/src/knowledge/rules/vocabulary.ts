import {
  FINDING_CLOSURES,
  FINDING_RESPONSES,
  FINDING_SEVERITIES,
  FINDING_STATUSES,
  FINDING_TYPES,
  type FieldProblem,
} from '@breakwater/contract';
import { nearest } from '../../runtime/index.ts';
import type { ClosureClass, ResponseType, Severity, Status } from './finding.ts';

/** What a value stands for, or why it stands for nothing. */
export type Understood<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: FieldProblem };

/** What was probably meant by words that are near in meaning and not in letters; named in refusals, never taken. */
const MEANT: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  severity: {
    info: 'low',
    minor: 'low',
    trivial: 'low',
    warn: 'medium',
    warning: 'medium',
    moderate: 'medium',
    error: 'high',
    major: 'high',
    fatal: 'critical',
    urgent: 'critical',
    blocker: 'critical',
  },
  discovery_type: {
    issue: 'bug_found',
    defect: 'bug_found',
    fix: 'bug_fix',
    finding: 'insight',
    idea: 'insight',
    obs: 'observation',
    decision: 'architectural_decision',
    docs: 'documentation',
    refactor: 'refactoring',
  },
  status: { done: 'resolved', fixed: 'resolved', wontfix: 'wont_fix', closing: 'closed', deleted: 'archived' },
};

/** Other forms of a word that are taken for it. */
const FOLDED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  status: { active: 'open' },
  response_type: {
    extends: 'extend',
    extended: 'extend',
    extending: 'extend',
    extension: 'extend',
    questions: 'question',
    questioned: 'question',
    disagrees: 'disagree',
    disagreed: 'disagree',
    disagreement: 'disagree',
    supports: 'support',
    supported: 'support',
    supporting: 'support',
    answers: 'answer',
    answered: 'answer',
    followup: 'follow_up',
    follows_up: 'follow_up',
    follow_ups: 'follow_up',
    correct: 'correction',
    corrects: 'correction',
    corrected: 'correction',
    corrections: 'correction',
    elaborate: 'elaboration',
    elaborates: 'elaboration',
    elaborated: 'elaboration',
    supersede: 'supersedes',
    superseded: 'supersedes',
    superseding: 'supersedes',
  },
};

const understand = <const W extends readonly string[]>(
  field: string,
  words: W,
  given: unknown,
): Understood<W[number]> => {
  const shown = { field, valid_values: words } as const;
  if (typeof given !== 'string') return { ok: false, problem: { ...shown, message: 'must be a string', type: 'type' } };
  const word = given
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/g, '_');
  const kind = field.slice(field.lastIndexOf('.') + 1);
  const meant = FOLDED[kind]?.[word] ?? word;
  if ((words as readonly string[]).includes(meant)) return { ok: true, value: meant };
  const guess = MEANT[kind]?.[word] ?? nearest(word, words, 1)[0];
  return {
    ok: false,
    problem: {
      ...shown,
      message: `must be one of ${words.join(', ')}`,
      type: 'value',
      given: given.slice(0, 80),
      ...(guess !== undefined && { did_you_mean: guess }),
    },
  };
};

/** Each of these takes a word in any case, folds its other forms, and names the nearest word when it knows none. */
export const understandType = (given: unknown, field = 'discovery_type'): Understood<string> =>
  understand(field, FINDING_TYPES, given);
export const understandSeverity = (given: unknown, field = 'severity'): Understood<Severity> =>
  understand(field, FINDING_SEVERITIES, given);
export const understandStatus = (given: unknown, field = 'status'): Understood<Status> =>
  understand(field, FINDING_STATUSES, given);
export const understandClosureClass = (given: unknown, field = 'closure_class'): Understood<ClosureClass> =>
  understand(field, FINDING_CLOSURES, given);
export const understandResponseType = (given: unknown, field = 'response_type'): Understood<ResponseType> =>
  understand(field, FINDING_RESPONSES, given);
