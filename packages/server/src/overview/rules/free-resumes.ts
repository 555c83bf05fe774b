import { AUDIT_EVENTS } from '@breakwater/contract';
import type { FreeResume } from '@breakwater/contract/overview';
import { refOf, type Surroundings } from './agents.ts';

/** The end of a pause that no operator made, as the audit trail has it. Times in ms since the epoch, UTC. */
export interface StoredResume {
  readonly at: number;
  readonly agentId: string;
  readonly event: string;
  readonly payload: Readonly<Record<string, unknown>>;
  /** Of the review that ended it. */
  readonly reviewerAgentId: string | null;
  readonly cause: string | null;
  readonly total: number;
}

const MOST_TEXT = 300;

const textOf = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value.slice(0, MOST_TEXT) : null;

/** Who let an agent go on, how and why, for a person. */
export const freeResume = (row: StoredResume, find: Surroundings['find']): FreeResume => {
  const { payload, agentId } = row;
  const common = { at: new Date(row.at).toISOString(), agent: refOf(agentId, find) };
  if (row.event === AUDIT_EVENTS.pauseExpired) {
    const seconds = payload['elapsed_seconds'];
    const why = typeof seconds === 'number' ? `it had lasted ${(seconds / 3600).toFixed(1)} h` : null;
    return { ...common, how: 'expiry', by: null, why, review_id: null };
  }
  if (payload['by'] === 'review') {
    const by = row.reviewerAgentId === null ? null : refOf(row.reviewerAgentId, find);
    return { ...common, how: 'review', by, why: textOf(row.cause), review_id: textOf(payload['session_id']) };
  }
  const why = textOf(payload['reflection']) ?? textOf(payload['reason']);
  return { ...common, how: 'self_recovery', by: common.agent, why, review_id: null };
};
