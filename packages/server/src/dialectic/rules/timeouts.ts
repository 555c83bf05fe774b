import type { AgentStatus } from '../../agents/agent.ts';
import type { Session } from '../session.ts';
import { assignedAt, cannotAct, reopenedAt } from './reassign.ts';
import { HOUR_MS } from '../../runtime/index.ts';

/** How long a reviewer may be silent, and how long nobody may do anything (spec dialectic A.5, A.6). */
export const SILENCE_LIMIT = 2 * HOUR_MS;

/** How long a session may wait for a person (spec dialectic A.6). */
export const FACILITATION_LIMIT = 4 * HOUR_MS;

/** In ms: the wait for an antithesis, for the next synthesis, and the whole. */
export interface Limits {
  readonly antithesis: number;
  readonly synthesis: number;
  readonly total: number;
}

const DEFAULT_LIMITS: Limits = { antithesis: 2 * HOUR_MS, synthesis: HOUR_MS, total: 6 * HOUR_MS };

const LIMITS: ReadonlyMap<string, Limits> = new Map([
  ['exploration', { antithesis: 24 * HOUR_MS, synthesis: 6 * HOUR_MS, total: 72 * HOUR_MS }],
  ['design_review', { antithesis: 7 * 24 * HOUR_MS, synthesis: 3 * 24 * HOUR_MS, total: 30 * 24 * HOUR_MS }],
]);

/** The limits of a session, from its stored type alone, so that a reload changes nothing (BW-dialectic.04). */
export const limitsOf = ({ sessionType }: Pick<Session, 'sessionType'>): Limits =>
  LIMITS.get(sessionType) ?? DEFAULT_LIMITS;

const hours = (ms: number, digits: number) => (ms / HOUR_MS).toFixed(digits);

/** The total time is over; it starts again when the session is opened again. */
export const isOverTotal = (session: Session, now: number): boolean =>
  now - (reopenedAt(session) ?? session.createdAt) > limitsOf(session).total;

/** Since when the reviewer is awaited; null when nothing says it. */
const awaitedSince = (session: Session): number | null => {
  const thesis = session.messages.find(({ type }) => type === 'thesis');
  return thesis === undefined ? null : Math.max(thesis.at, assignedAt(session) ?? thesis.at);
};

/** When the last move was made: a submission that counted, or a reviewer named. */
const lastMoveAt = (session: Session): number => {
  const said = session.messages.findLast(({ type, refused }) => type !== 'system' && !refused);
  return Math.max(said?.at ?? session.createdAt, assignedAt(session) ?? 0);
};

/** Which time is over at `now`, in words; null: none (spec dialectic A.4). The total counts in every phase. */
export const timeoutOf = (session: Session, now: number): string | null => {
  const limits = limitsOf(session);
  if (isOverTotal(session, now)) return `Session timeout - total time exceeded ${hours(limits.total, 0)} hours`;
  if (session.phase === 'antithesis') {
    const waited = now - (awaitedSince(session) ?? now);
    return waited > limits.antithesis ? `Reviewer timeout - waited ${hours(waited, 1)} hours for antithesis` : null;
  }
  if (session.phase !== 'synthesis') return null;
  const waited = now - lastMoveAt(session);
  return waited > limits.synthesis ? `Synthesis timeout - waited ${hours(waited, 1)} hours for next synthesis` : null;
};

/**
 * The reviewer will not answer the thesis (spec dialectic A.5): unknown (`status` null), not able to act, or silent for 2 h
 * whatever the type of the session (W3-5.03).
 */
export const isReviewerStuck = (session: Session, status: AgentStatus | null, now: number): boolean =>
  session.phase === 'antithesis' &&
  session.reviewerAgentId !== null &&
  (status === null || cannotAct(status) || now - (awaitedSince(session) ?? now) > SILENCE_LIMIT);
