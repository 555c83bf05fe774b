import { partsOf } from './text.ts';

/** One of these is enough. */
const DECISIVE = [
  'unitares_dialectic_reviewer_host',
  'reviewer quality',
  'reviewer-quality',
  'orchestrated reviewer',
  'rubber-stamp',
  'rubber stamp',
  'reviewer independence',
  'dialectic reviewer',
] as const;

/** Of these it takes two. */
const APPARATUS = [
  'antithesis',
  'synthesis round',
  'dialectic session',
  'dialectic protocol',
  'reviewer verdict',
  'reviewer slot',
  'self_clear_refused',
  'awaiting_facilitation',
  'dialectic_messages',
  'dialectic_sessions',
] as const;
const APPARATUS_NEEDED = 2;

/** What follows from a conflict: the session goes to a human, it is only noted, or nobody looks. */
export type RecusalMode = 'enforce' | 'flag' | 'off';

/** A session that is about reviewing itself, which no reviewer of this house can judge without bias. */
export interface SubjectConflict {
  readonly basis: 'subject_matter_conflict';
  /** Whether the house's own reviewer steps back. */
  readonly recused: boolean;
  /** The terms that were found, the decisive first. */
  readonly matchedTerms: readonly string[];
}

/**
 * Whether a session is about the review itself, by the words of its texts (spec dialectic C.10): one decisive term or two of
 * the apparatus; null: it is not, or `mode` is off. It sends a session elsewhere and refuses nothing.
 */
export const subjectConflict = (texts: readonly (string | null)[], mode: RecusalMode): SubjectConflict | null => {
  if (mode === 'off') return null;
  const text = partsOf(texts.map((part) => part ?? '').join(' '))
    .join(' ')
    .toLowerCase();
  const decisive = DECISIVE.filter((term) => text.includes(term));
  const apparatus = APPARATUS.filter((term) => text.includes(term));
  if (decisive.length === 0 && apparatus.length < APPARATUS_NEEDED) return null;
  return {
    basis: 'subject_matter_conflict',
    recused: mode === 'enforce',
    matchedTerms: [...decisive, ...apparatus],
  };
};
