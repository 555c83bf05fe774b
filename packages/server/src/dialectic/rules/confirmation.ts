import type { Pause } from '../../agents/agent.ts';
import type { Confirmation, ConfirmationReason, ResolutionAction, Session } from '../session.ts';
import { failSession, hasEnded, noteOf, withNote, type Change } from './change.ts';

/** Who lifts a pause of the claims detector: a peer's review by itself, or an operator who confirms it. */
export type ClaimsReview = 'operator' | 'peer';

/** How long after the end of a pause another one counts as the same trouble, ms. */
export const AGAIN_WITHIN = 24 * 3_600_000;

/**
 * Whether a pause that began at `pausedAt` came back: the one before it ended less than a day earlier. It is measured from
 * the end, since a pause lasts longer than a day by itself, and from its start a second one would hardly ever count.
 */
export const isPausedAgain = (pausedAt: number, previousEnd: number | null): boolean =>
  previousEnd !== null && previousEnd <= pausedAt && pausedAt - previousEnd < AGAIN_WITHIN;

/**
 * Why an agreement of a paused agent and its reviewer has to be confirmed by an operator before it is carried out; empty: it
 * has not. What keeps the agent in needs nobody's word.
 */
export const reasonsToConfirm = (
  action: ResolutionAction,
  pause: Pause | null,
  policy: ClaimsReview,
  previousEnd: number | null,
): readonly ConfirmationReason[] => {
  // What an operator paused by hand no review lifts, confirmed or not: there is nothing to ask.
  if (pause === null || pause.sub_action === 'operator_pause') return [];
  if (action !== 'resume' && action !== 'cooldown') return [];
  return [
    ...(policy === 'operator' && pause.sub_action === 'claims_pause' ? (['claims_review'] as const) : []),
    ...(isPausedAgain(Date.parse(pause.paused_at), previousEnd) ? (['paused_again'] as const) : []),
  ];
};

const SAYS: Readonly<Record<ConfirmationReason, string>> = {
  claims_review: 'the claims detector paused it, and the policy has an operator confirm',
  paused_again: 'it was paused again within a day of its last pause',
};

/** The reasons in words. */
export const confirmationText = (why: readonly ConfirmationReason[]): string =>
  why.map((reason) => SAYS[reason]).join('; ');

/** An operator has yet to confirm what the two agreed on. */
export const awaitsConfirmation = (session: Pick<Session, 'phase' | 'confirmation'>): boolean =>
  session.confirmation?.decision === 'open' && !hasEnded(session);

/** The two have agreed, and an operator is asked; nothing is carried out before it answers. */
export const askConfirmation = (
  session: Session,
  action: ResolutionAction,
  why: readonly ConfirmationReason[],
  pause: Pause | null,
  now: number,
): Change => {
  const confirmation: Confirmation = {
    since: session.confirmation?.since ?? now,
    action,
    why,
    actuationId: pause?.actuation_id ?? null,
    decision: 'open',
    by: null,
    at: null,
    reason: null,
  };
  const note = noteOf(
    'system',
    `Both agreed on ${action}. An operator has to confirm it before it is carried out: ${confirmationText(why)}.`,
    now,
    { event: 'confirmation_asked', why, action },
  );
  return withNote(session, note, { phase: 'synthesis', confirmation });
};

/** What an operator says to an agreement. */
export interface Decision {
  readonly operator: string;
  readonly decision: 'accept' | 'reject';
  readonly reason: string;
}

/** The operator's word in the record. An agreement that is rejected fails the session: its agent stays paused. */
export const decideConfirmation = (
  session: Session,
  asked: Confirmation,
  { operator, decision, reason }: Decision,
  now: number,
): Change => {
  const confirmation: Confirmation = { ...asked, decision, by: operator, at: now, reason };
  if (decision === 'reject') {
    const failed = failSession(session, `Operator ${operator} rejected the agreement: ${reason}`, now);
    return { ...failed, session: { ...failed.session, confirmation } };
  }
  const note = noteOf('system', `Operator ${operator} confirmed the agreement: ${reason}`, now, {
    event: 'confirmed',
    operator,
  });
  return withNote(session, note, { confirmation });
};

/**
 * The pause that was agreed about is over, or another one holds: the agreement is about nothing any more. Carried out all
 * the same, it would lift a pause that nobody has looked at.
 */
export const hasLapsed = (asked: Confirmation, pause: Pause | null): boolean =>
  (pause?.actuation_id ?? null) !== asked.actuationId;

/** Ends a session whose agreement lapsed before an operator answered. */
export const lapse = (session: Session, now: number): Change =>
  failSession(session, 'The pause ended before an operator confirmed the agreement.', now);
