import type { AgentHead, Hold } from '../../agents/agent.ts';

/**
 * How an agent stands, as far as that decides what it and others may do. The pauses by who may end them: the agent itself
 * at a low risk (`risk_pause`), a review (`claims_pause`, `conditions_pause`), an operator, or time alone.
 */
export const STANDINGS = [
  'active',
  'waiting_input',
  'pause_over',
  'inherited',
  'claims_pause',
  'risk_pause',
  'conditions_pause',
  'operator_pause',
  'review_cooldown',
  'review_held',
  'unknown_pause',
  'archived',
  'archived_by_operator',
  'disabled',
  'deleted',
] as const;
export type Standing = (typeof STANDINGS)[number];

/** What a pause is, by the word that it is stored under. A word that is not here is a pause that nobody lifts lightly. */
const KINDS: Readonly<Record<string, Standing>> = {
  claims_pause: 'claims_pause',
  risk_pause: 'risk_pause',
  reject: 'risk_pause',
  cirs_block: 'risk_pause',
  conditions_pause: 'conditions_pause',
  operator_pause: 'operator_pause',
  review_cooldown: 'review_cooldown',
  review_block: 'review_held',
  review_escalate: 'review_held',
};

/** How the agent stands, given what holds it. */
export const standingOf = (head: AgentHead, hold: Hold | undefined): Standing => {
  const { status, archive } = head;
  if (status === 'deleted' || status === 'disabled') return status;
  // Without its record nobody knows who archived it, and so only an operator brings it back.
  if (status === 'archived') return archive === null || archive.by === 'operator' ? 'archived_by_operator' : 'archived';
  if (hold !== undefined) {
    if (hold.inherited) return 'inherited';
    const kind = hold.pause?.sub_action ?? '';
    return Object.hasOwn(KINDS, kind) ? (KINDS[kind] ?? 'unknown_pause') : 'unknown_pause';
  }
  return status === 'paused' ? 'pause_over' : status;
};
