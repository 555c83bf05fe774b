import { ok, AUDIT_EVENTS, refuse, type Result } from '@breakwater/contract';
import type { AgentHead, Archive } from '../../agents/index.ts';
import type { ProofSource } from '../../runtime/index.ts';
import type { Hold } from '../../agents/agent.ts';
import { ownHold } from './acts.ts';
import { mayAct, operatorOf, type Actor, type Authority, type StandingChange } from './authority.ts';

const endOf = (authority: Authority, reason: string, now: number): Archive => ({
  at: new Date(now).toISOString(),
  by: authority.by,
  actor: authority.operator,
  reason,
});

/** Ends an agent's active life, as the table of acts allows. Signs of life stop everybody but the agent itself, unless forced. */
export const archive = (
  actor: Actor,
  target: AgentHead,
  args: { readonly reason: string; readonly force: boolean; readonly liveSignals: readonly string[] },
  now: number,
  hold: Hold | undefined = ownHold(target, now),
): Result<StandingChange> => {
  const authority = mayAct('archive', actor, target, hold);
  if (!authority.ok) return authority;
  const capacity = authority.value;
  if (capacity.by !== 'owner' && !args.force && args.liveSignals.length > 0) {
    return refuse('AGENT_LOOKS_LIVE', 'The agent shows signs of life.', {
      details: { liveness_signals: args.liveSignals },
    });
  }
  return ok({
    status: 'archived',
    pause: null,
    archive: endOf(capacity, args.reason, now),
    events: [
      {
        type: AUDIT_EVENTS.agentArchived,
        payload: {
          ...capacity,
          reason: args.reason,
          previous_status: target.status,
          forced: args.force,
          liveness_signals: args.liveSignals,
        },
      },
    ],
  });
};

/** What the agent knows and nobody can work out: the only proof by which it comes back from the end of its life. */
const SECRETS: readonly (ProofSource | 'none')[] = ['client_session_id', 'session_header'];

/**
 * Brings an agent back after its end (BW-identity.09): only when asked for in so many words, and for the agent itself
 * only with its session secret; a continuity token never does it. What an operator archived, and what is disabled, only
 * an operator brings back; deleted is final.
 */
export const reactivate = (
  actor: Actor,
  target: AgentHead,
  args: { readonly explicit: boolean; readonly proof: ProofSource | 'none' },
): Result<StandingChange> => {
  const authority = mayAct('reactivate', actor, target, undefined);
  if (!authority.ok) return authority;
  const details = { status: target.status };
  if (!args.explicit) {
    return refuse('AGENT_ARCHIVED', `The agent is ${target.status}.`, {
      details,
      recovery: {
        action:
          'Call agent(action=update, status=active) with the client_session_id of the agent, or onboard with force_new=true for a new one.',
        related_tools: ['agent', 'onboard'],
      },
    });
  }
  const capacity = operatorOf(actor) ?? authority.value;
  if (capacity.by === 'owner' && !SECRETS.includes(args.proof)) {
    return refuse('STRONG_IDENTITY_REQUIRED', 'An archived agent comes back only by its session secret.', {
      details: { proof: args.proof },
      recovery: { action: 'Send client_session_id as an argument of the call, or ask an operator.' },
    });
  }
  return ok({
    status: 'active',
    pause: null,
    archive: null,
    events: [
      {
        type: AUDIT_EVENTS.agentReactivated,
        payload: {
          ...capacity,
          previous_status: target.status,
          archived_at: target.archive?.at ?? null,
          archived_by: target.archive?.by ?? null,
          archive_reason: target.archive?.reason ?? null,
        },
      },
    ],
  });
};

const UNDELETABLE = ['pioneer', 'protected'];

/** Ends an agent for good, confirmed, as the table of acts allows: an agent that is held does not leave by the way of deletion. */
export const remove = (
  actor: Actor,
  target: AgentHead,
  args: { readonly confirm: boolean; readonly reason: string },
  now: number,
  hold: Hold | undefined = ownHold(target, now),
): Result<StandingChange> => {
  const authority = mayAct('delete', actor, target, hold);
  if (!authority.ok) return authority;
  if (!args.confirm) {
    return refuse('PARAMETER_ERROR', 'confirm: must be true; a deleted agent does not come back.', {
      details: { parameter: 'confirm' },
    });
  }
  const kept = UNDELETABLE.filter((tag) => target.tags.includes(tag));
  if (kept.length > 0) {
    return refuse('FORBIDDEN', `An agent with the tag ${kept.join(', ')} is not deleted.`, {
      details: { tags: kept },
      recovery: { action: 'Take the tag away first with agent(action=update, tags=…).', related_tools: ['agent'] },
    });
  }
  return ok({
    status: 'deleted',
    pause: null,
    archive: endOf(authority.value, args.reason, now),
    events: [
      {
        type: AUDIT_EVENTS.agentDeleted,
        payload: { ...authority.value, reason: args.reason, previous_status: target.status },
      },
    ],
  });
};
