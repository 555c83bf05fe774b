import { ok, AUDIT_EVENTS, refuse, type Result, type Refusal } from '@breakwater/contract';
import type { AgentHead } from '../../agents/index.ts';
import type { Hold } from '../../agents/agent.ts';
import { ownHold, refusedAct } from './acts.ts';
import { mayAct, operatorOf, operatorRequired, type Actor, type Authority, type StandingChange } from './authority.ts';

/** Above this risk nobody lifts a pause by hand, forced or not. */
const HARD_RISK = 0.8;
/** Above this risk an operator must insist. */
const SOFT_RISK = 0.6;

/** Refuses to lift a pause from a risky agent. A risk that nobody measured is not low: it must be insisted on as well. */
const refuseRisky = (vitals: AgentHead['vitals'], force: boolean): { ok: false; refusal: Refusal } | undefined => {
  const risk = vitals?.risk ?? null;
  const details = { risk, soft_limit: SOFT_RISK, hard_limit: HARD_RISK };
  if (risk !== null && !(risk <= HARD_RISK)) {
    return refuse('FORBIDDEN', `Risk ${risk.toFixed(2)} is above the hard limit ${HARD_RISK}; force does not help.`, {
      details,
      recovery: { action: 'Wait until the pause ends by itself; onboard another agent for the work.' },
    });
  }
  if (force || (risk !== null && risk <= SOFT_RISK)) return undefined;
  const why = risk === null ? 'Its risk is unknown' : `Risk ${risk.toFixed(2)} is above ${SOFT_RISK}`;
  return refuse('SOFT_SAFETY_FAILED', `${why}.`, { details });
};

const resumed = (
  authority: Authority,
  target: AgentHead,
  detail: Readonly<Record<string, unknown>>,
): Result<StandingChange> =>
  ok({
    status: 'active',
    pause: null,
    events: [
      {
        type: AUDIT_EVENTS.agentResumed,
        payload: {
          ...authority,
          ...detail,
          previous_status: target.status,
          actuation_id: target.pause?.actuation_id ?? null,
        },
      },
    ],
  });

/**
 * Makes a paused or waiting agent active, or, with `unstick`, records that an active one goes on, as the table of acts
 * allows: a pause is lifted by time, a review or an operator, and never by the paused agent itself. An operator meets the
 * limits of {@link operatorResume} here too, without force.
 */
export const resume = (
  actor: Actor,
  target: AgentHead,
  args: { readonly reason: string | null; readonly unstick: boolean },
  now: number,
  hold: Hold | undefined = ownHold(target, now),
): Result<StandingChange> => {
  const authority = mayAct(args.unstick ? 'unstick' : 'resume', actor, target, hold);
  if (!authority.ok) return authority;
  if (hold !== undefined) {
    const risky = refuseRisky(target.vitals, false);
    if (risky !== undefined) return risky;
  }
  return resumed(authority.value, target, { reason: args.reason, unstick: args.unstick });
};

/**
 * An operator makes a paused or waiting agent active. Above risk 0.80 never; above 0.60, or with an unknown risk, only
 * with force. The reason stands in the audit trail, so it must be one.
 */
export const operatorResume = (
  actor: Actor,
  target: AgentHead,
  args: { readonly reason: string; readonly force: boolean; readonly vitals: AgentHead['vitals'] },
  hold?: Hold,
): Result<StandingChange> => {
  const authority = operatorOf(actor);
  if (authority === undefined) return operatorRequired('Only an operator that may act resumes an agent like this.');
  const reason = args.reason.trim();
  if (reason === '') {
    return refuse('PARAMETER_ERROR', 'reason: must not be empty.', { details: { parameter: 'reason' } });
  }
  const refused = refusedAct('resume', 'operator', target, hold);
  if (refused !== undefined) return refused;
  const risky = refuseRisky(args.vitals, args.force);
  if (risky !== undefined) return risky;
  return resumed(authority, target, { reason, forced: args.force, risk: args.vitals?.risk ?? null });
};
