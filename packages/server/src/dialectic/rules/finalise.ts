import { ok, type Result } from '@breakwater/contract';
import type { Message, Resolution, ResolutionAction, Session } from '../session.ts';
import { refusePhase } from './change.ts';
import { reasoningOf } from './merge.ts';
import { offersOf } from './verdict.ts';

/** What a session ends with, before it is signed. */
export type ResolutionTerms = Pick<Resolution, 'action' | 'conditions' | 'rootCause' | 'reasoning'>;

/** Both sides agreed: one offer is still to be made of the two; `record` is what was said, without what was refused. */
export interface Unmerged {
  readonly action: ResolutionAction;
  readonly merge: { readonly a: Message; readonly b: Message; readonly record: readonly Message[] };
}

/** From mild to strict. */
const STRICTNESS: readonly ResolutionAction[] = ['resume', 'cooldown', 'escalate', 'block'];

/** What the authors of the offers want to become of the agent; of several the strictest, so that none is overruled mildly. */
const actionOf = (...offers: readonly Message[]): ResolutionAction =>
  offers
    .map(({ proposedAction }) => proposedAction ?? 'resume')
    .reduce((strictest, action) => (STRICTNESS.indexOf(action) > STRICTNESS.indexOf(strictest) ? action : strictest));

/**
 * The terms of a resolved session (spec dialectic A.4): a third author's if one agreed, else the only ones that were agreed
 * to, else both sides' to be merged, which is a computation and not done here. What was refused has no part in it (BW-dialectic.03). Refuses INVALID_PHASE before.
 */
export const finalise = (session: Session): Result<ResolutionTerms | Unmerged> => {
  if (session.phase !== 'resolved') return refusePhase('finalise', session.phase);
  const { pausedAgentId, reviewerAgentId } = session;
  const messages = session.messages.filter(({ refused }) => !refused);
  const agreed = offersOf(session).filter(({ agrees }) => agrees === true);
  const only = agreed.at(-1);
  if (only === undefined) throw new Error(`Session ${session.sessionId} is resolved, and nobody agreed.`);

  const first = (type: Message['type']) => messages.find((m) => m.type === type && m.rootCause)?.rootCause ?? '';
  const verbatim = (offer: Message, fallback: string) =>
    ok({
      action: actionOf(offer),
      conditions: offer.conditions,
      rootCause: offer.rootCause || first('thesis') || fallback || 'Unknown',
      reasoning: reasoningOf(offer, messages),
    });

  const mediator = agreed.findLast(({ agentId }) => agentId !== pausedAgentId && agentId !== reviewerAgentId);
  if (mediator !== undefined || agreed.length === 1) return verbatim(mediator ?? only, first('antithesis'));
  const a = agreed.findLast(({ agentId }) => agentId === pausedAgentId);
  const b = agreed.findLast(({ agentId }) => agentId === reviewerAgentId);
  // Several by one side: its last one counts, and the reviewer's view of the cause is not asked for.
  if (a === undefined || b === undefined) return verbatim(only, '');
  return ok({ action: actionOf(a, b), merge: { a, b, record: messages } });
};
