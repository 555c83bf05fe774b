import type { AgentHead } from '../../agents/agent.ts';
import type { Happening } from './event.ts';

/** An agent that is at work says something at least this often. */
export const SILENCE_MS = 1_800_000;

/**
 * Since when an agent that should speak has been silent: the instant at which {@link SILENCE_MS} had passed since it was
 * heard of last; ms since the epoch, UTC. Undefined for one that speaks, never checked in, or may be silent: paused, waiting
 * for its user, or at the end of its life.
 */
export const silentSince = (head: AgentHead, now: number): number | undefined => {
  if (head.status !== 'active' || head.vitals === null) return undefined;
  const active = head.lastActivityAt ?? head.createdAt;
  // Activity is kept to the minute; only the few that seem silent are worth reading a date.
  if (now - active < SILENCE_MS) return undefined;
  const since = Math.max(active, Date.parse(head.vitals.at)) + SILENCE_MS;
  return since <= now ? since : undefined;
};

/** An agent has fallen silent. */
export const silence = (head: AgentHead): Happening => ({
  type: 'silence',
  severity: 'warning',
  details: { last_check_in: head.vitals?.at ?? null, limit_seconds: SILENCE_MS / 1000 },
});

/** A silent agent has checked in again. */
export const silenceEnded = (since: number, now: number): Happening => ({
  type: 'silence_ended',
  severity: 'info',
  details: { silent_seconds: Math.round((now - since + SILENCE_MS) / 1000) },
});
