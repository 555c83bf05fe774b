import { z } from 'zod';
import { unsafeReason } from './rules/hard-limits.ts';
import { mergeOffers } from './rules/merge.ts';
import { selectReviewer } from './rules/selection.ts';

// The bounds keep what a caller sends from holding up the process: merging compares every condition with every other.
const id = z.string().min(1).max(200);
const ids = z.array(id).max(10_000);
const text = (most: number) => z.string().max(most).nullable().default(null);
const tags = z.array(z.string().max(200)).max(100);

const offer = z.object({
  agent_id: id,
  proposed_conditions: z.array(z.string().max(500)).max(50).default([]),
  root_cause: text(2000),
  reasoning: text(8000),
});

const synthesis = z.object({
  message_a: offer,
  message_b: offer,
  transcript: z
    .array(
      z.object({
        phase: z.enum(['thesis', 'antithesis', 'synthesis', 'system', 'failed']),
        agent_id: id,
        root_cause: text(2000),
        reasoning: text(8000),
      }),
    )
    .max(1000),
  session_type: z.string().max(64),
});

const selection = z.object({
  candidates: z
    .array(
      z.object({
        agent_id: id,
        label: text(200),
        status: z.enum(['active', 'paused', 'archived', 'waiting_input', 'disabled', 'deleted']),
        risk: z.number().nullable().default(null),
        reviews: z.number().int().min(0).default(0),
        successful_reviews: z.number().int().min(0).default(0),
        tags: tags.default([]),
        last_update_at: z.iso.datetime({ offset: true }).nullable().default(null),
      }),
    )
    .max(10_000),
  paused_agent_id: id,
  paused_agent_tags: tags,
  excluded: ids,
  busy: ids,
  recent_pairs: z.array(z.object({ reviewer_agent_id: id, paused_agent_id: id })).max(10_000),
});

const call = { session_id: id, round: z.number().int().min(0).max(1_000_000) };

/** What `POST /v1/dialectic/compute` takes (W3-5.04), in the words of the wire. */
export const computeRequest = z.discriminatedUnion(
  'mode',
  [
    z.object({ ...call, mode: z.literal('synthesize'), input: synthesis }),
    z.object({ ...call, mode: z.literal('select_reviewer'), input: selection }),
  ],
  { error: 'must be synthesize or select_reviewer' },
);
type ComputeRequest = z.infer<typeof computeRequest>;

/**
 * Everything that a computation depends on, time and chance included, so that it gives the same wherever it runs
 * (W3-5.07). Plain data: it crosses to a thread or a process as it is.
 */
export interface ComputeJob {
  readonly request: ComputeRequest;
  /** ms since the epoch, UTC. */
  readonly now: number;
  /** 0 up to and without 1. */
  readonly random: number;
}

/** What a computation gives, in the words of the wire. */
export type ComputeResult = Readonly<Record<string, unknown>>;

type Offered = z.infer<typeof offer>;
const offerOf = ({ agent_id, proposed_conditions, root_cause, reasoning }: Offered) => ({
  agentId: agent_id,
  conditions: proposed_conditions,
  rootCause: root_cause,
  reasoning,
});

const synthesize = ({ message_a, message_b, transcript, session_type }: z.infer<typeof synthesis>): ComputeResult => {
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

const choose = (input: z.infer<typeof selection>, now: number, random: number): ComputeResult => {
  const candidates = input.candidates.map((candidate) => ({
    agentId: candidate.agent_id,
    label: candidate.label,
    status: candidate.status,
    risk: candidate.risk,
    reviews: candidate.reviews,
    successfulReviews: candidate.successful_reviews,
    tags: candidate.tags,
    lastUpdateAt: candidate.last_update_at === null ? null : Date.parse(candidate.last_update_at),
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
    now,
    random,
  });
  return { reviewer_agent_id: reviewer };
};

/** Carries out a job: equal output for equal input, and nothing else happens (W3-5.07). */
export const computeJob = ({ request, now, random }: ComputeJob): ComputeResult =>
  request.mode === 'synthesize' ? synthesize(request.input) : choose(request.input, now, random);
