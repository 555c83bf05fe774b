import { refuse, type ErrorCode, type Refusal } from '@breakwater/contract';
import { isHeld, type AgentHead, type Hold } from '../../agents/agent.ts';
import { nextStep } from './next-step.ts';
import { STANDINGS, standingOf, type Standing } from './standings.ts';

/** What somebody wants of an agent's standing or face, or an agent of the server as long as it is held. */
export const ACTS = [
  'read',
  'simulate',
  'record_result',
  'check_in',
  'update',
  'rename',
  'archive',
  'delete',
  'reactivate',
  'resume',
  'unstick',
  'recover',
  'pause',
  'mint',
  'leave_session',
  'revoke',
  'write_knowledge',
  'request_review',
  'speak_in_own_review',
  'review_others',
] as const;
export type Act = (typeof ACTS)[number];

/** Allowed, or the code of the refusal. */
export type Verdict = 'yes' | ErrorCode;
type Row = Readonly<Record<Standing, Verdict>>;

const PAUSES = [
  'inherited',
  'claims_pause',
  'risk_pause',
  'conditions_pause',
  'operator_pause',
  'review_cooldown',
  'review_held',
  'unknown_pause',
] as const satisfies readonly Standing[];
const ENDS = ['archived', 'archived_by_operator', 'disabled', 'deleted'] as const satisfies readonly Standing[];

/** A row of the table: for an agent at work, one that is held, and one whose life is over; and where it differs. */
const row = (atWork: Verdict, held: Verdict, ended: Verdict, but: Partial<Row> = {}): Row => ({
  ...(Object.fromEntries(
    STANDINGS.map((standing) => [
      standing,
      (PAUSES as readonly Standing[]).includes(standing)
        ? held
        : (ENDS as readonly Standing[]).includes(standing)
          ? ended
          : atWork,
    ]),
  ) as Row),
  ...but,
});

/**
 * What an agent may do, by its own proof. While it is held it changes nothing of its own standing or face, starts nobody
 * and judges nobody; it keeps its way back: it reads, reports results, and speaks in its own review.
 */
const BY_ITSELF: Readonly<Record<Act, Row>> = {
  read: row('yes', 'yes', 'yes'),
  simulate: row('yes', 'yes', 'yes'),
  record_result: row('yes', 'yes', 'AGENT_ARCHIVED'),
  check_in: row('yes', 'AGENT_PAUSED', 'AGENT_ARCHIVED'),
  update: row('yes', 'AGENT_PAUSED', 'AGENT_ARCHIVED'),
  rename: row('yes', 'AGENT_PAUSED', 'AGENT_ARCHIVED'),
  archive: row('yes', 'FORBIDDEN', 'AGENT_ALREADY_ARCHIVED'),
  delete: row('yes', 'FORBIDDEN', 'yes', { disabled: 'OPERATOR_REQUIRED', deleted: 'AGENT_ARCHIVED' }),
  reactivate: row('INVALID_STATUS_TRANSITION', 'INVALID_STATUS_TRANSITION', 'OPERATOR_REQUIRED', {
    archived: 'yes',
    deleted: 'AGENT_ARCHIVED',
  }),
  resume: row('yes', 'FORBIDDEN', 'AGENT_NOT_RESUMABLE', { active: 'AGENT_NOT_RESUMABLE' }),
  unstick: row('yes', 'FORBIDDEN', 'AGENT_NOT_RESUMABLE'),
  recover: row('yes', 'FORBIDDEN', 'AGENT_NOT_RESUMABLE', { active: 'AGENT_NOT_RESUMABLE', risk_pause: 'yes' }),
  pause: row('OPERATOR_REQUIRED', 'OPERATOR_REQUIRED', 'OPERATOR_REQUIRED'),
  mint: row('yes', 'AGENT_PAUSED', 'yes'),
  leave_session: row('yes', 'AGENT_PAUSED', 'yes'),
  revoke: row('yes', 'yes', 'yes'),
  write_knowledge: row('yes', 'AGENT_PAUSED', 'AGENT_ARCHIVED'),
  request_review: row('yes', 'yes', 'AGENT_ARCHIVED', {
    inherited: 'AGENT_PAUSED',
    operator_pause: 'FORBIDDEN',
    review_cooldown: 'FORBIDDEN',
    review_held: 'FORBIDDEN',
    // Nobody of this version knows what it stands for, and so no peer judges it.
    unknown_pause: 'FORBIDDEN',
  }),
  speak_in_own_review: row('yes', 'yes', 'yes'),
  review_others: row('yes', 'AGENT_PAUSED', 'AGENT_ARCHIVED'),
};

