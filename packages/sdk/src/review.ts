import { present, type Json } from './json.ts';
import { readReview, readReviews, type Review, type ReviewList } from './results.ts';
import type { ToolArguments } from './tools.ts';

type Wire = ToolArguments<'dialectic'>;

/** What becomes of the agent when both agree. */
export type ProposedAction = 'resume' | 'cooldown' | 'escalate' | 'block';

export interface ReviewRequest {
  readonly reason: string;
  /** With it and conditions, the request is the thesis at once. */
  readonly rootCause?: string;
  readonly conditions?: readonly string[];
  readonly reasoning?: string;
  readonly topic?: string;
  /**
   * `auto` has the server choose a reviewer, `manual` leaves the place to the first that qualifies and answers. Where nobody
   * qualifies, an operator is asked: `awaitingFacilitation`.
   */
  readonly reviewerMode?: 'auto' | 'manual';
  readonly maxRounds?: number;
}

export interface Thesis {
  readonly rootCause: string;
  readonly conditions: readonly string[];
  readonly reasoning?: string;
}

export interface Antithesis {
  readonly reasoning: string;
  readonly concerns?: readonly string[];
  readonly conditions?: readonly string[];
  readonly observedMetrics?: Json;
}

export interface Synthesis {
  readonly agrees: boolean;
  readonly conditions?: readonly string[];
  readonly reasoning?: string;
  readonly rootCause?: string;
  readonly proposedAction?: ProposedAction;
}

export interface ReviewFilter {
  /** Phase or status. */
  readonly status?: string;
  readonly agentId?: string;
  /** 200 at most. */
  readonly limit?: number;
  readonly transcript?: boolean;
}

/** The way back of a paused agent, and what its reviewers do. `whoseMove` of each answer says who goes on. */
export interface Reviews {
  request(request: ReviewRequest): Promise<Review>;
  thesis(sessionId: string, thesis: Thesis): Promise<Review>;
  antithesis(sessionId: string, antithesis: Antithesis): Promise<Review>;
  /**
   * One that agrees ends the review, unless an operator has to confirm it (`awaitingConfirmation`); one that does not opens
   * the next round.
   */
  synthesis(sessionId: string, synthesis: Synthesis): Promise<Review>;
  get(sessionId: string): Promise<Review>;
  list(filter?: ReviewFilter): Promise<ReviewList>;
  /** Names another reviewer, which has to qualify, or has one chosen. */
  reassign(sessionId: string, options?: { readonly newReviewerId?: string; readonly reason?: string }): Promise<Review>;
}

interface Said {
  readonly rootCause?: string | undefined;
  readonly conditions?: readonly string[] | undefined;
  readonly [key: string]: unknown;
}

export const reviewsOf = (call: (args: Wire) => Promise<Json>): Reviews => {
  const say = async (action: Wire['action'], said: Said, session_id?: string) => {
    const { rootCause, conditions, ...same } = said;
    const args = { action, session_id, ...same, root_cause: rootCause, proposed_conditions: conditions };
    return readReview(await call(present(args)));
  };
  return {
    request: ({ reviewerMode, maxRounds, ...said }) =>
      say('request', { ...said, reviewer_mode: reviewerMode, max_synthesis_rounds: maxRounds }),
    thesis: (sessionId, said) => say('thesis', { ...said }, sessionId),
    antithesis: (sessionId, { observedMetrics, ...said }) =>
      say('antithesis', { ...said, observed_metrics: observedMetrics }, sessionId),
    synthesis: (sessionId, { proposedAction, ...said }) =>
      say('synthesis', { ...said, proposed_action: proposedAction }, sessionId),
    get: (sessionId) => say('get', {}, sessionId),
    async list({ agentId, transcript, ...same } = {}) {
      const args = { action: 'list', ...same, agent_id: agentId, include_transcript: transcript };
      return readReviews(await call(present(args)));
    },
    reassign: (sessionId, { newReviewerId, reason } = {}) =>
      say('reassign', { new_reviewer_id: newReviewerId, reason }, sessionId),
  };
};
