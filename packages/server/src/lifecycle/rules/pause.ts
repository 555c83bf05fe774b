import { ok, AUDIT_EVENTS, refuse, type Result } from '@breakwater/contract';
import type { AgentHead, Pause } from '../../agents/index.ts';
import type { Hold } from '../../agents/agent.ts';
import { ownHold, refusedAct } from './acts.ts';
import { operatorOf, operatorRequired, type Actor, type StandingChange } from './authority.ts';
import { HOUR_MS } from '../../runtime/index.ts';

/**
 * An operator pauses an agent by hand (BW-console.02): from now on its check-ins are refused, until the hours are over or,
 * without any, until an operator resumes it. Neither the agent itself nor a review lifts it: a person decided, and a person
 * decides again. Refuses OPERATOR_REQUIRED, PARAMETER_ERROR without a reason, and INVALID_STATUS_TRANSITION for an agent
 * that is not at work.
 */
export const pauseByOperator = (
  actor: Actor,
  target: AgentHead,
  args: { readonly reason: string | null; readonly hours: number | null; readonly actuationId: string },
  now: number,
  hold: Hold | undefined = ownHold(target, now),
): Result<StandingChange> => {
  const authority = operatorOf(actor);
  if (authority === undefined) return operatorRequired('Only an operator that may act pauses an agent.');
  if (args.reason === null || args.reason === '') {
    return refuse('PARAMETER_ERROR', 'reason: say why; the agent reads it.', { details: { parameter: 'reason' } });
  }
  const refused = refusedAct('pause', 'operator', target, hold);
  if (refused !== undefined) return refused;
  const pause: Pause = {
    actuation_id: args.actuationId,
    paused_at: new Date(now).toISOString(),
    expires_at: args.hours === null ? null : new Date(now + args.hours * HOUR_MS).toISOString(),
    sub_action: 'operator_pause',
    reason: args.reason,
    evidence: { paused_by: authority.operator },
  };
  const { actuation_id, sub_action, reason, expires_at } = pause;
  return ok({
    status: 'paused',
    pause,
    events: [
      { type: AUDIT_EVENTS.agentPaused, payload: { ...authority, actuation_id, sub_action, reason, expires_at } },
    ],
  });
};
