import { refusal, type Refusal } from '@breakwater/contract';
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

/** Refuses what nobody answers for: high and critical findings wake people up (BW-knowledge.03). */
export const refuseUnbound = (severity: Severity, writer: Pick<Writer, 'agentId'>): Refusal | undefined =>
  writer.agentId === undefined && (severity === 'high' || severity === 'critical')
    ? refusal('IDENTITY_REQUIRED', `A finding of severity ${severity} needs a proven agent that answers for it.`, {
        details: { status: 'identity_required', severity, without_identity: ['low', 'medium'] },
      })
    : undefined;
