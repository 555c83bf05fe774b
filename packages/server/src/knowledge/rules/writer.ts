import { refuse, type Refusal } from '@breakwater/contract';
import { pauseHolds, type AgentHead } from '../../agents/agent.ts';
import type { Caller } from '../../runtime/index.ts';
import type { Severity } from './finding.ts';

/** Who writes a finding, as identity proved it. */
export interface Writer {
  /** What findings are stored under. */
  readonly id: string;
  /** The proven agent; undefined for an operator, and for a caller without identity. */
  readonly agentId: string | undefined;
  readonly caller: Caller;
  /** Prefix of the credential's hash. */
  readonly sessionKey: string | null;
}

/** Refuses an agent under a pause: what it says stays out of everybody's knowledge as long as that holds (BW-knowledge.03). */
export const refusePaused = ({ agentId, pause }: AgentHead, now: number): Refusal | undefined =>
  pause !== null && pauseHolds(pause, now)
    ? refuse('AGENT_PAUSED', `Paused: ${pause.reason}`, {
        details: { agent_id: agentId, paused_at: pause.paused_at, reason: pause.reason, expires_at: pause.expires_at },
        recovery: {
          action: 'Stop acting; reading is still free. The pause ends by itself at expires_at, if it has one.',
          related_tools: ['check_working_state', 'request_review', 'self_recovery'],
        },
      }).refusal
    : undefined;

/** Refuses what nobody answers for: high and critical findings wake people up (BW-knowledge.03). */
export const refuseUnbound = (severity: Severity, writer: Pick<Writer, 'agentId'>): Refusal | undefined =>
  writer.agentId === undefined && (severity === 'high' || severity === 'critical')
    ? refuse('IDENTITY_REQUIRED', `A finding of severity ${severity} needs a proven agent that answers for it.`, {
        details: { status: 'identity_required', severity, without_identity: ['low', 'medium'] },
      }).refusal
    : undefined;
