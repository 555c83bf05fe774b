export const FINDING_TYPES = [
  'note',
  'insight',
  'bug_found',
  'bug',
  'bug_fix',
  'learning',
  'pattern',
  'rule',
  'architectural_decision',
  'refactoring',
  'documentation',
  'experiment',
  'question',
  'improvement',
  'exploration',
  'observation',
] as const;

export const FINDING_SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;

export const FINDING_STATUSES = [
  'open',
  'resolved',
  'archived',
  'disputed',
  'closed',
  'wont_fix',
  'superseded',
  'cold',
] as const;

/** How one finding answers another. */
export const FINDING_RESPONSES = [
  'extend',
  'question',
  'disagree',
  'support',
  'answer',
  'follow_up',
  'correction',
  'elaboration',
  'supersedes',
] as const;

/** Why a finding was closed. */
export const FINDING_CLOSURES = ['fix_verified', 'unobserved', 'not_reproducible', 'obsolete', 'duplicate'] as const;