/** What an operator that may act may do to an agent. What it does not name is nothing that is done to somebody else. */
const BY_OPERATOR: Readonly<Partial<Record<Act, Row>>> = {
  read: row('yes', 'yes', 'yes'),
  update: row('yes', 'yes', 'AGENT_ARCHIVED'),
  archive: row('yes', 'yes', 'AGENT_ALREADY_ARCHIVED'),
  delete: row('yes', 'yes', 'yes', { deleted: 'AGENT_ARCHIVED' }),
  reactivate: row('INVALID_STATUS_TRANSITION', 'INVALID_STATUS_TRANSITION', 'yes', { deleted: 'AGENT_ARCHIVED' }),
  resume: row('yes', 'yes', 'AGENT_NOT_RESUMABLE', {
    active: 'AGENT_NOT_RESUMABLE',
    inherited: 'AGENT_NOT_RESUMABLE',
  }),
  unstick: row('yes', 'yes', 'AGENT_NOT_RESUMABLE', { inherited: 'AGENT_NOT_RESUMABLE' }),
  pause: row('yes', 'INVALID_STATUS_TRANSITION', 'INVALID_STATUS_TRANSITION', {
    pause_over: 'INVALID_STATUS_TRANSITION',
    inherited: 'yes',
  }),
};

/** In which capacity somebody acts on an agent. */
export type Capacity = 'owner' | 'operator';

/**
 * What somebody without authority over an agent is told, whatever it wants and however the agent stands: the agent itself
 * where that is only inferred, an operator that may read and not act, a caller without any proof, and every other agent, a
 * relative or not.
 */
export const WITHOUT_AUTHORITY = {
  inferred: 'STRONG_IDENTITY_REQUIRED',
  reader: 'OPERATOR_REQUIRED',
  nobody: 'IDENTITY_REQUIRED',
  another: 'FORBIDDEN',
} as const satisfies Readonly<Record<string, ErrorCode>>;

/** The one rule: whether an act is allowed to who has authority over an agent that stands so. */
export const verdictOf = (capacity: Capacity, act: Act, standing: Standing): Verdict =>
  capacity === 'owner' ? BY_ITSELF[act][standing] : (BY_OPERATOR[act]?.[standing] ?? 'FORBIDDEN');

/** What a held agent is told that it cannot do. */
const CANNOT: Readonly<Partial<Record<Act, string>>> = {
  archive: 'archive itself',
  delete: 'delete itself',
  resume: 'lift its own pause',
  unstick: 'lift its own pause',
  recover: 'lift this pause itself',
  request_review: 'ask for a review of this pause',
};

/** What every refusal tells of the pause that it stands on. */
const holdDetails = ({ holder, pause, inherited }: Hold): Readonly<Record<string, unknown>> => ({
  sub_action: pause?.sub_action ?? null,
  paused_at: pause?.paused_at ?? null,
  reason: pause?.reason ?? null,
  expires_at: pause?.expires_at ?? null,
  ...(inherited && { held_by: holder.agentId }),
});

/** Why a held agent is held, for a person and for the agent. */
export const holdText = ({ holder, pause, inherited }: Hold): string => {
  const reason = pause?.reason ?? 'nobody knows why';
  return inherited ? `Paused with its ancestor ${holder.agentId}: ${reason}` : `Paused: ${reason}`;
};

/** Refuses because of the pause: what it is, why, and the one next step. */
export const refuseHeld = (
  act: Act,
  head: AgentHead,
  hold: Hold,
  code: ErrorCode = 'AGENT_PAUSED',
): { readonly ok: false; readonly refusal: Refusal } => {
  const step = nextStep(head, hold);
  const cannot = CANNOT[act];
  const message =
    code === 'AGENT_PAUSED' || cannot === undefined
      ? holdText(hold)
      : `A paused agent cannot ${cannot}. ${holdText(hold)}`;
  return refuse(code, message, {
    details: { agent_id: head.agentId, ...holdDetails(hold) },
    recovery: { action: step.say, related_tools: step.tools },
  });
};

/**
 * The refusal of an act on an agent, by the table; undefined: it is allowed. Where the table names a pause as the reason,
 * the refusal tells it, with the one next step that is true for it.
 */
export const refusedAct = (
  act: Act,
  capacity: Capacity,
  head: AgentHead,
  hold: Hold | undefined,
): { readonly ok: false; readonly refusal: Refusal } | undefined => {
  const code = verdictOf(capacity, act, standingOf(head, hold));
  if (code === 'yes') return undefined;
  if (hold !== undefined && (code === 'AGENT_PAUSED' || code === 'FORBIDDEN')) return refuseHeld(act, head, hold, code);
  const details = { status: head.status };
  switch (code) {
    case 'OPERATOR_REQUIRED':
      return refuse(code, `The agent is ${head.status}; only an operator does this to it.`, { details });
    case 'AGENT_NOT_RESUMABLE':
      return refuse(code, `The agent is ${head.status}.`, {
        details,
        ...(hold?.inherited === true && {
          recovery: { action: `Resume its ancestor ${hold.holder.agentId}, whose pause holds it.` },
        }),
      });
    case 'AGENT_ALREADY_ARCHIVED':
      return refuse(code, `The agent is ${head.status} already.`, { details });
    default:
      return refuse(code, `The agent is ${head.status}.`, { details });
  }
};

/** Whether the agent is under a pause of its own; for a decision that has no ancestors at hand. */
export const ownHold = (head: AgentHead, now: number): Hold | undefined =>
  isHeld(head, now) ? { holder: head, pause: head.pause, inherited: false, now } : undefined;
