import { accept, AUDIT_EVENTS, refuse, type Outcome } from '@breakwater/contract';
import type { AgentHead, Archive } from '../../agents/index.ts';
import type { ProofSource } from '../../runtime/index.ts';
import {
  authorityOver,
  hasEnded,
  isHeld,
  operatorOf,
  operatorRequired,
  type Actor,
  type Authority,
  type StandingChange,
} from './authority.ts';

const endOf = (authority: Authority, reason: string, now: number): Archive => ({
  at: new Date(now).toISOString(),
  by: authority.by,
  actor: authority.operator,
  reason,
});

/**
 * Ends an agent's active life. Signs of life stop everybody but the agent itself, unless forced. A paused agent may not
 * archive itself: with the explicit way back it would be out of its pause.
 */
export const archive = (
  actor: Actor,
  target: AgentHead,
  args: { readonly reason: string; readonly force: boolean; readonly liveSignals: readonly string[] },
  now: number,
): Outcome<StandingChange> => {
  const authority = authorityOver(actor, target);
  if (!authority.ok) return authority;
  const held = isHeld(target, now);
  const capacity = held ? (operatorOf(actor) ?? authority.value) : authority.value;
  if (hasEnded(target)) {
    return refuse('AGENT_ALREADY_ARCHIVED', `The agent is ${target.status} already.`, {
      details: { status: target.status },
    });
  }
  if (held && capacity.by === 'owner') {
    return refuse('FORBIDDEN', 'A paused agent cannot archive itself.', {
      recovery: { action: 'Wait until the pause ends, or ask an operator.', related_tools: ['check_working_state'] },
    });
  }
  if (capacity.by !== 'owner' && !args.force && args.liveSignals.length > 0) {
    return refuse('AGENT_LOOKS_LIVE', 'The agent shows signs of life.', {
      details: { liveness_signals: args.liveSignals },
    });
  }
  return accept({
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
): Outcome<StandingChange> => {
  const authority = authorityOver(actor, target);
  if (!authority.ok) return authority;
  const details = { status: target.status };
  if (target.status === 'deleted') {
    return refuse('AGENT_ARCHIVED', 'The agent is deleted, and that is final.', { details });
  }
  if (!hasEnded(target)) {
    return refuse('INVALID_STATUS_TRANSITION', `The agent is ${target.status}, not archived.`, { details });
  }
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
  const operator = operatorOf(actor);
  if (operator === undefined) {
    if (target.status === 'disabled') return operatorRequired('The agent is disabled; only an operator enables it.');
    if (target.archive === null || target.archive.by === 'operator') {
      return operatorRequired('An operator archived the agent; only an operator brings it back.');
    }
    if (!SECRETS.includes(args.proof)) {
      return refuse('STRONG_IDENTITY_REQUIRED', 'An archived agent comes back only by its session secret.', {
        details: { proof: args.proof },
        recovery: { action: 'Send client_session_id as an argument of the call, or ask an operator.' },
      });
    }
  }
  const capacity = operator ?? authority.value;
  return accept({
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

/** Ends an agent for good: by itself or by an operator, confirmed; a disabled one only by an operator. */
export const remove = (
  actor: Actor,
  target: AgentHead,
  args: { readonly confirm: boolean; readonly reason: string },
  now: number,
): Outcome<StandingChange> => {
  const authority = authorityOver(actor, target);
  if (!authority.ok) return authority;
  if (target.status === 'deleted') {
    return refuse('AGENT_ARCHIVED', 'The agent is deleted already.', { details: { status: target.status } });
  }
  if (target.status === 'disabled' && operatorOf(actor) === undefined) {
    return operatorRequired('The agent is disabled; only an operator deletes it.');
  }
  if (!args.confirm) {
    return refuse('PARAMETER_ERROR', 'confirm: must be true; a deleted agent does not come back.', {
      details: { parameter: 'confirm' },
    });
  }
  const held = UNDELETABLE.filter((tag) => target.tags.includes(tag));
  if (held.length > 0) {
    return refuse('FORBIDDEN', `An agent with the tag ${held.join(', ')} is not deleted.`, {
      details: { tags: held },
      recovery: { action: 'Take the tag away first with agent(action=update, tags=…).', related_tools: ['agent'] },
    });
  }
  return accept({
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
