import { AUDIT_EVENTS, refuse } from '@breakwater/contract';
import { pauseHolds, type AgentHead, type Pause } from './agent.ts';
import type { AuditDraft } from './audit-chain.ts';
import type { AgentChange } from './change.ts';

/** The parts of a change that put an agent under a pause; the decision's own row says why. */
export const pauseChange = (pause: Pause): { status: 'paused'; pause: Pause; event: AuditDraft } => ({
  status: 'paused',
  pause,
  event: {
    type: AUDIT_EVENTS.agentPaused,
    payload: {
      actuation_id: pause.actuation_id,
      sub_action: pause.sub_action,
      reason: pause.reason,
      expires_at: pause.expires_at,
      // The agent's row forgets the pause when it ends; the trail must still say what it stood on.
      evidence: pause.evidence,
    },
  },
});

/** The change that ends a pause whose time is over (BW-checkin.06), or undefined while it holds. */
export const expirePause = (head: AgentHead, now: number): AgentChange | undefined => {
  if (head.pause === null || pauseHolds(head.pause, now)) return undefined;
  const elapsed = now - Date.parse(head.pause.paused_at);
  return {
    at: now,
    status: 'active',
    pause: null,
    events: [
      {
        type: AUDIT_EVENTS.pauseExpired,
        payload: { actuation_id: head.pause.actuation_id, elapsed_seconds: Math.round(elapsed / 1000) },
      },
    ],
  };
};

/** The refusal of an agent whose life is over: it may be read, and nothing more is written about it. */
export const refuseEnded = ({ status }: Pick<AgentHead, 'status'>): ReturnType<typeof refuse> | undefined =>
  status === 'archived' || status === 'disabled' || status === 'deleted'
    ? refuse('AGENT_ARCHIVED', `The agent is ${status}.`, { details: { status } })
    : undefined;
