import type {
  ConfirmationView,
  MergeView,
  ReviewMessage,
  ReviewRow,
  ReviewView,
  SagaView,
} from '@breakwater/contract/overview';
import { assignedBy, confirmationText, explainReviewMerge, type ReviewSession } from '../../dialectic/index.ts';
import { refOf, type Surroundings } from './agents.ts';
import { iso } from '../../runtime/index.ts';

type Find = Surroundings['find'];

/** A review as a list shows it, but its number of messages. Times in ms since the epoch, UTC. */
export interface StoredReview {
  readonly reviewId: string;
  readonly pausedAgentId: string;
  readonly reviewerAgentId: string | null;
  readonly phase: ReviewRow['phase'];
  readonly round: number;
  readonly maxRounds: number;
  readonly awaitingFacilitation: boolean;
  readonly facilitationSince: number | null;
  readonly reason: string | null;
  readonly outcome: string | null;
  readonly createdAt: number;
  readonly lastParticipantAt: number;
  readonly messages: number;
  readonly confirmationSince: number | null;
}

/** A saga with the times of the steps that it went through; null: it did not. */
export interface StoredSaga {
  readonly sagaId: string;
  readonly reviewId: string;
  readonly pausedAgentId: string;
  readonly reviewerAgentId: string | null;
  readonly state: string;
  readonly attempts: number;
  readonly lastError: string | null;
  readonly createdAt: number;
  readonly pausedAgentAppliedAt: number | null;
  readonly bothAppliedAt: number | null;
  readonly committedAt: number | null;
  readonly revertedAt: number | null;
  readonly deadLetterAt: number | null;
}

export const reviewRow = (row: StoredReview, find: Find): ReviewRow => ({
  review_id: row.reviewId,
  agent: refOf(row.pausedAgentId, find),
  reviewer: row.reviewerAgentId === null ? null : refOf(row.reviewerAgentId, find),
  phase: row.phase,
  round: row.round,
  max_rounds: row.maxRounds,
  awaiting_facilitation: row.awaitingFacilitation,
  facilitation_since: row.facilitationSince === null ? null : iso(row.facilitationSince),
  reason: row.reason,
  outcome: row.outcome,
  created_at: iso(row.createdAt),
  last_participant_at: iso(row.lastParticipantAt),
  messages: row.messages,
  awaiting_confirmation_since: row.confirmationSince === null ? null : iso(row.confirmationSince),
});

export const sagaView = (saga: StoredSaga, find: Find): SagaView => {
  const steps: readonly (readonly [string, number | null])[] = [
    ['reserved', saga.createdAt],
    ['change of the paused agent staged', saga.pausedAgentAppliedAt],
    ['change of the reviewer staged', saga.bothAppliedAt],
    ['committed', saga.committedAt],
    ['reverted', saga.revertedAt],
    ['given up', saga.deadLetterAt],
  ];
  return {
    saga_id: saga.sagaId,
    review_id: saga.reviewId,
    agent: refOf(saga.pausedAgentId, find),
    reviewer: saga.reviewerAgentId === null ? null : refOf(saga.reviewerAgentId, find),
    state: saga.state,
    dead_letter: saga.deadLetterAt !== null && saga.committedAt === null && saga.revertedAt === null,
    attempts: saga.attempts,
    last_error: saga.lastError,
    history: steps.flatMap(([step, at]) => (at === null ? [] : [{ step, at: iso(at) }])),
  };
};

/** Who wrote the server's own entries of a record. */
const SERVER = 'system';

const messageView = (session: ReviewSession, message: ReviewSession['messages'][number], find: Find): ReviewMessage => {
  const byServer = message.type === 'system' || message.type === 'failed' || message.agentId === SERVER;
  const role = message.agentId === session.pausedAgentId ? 'paused agent' : 'reviewer';
  return {
    at: iso(message.at),
    kind: message.type,
    author: byServer ? null : refOf(message.agentId, find),
    role: byServer ? 'server' : role,
    root_cause: message.rootCause,
    reasoning: message.reasoning,
    conditions: message.conditions,
    concerns: message.concerns,
    proposed_action: message.proposedAction,
    agrees: message.agrees,
    refused: message.refused,
  };
};

const mergeView = (session: ReviewSession): MergeView | null => {
  const merge = explainReviewMerge(session);
  if (merge === undefined) return null;
  const from = { both: 'both', a: 'paused agent', b: 'reviewer' } as const;
  return {
    conditions: merge.conditions.map((condition) => ({ text: condition.text, from: from[condition.from] })),
    conflicts: merge.leftOut.map(({ text, against }) => ({
      a: against,
      b: text,
      why: 'They contradict each other; the later one is left out.',
    })),
    root_cause_similarity: merge.rootCauseSimilarity,
  };
};

const confirmationView = (of: NonNullable<ReviewSession['confirmation']>): ConfirmationView => ({
  since: iso(of.since),
  action: of.action,
  why: confirmationText(of.why),
  decision: of.decision,
  operator: of.by,
  at: of.at === null ? null : iso(of.at),
  reason: of.reason,
});

/** A review whole: what was said, how the proposals come together, what came of it, and how that was carried out. */
export const reviewView = (
  row: StoredReview,
  session: ReviewSession,
  sagas: readonly StoredSaga[],
  find: Find,
): ReviewView => ({
  ...reviewRow(row, find),
  reviewer_assigned_by: assignedBy(session),
  confirmation: session.confirmation === null ? null : confirmationView(session.confirmation),
  transcript: session.messages.map((message) => messageView(session, message, find)),
  merge: mergeView(session),
  resolution:
    session.resolution === null
      ? null
      : {
          action: session.resolution.action,
          conditions: session.resolution.conditions,
          root_cause: session.resolution.rootCause,
          reasoning: session.resolution.reasoning,
          at: session.resolution.timestamp,
        },
  sagas: sagas.map((saga) => sagaView(saga, find)),
});
