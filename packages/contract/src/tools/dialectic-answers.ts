import { z } from 'zod';
import { errorCode, isoTime } from './common.ts';

const count = z.int().min(0);
/** Present and true, or not there. */
const told = z.literal(true).optional();
const someAgent = z.string().describe('Its id, as far as the caller may see it');

const resolutionAction = z.enum(['resume', 'block', 'escalate', 'cooldown']);
const agentStatus = z.enum(['active', 'paused', 'archived', 'waiting_input', 'disabled', 'deleted']);

const confirmation = z.object({
  since: isoTime,
  action: resolutionAction.describe('What the participants agreed on'),
  why: z.array(z.enum(['claims_review', 'paused_again'])),
  decision: z.enum(['open', 'accept', 'reject']),
  operator: z.string().optional().describe('Who decided; this and the next two are absent while it is open'),
  at: isoTime.nullable().optional(),
  reason: z.string().nullable().optional(),
});

// The very object that is signed: its names stay as they are there.
const resolution = z.object({
  action: resolutionAction,
  conditions: z.array(z.string()),
  rootCause: z.string(),
  reasoning: z.string(),
  timestamp: isoTime,
  signatureA: z.string().describe('For the paused agent'),
  signatureB: z.string().describe('For the reviewer; empty where there was none'),
  signatureVersion: z.literal(2),
});

const entry = z.object({
  phase: z.enum(['thesis', 'antithesis', 'synthesis', 'system', 'failed']),
  role: z.enum(['paused_agent', 'reviewer', 'server', 'other']),
  agent_id: someAgent,
  timestamp: isoTime,
  root_cause: z.string().nullable(),
  reasoning: z.string().nullable(),
  proposed_conditions: z.array(z.string()).optional(),
  concerns: z.array(z.string()).optional(),
  proposed_action: resolutionAction.optional(),
  agrees: z.boolean().optional(),
  refused: told.describe('It stands in the record, and is no verdict and no offer'),
});

/** Whose move it is, and what the caller can do about it. */
const turn = {
  whose_move: z.enum([
    'yours',
    'not_yours',
    'paused_agent',
    'reviewer',
    'participants',
    'open_reviewer_slot',
    'operator_or_reviewer',
    'operator',
    'nobody',
  ]),
  next_call: z
    .object({
      tool: z.literal('dialectic'),
      action: z.enum(['thesis', 'antithesis', 'synthesis', 'reassign', 'confirm']),
      session_id: z.string(),
    })
    .nullable()
    .describe('What the caller can call now; null: nothing'),
  paused_agent_label: z.string().nullable(),
  reviewer_label: z.string().nullable(),
  reviewer_status: agentStatus.nullable(),
  required_role: z.enum([
    'operator',
    'paused_agent',
    'reviewer',
    'participant',
    'reviewer_or_facilitator',
    'reviewer_or_operator',
    'none',
  ]),
  required_agent_id: someAgent.nullable(),
  required_agent_label: z.string().nullable(),
  allowed_agent_ids: z.array(someAgent).describe('Agents that may make the move'),
  current_agent_id: z.string().nullable().describe('The caller; null: it proves no agent'),
  current_agent_role: z.enum(['operator', 'paused_agent', 'reviewer', 'observer']).nullable(),
  current_agent_can_submit: z.boolean().nullable(),
  reviewer_verdict_pending: z.boolean(),
  recommended_action: z.string(),
};

/** A review, as the caller may see it. */
const review = z.object({
  session_id: z.string(),
  phase: z.enum(['thesis', 'antithesis', 'synthesis', 'resolved', 'failed']),
  session_type: z.string(),
  paused_agent: someAgent,
  reviewer: someAgent.nullable().describe('null: the place is open'),
  topic: z.string().nullable(),
  reason: z.string().nullable(),
  trigger_source: z.string().nullable(),
  created: isoTime,
  awaiting_facilitation: z.boolean().describe('An operator is asked to name a reviewer'),
  synthesis_round: count,
  max_synthesis_rounds: count,
  message_count: count,
  reviewer_assigned_by: z.string().optional().describe('The operator who named the reviewer'),
  confirmation: confirmation.optional().describe('There when an operator was asked to confirm the agreement'),
  is_stable: z.boolean().describe('No resolution about either of the two is being carried out'),
  resolution: resolution.optional(),
  transcript: z.array(entry).optional(),
  ...turn,
});

