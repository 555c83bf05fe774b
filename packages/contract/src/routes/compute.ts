import { timeText } from '../tools/common.ts';
import { z } from 'zod';

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
        last_update_at: timeText().nullable().default(null),
      }),
    )
    .max(10_000),
  paused_agent_id: id,
  paused_agent_tags: tags,
  excluded: ids,
  busy: ids,
  recent_pairs: z.array(z.object({ reviewer_agent_id: id, paused_agent_id: id })).max(10_000),
  // What the choice depends on besides; who leaves them out gets those of the moment.
  now: timeText().nullable().default(null),
  random: z.number().min(0).lt(1).nullable().default(null),
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
export type ComputeRequest = z.infer<typeof computeRequest>;
export type SynthesisInput = z.infer<typeof synthesis>;
export type SelectionInput = z.infer<typeof selection>;

/** What `synthesize` gives: both offers in one, and whether it keeps the hard limits. */
export const synthesisResult = z.object({
  conditions: z.array(z.string()),
  root_cause: z.string(),
  reasoning: z.string(),
  safe: z.boolean(),
  violation: z.string().nullable(),
});

/** What each mode gives, for whoever receives it from elsewhere. */
export const COMPUTE_RESULTS = {
  synthesize: synthesisResult,
  select_reviewer: z.object({ reviewer_agent_id: z.string().nullable() }),
} as const;
