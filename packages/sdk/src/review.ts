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

/** One review: what its subject and its reviewer do. `whoseMove` of each answer says who goes on. */
export interface ReviewHandle {
  readonly sessionId: string;
  /** The newest answer about it; undefined: none has come yet. */
  readonly latest: Review | undefined;
  get(): Promise<Review>;
  /** The paused agent explains itself (the thesis). */
  explain(thesis: Thesis): Promise<Review>;
  /** The reviewer responds (the antithesis). */
  respond(antithesis: Antithesis): Promise<Review>;
  /**
   * Either side proposes how it ends (the synthesis). One that agrees ends the review, unless an operator has to confirm it
   * (`awaitingConfirmation`); one that does not opens the next round.
   */
  propose(synthesis: Synthesis): Promise<Review>;
  /** Names another reviewer, which has to qualify, or has one chosen. */
  reassign(options?: { readonly newReviewerId?: string; readonly reason?: string }): Promise<Review>;
}

/** The reviews of the fleet, as one agent sees them. */
export interface Dialectic {
  request(request: ReviewRequest): Promise<ReviewHandle>;
  of(sessionId: string, latest?: Review): ReviewHandle;
  list(filter?: ReviewFilter): Promise<ReviewList>;
}

interface Said {
  readonly rootCause?: string | undefined;
  readonly conditions?: readonly string[] | undefined;
  readonly [key: string]: unknown;
}

export const dialecticOf = (call: (args: Wire) => Promise<Json>): Dialectic => {
  const say = async (action: Wire['action'], said: Said, session_id?: string) => {
    const { rootCause, conditions, ...same } = said;
    const args = { action, session_id, ...same, root_cause: rootCause, proposed_conditions: conditions };
    return readReview(await call(present(args)));
  };
  const of = (sessionId: string, first?: Review): ReviewHandle => {
    let latest = first;
    const move = async (action: Wire['action'], said: Said) => (latest = await say(action, said, sessionId));
    return {
      sessionId,
      get latest() {
        return latest;
      },
      get: () => move('get', {}),
      explain: (said) => move('thesis', { ...said }),
      respond: ({ observedMetrics, ...said }) => move('antithesis', { ...said, observed_metrics: observedMetrics }),
      propose: ({ proposedAction, ...said }) => move('synthesis', { ...said, proposed_action: proposedAction }),
      reassign: ({ newReviewerId, reason } = {}) => move('reassign', { new_reviewer_id: newReviewerId, reason }),
    };
  };
  return {
    of,
    async request({ reviewerMode, maxRounds, ...said }) {
      const asked = await say('request', { ...said, reviewer_mode: reviewerMode, max_synthesis_rounds: maxRounds });
      return of(asked.sessionId, asked);
    },
    async list({ agentId, transcript, ...same } = {}) {
      const args = { action: 'list', ...same, agent_id: agentId, include_transcript: transcript };
      return readReviews(await call(present(args)));
    },
  };
};
