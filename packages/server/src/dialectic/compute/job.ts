import { readTime } from '@breakwater/contract';
import type { ComputeRequest, SelectionInput, SynthesisInput } from '@breakwater/contract/routes';
import { unsafeReason } from '../rules/hard-limits.ts';
import { mergeOffers } from '../rules/merge.ts';
import { selectReviewer } from '../rules/selection.ts';

/**
 * Everything that a computation depends on, time and chance included, so that it gives the same wherever it runs
 * (W3-5.07). Plain data: it crosses to another server as it is.
 */
export interface ComputeJob {
  readonly request: ComputeRequest;
  /** ms since the epoch, UTC; for a request that does not say it. */
  readonly now: number;
  /** 0 up to and without 1; for a request that does not say it. */
  readonly random: number;
}

/** What a computation gives, in the words of the wire. */
export type ComputeResult = Readonly<Record<string, unknown>>;

const offerOf = ({ agent_id, proposed_conditions, root_cause, reasoning }: SynthesisInput['message_a']) => ({
  agentId: agent_id,
  conditions: proposed_conditions,
  rootCause: root_cause,
  reasoning,
});

const synthesize = ({ message_a, message_b, transcript, session_type }: SynthesisInput): ComputeResult => {
  const record = transcript.map(({ phase, agent_id, root_cause, reasoning }) => ({
    type: phase,
    agentId: agent_id,
    rootCause: root_cause,
    reasoning,
  }));
  const terms = mergeOffers(offerOf(message_a), offerOf(message_b), record);
  const violation = unsafeReason(terms, session_type) ?? null;
  return {
    conditions: terms.conditions,
    root_cause: terms.rootCause,
    reasoning: terms.reasoning,
    safe: violation === null,
    violation,
  };
};

const choose = (input: SelectionInput, now: number, random: number): ComputeResult => {
  const candidates = input.candidates.map((candidate) => ({
    agentId: candidate.agent_id,
    label: candidate.label,
    status: candidate.status,
    risk: candidate.risk,
    reviews: candidate.reviews,
    successfulReviews: candidate.successful_reviews,
    tags: candidate.tags,
    lastUpdateAt: candidate.last_update_at === null ? null : (readTime(candidate.last_update_at) ?? null),
  }));
  const reviewer = selectReviewer(candidates, {
    pausedAgentId: input.paused_agent_id,
    pausedAgentTags: input.paused_agent_tags,
    excluded: new Set(input.excluded),
    busy: new Set(input.busy),
    recentPairs: input.recent_pairs.map((pair) => ({
      reviewerAgentId: pair.reviewer_agent_id,
      pausedAgentId: pair.paused_agent_id,
    })),
    residents: new Set(),
    now: (input.now === null ? undefined : readTime(input.now)) ?? now,
    random: input.random ?? random,
  });
  return { reviewer_agent_id: reviewer };
};

/** Carries out a job: equal output for equal input, and nothing else happens (W3-5.07). */
export const computeJob = ({ request, now, random }: ComputeJob): ComputeResult =>
  request.mode === 'synthesize' ? synthesize(request.input) : choose(request.input, now, random);