export const list = z.object({
  session_count: count,
  sessions: z.array(review).describe('The newest first'),
  filters_applied: z.object({ agent_id: z.string().nullable(), status: z.string().nullable(), limit: count }),
  message: z.string().optional(),
});

export const get = z.union([
  review.extend({
    timeout_action: z
      .enum(['reassigned', 'facilitation_asked', 'failed'])
      .optional()
      .describe('What was done because a participant let its time pass'),
  }),
  z
    .object({ session_count: count, sessions: z.array(review) })
    .describe('For an agent that several reviews are under way about'),
]);

export const quick = z.object({
  issue: z.string(),
  recommendation: z.enum(['record_decision', 'escalate_full_dialectic']),
  flags: z.array(
    z.enum([
      'issue_contains_high_risk_terms',
      'decision_context_contains_high_risk_terms',
      'three_or_more_concerns',
      'risk_score_at_or_above_0.70',
      'no_position_supplied',
    ]),
  ),
});

export const request = z.union([
  z
    .object({
      skipped: z.literal(true),
      status: z.literal('waiting_input'),
      reason: z.string(),
      recommendation: z.string(),
    })
    .describe('No review was opened'),
  review.extend({
    message: z.string(),
    one_call_review: told.describe('The call carried a thesis, too'),
    session_created: told,
    thesis_recorded: z.boolean().optional(),
    thesis_error: z.object({ error_code: errorCode, error: z.string() }).optional(),
  }),
]);

export const thesis = review;

export const antithesis = review.extend({
  reviewer_auto_assigned: told.describe('The place was open, and its author has it now'),
});

const condition = { text: z.string(), appliedAt: z.int(), expiresAt: z.int().nullable(), effect: z.string() };
const bound = z.number().min(0).lt(1);

export const synthesis = z.union([
  review
    .extend({
      converged: z.literal(true),
      action: resolutionAction.nullable(),
      rounds: count,
      execution: z.object({
        applied: z.boolean(),
        status: z.enum(['committed', 'reverted', 'lost', 'waiting']),
        agent_status: agentStatus.nullable(),
        warning: z.string().optional(),
      }),
      conditions: z
        .array(
          z.discriminatedUnion('kind', [
            z.object({ kind: z.literal('complexity_cap'), limit: bound, ...condition }),
            z.object({ kind: z.literal('risk_target'), limit: bound, ...condition }),
            z.object({ kind: z.literal('monitoring'), durationMs: z.int().min(0), ...condition }),
            z.object({ kind: z.literal('note'), ...condition }),
          ]),
        )
        .optional()
        .describe('What the agent carries now; times in ms since the epoch'),
    })
    .describe('Both agree'),
  review
    .extend({
      converged: z.literal(true),
      action: resolutionAction.nullable(),
      awaiting_confirmation: z.literal(true),
      message: z.string(),
    })
    .describe('Both agree, and an operator has to confirm it'),
  review
    .extend({ converged: z.literal(false), action: z.literal('block'), reason: z.string() })
    .describe('The agreement would break a hard limit: the review has failed'),
  review
    .extend({ converged: z.literal(false), action: z.literal('failed_max_rounds'), rounds: count })
    .describe('The rounds are used up: the review has failed'),
  review.extend({ converged: z.literal(false) }).describe('The next round is open'),
]);

export const reassign = review.extend({
  message: z.string(),
  reassigned_by_role: z.enum(['operator', 'current_reviewer', 'sweeper']),
  reopened: z.boolean().describe('The review had failed, and goes on'),
});

export const confirm = review.extend({
  message: z.string(),
  decision: z.enum(['confirmed', 'rejected', 'lapsed', 'unsafe', 'to_confirm']).describe('What was made of the word'),
  agent_status: agentStatus.nullable(),
  applied: z.boolean().optional(),
});
