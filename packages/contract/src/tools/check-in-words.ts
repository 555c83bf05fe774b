/** The words of a check-in's answer; the server's own types come from here. */

/** What a number is worth: read off, computed, assumed, or not known. */
export const PROVENANCE = ['measured', 'derived', 'prior', 'unknown'] as const;
export type Provenance = (typeof PROVENANCE)[number];

export const VERDICTS = ['proceed', 'guide', 'pause', 'reject'] as const;
/** A decision in one word, from mild to severe. */
export type Verdict = (typeof VERDICTS)[number];

export const ACTIONS = ['proceed', 'pause'] as const;
export type Action = (typeof ACTIONS)[number];

export const SUB_ACTIONS = [
  'approve',
  'guide',
  'claims_pause',
  'cirs_block',
  'risk_pause',
  'reject',
  'conditions_pause',
] as const;
export type SubAction = (typeof SUB_ACTIONS)[number];

export const MARGIN_WORDS = ['settling', 'comfortable', 'tight', 'warning', 'critical'] as const;
/** How far a state is from the edges that matter. */
export type MarginWord = (typeof MARGIN_WORDS)[number];

export const EDGES = ['risk', 'void'] as const;
export type Edge = (typeof EDGES)[number];

const VERDICT_WORDS = ['safe', 'caution', 'high-risk'] as const;
/** What the assessed risk says. */
export type VerdictWord = (typeof VERDICT_WORDS)[number];

export const STANDING_WORDS = ['paused', 'unmeasured', ...VERDICT_WORDS] as const;
/** How an agent stands, in one word. */
export type StandingWord = (typeof STANDING_WORDS)[number];

export const REGIMES = ['STABLE', 'EXPLORATION', 'DIVERGENCE', 'TRANSITION', 'CONVERGENCE'] as const;
export type Regime = (typeof REGIMES)[number];

export const BASINS = ['high', 'boundary', 'low'] as const;
export type Basin = (typeof BASINS)[number];

export const HEALTH_WORDS = ['healthy', 'moderate', 'at_risk', 'critical'] as const;
export type Health = (typeof HEALTH_WORDS)[number];

export const PHASES = ['uninitialized', 'bootstrapping', 'warming_up', 'baselined'] as const;
/** How much of its baseline an agent has. */
export type Phase = (typeof PHASES)[number];

export const STATUSES = ['active', 'paused', 'archived', 'waiting_input', 'disabled', 'deleted'] as const;
