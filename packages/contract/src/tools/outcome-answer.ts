import { z } from 'zod';
import type { ReadOnly } from '../tool-spec.ts';
import { claimCoverage, claimsRecord } from './check-in-answer.ts';
import { isoTime } from './common.ts';

export const OUTCOME_TYPES = [
  'drawing_completed',
  'drawing_abandoned',
  'test_passed',
  'test_failed',
  'tool_rejected',
  'task_completed',
  'task_failed',
  'trajectory_validated',
  'dialectic_resolved',
  'watcher_finding_confirmed',
  'watcher_finding_dismissed',
] as const;
export type OutcomeType = (typeof OUTCOME_TYPES)[number];

const GRADES = [
  'claim_only',
  'self_report_with_refs',
  'tool_observed',
  'substrate_observed',
  'externally_verified',
] as const;
/** How an outcome is known, weakest first. */
export type CorroborationGrade = (typeof GRADES)[number];

const PREDICTION_SOURCES = [
  'registry',
  'argument_fallback',
  'missing_prediction',
  'ttl_expired_fallback',
  'no_binding',
] as const;
/** How an outcome came by the confidence that it is held against. */
export type PredictionSource = (typeof PREDICTION_SOURCES)[number];

const share = z.number().min(0).max(1);

const semantics = z.object({
  grades: z.record(z.enum(GRADES), z.object({ weight: share, takes: z.string() })),
  graded_from: share.describe('The weight from which an outcome counts'),
  graded: z.string(),
});

/** What is answered about an outcome whoever reports it. */
const recorded = z.object({
  outcome_id: z.uuid(),
  outcome_type: z.enum(OUTCOME_TYPES),
  outcome_score: share.nullable().describe('null: it says neither success nor failure'),
  is_bad: z.boolean(),
  recorded_at: isoTime,
  corroboration_grade: z.enum(GRADES),
  evidence_weight: share,
  claim_risk: z.enum(['high', 'medium', 'low']).describe('How likely it is to be mere words'),
  prediction_source: z.enum(PREDICTION_SOURCES),
  confidence: share.nullable().describe('The confidence claimed before the result; null: none is known'),
  update: z.int().positive().nullable().describe('The check-in that made the claim'),
  graded: z.boolean().describe('It counts for calibration and against claims'),
  calibration_excluded: z.literal(true).optional(),
  claims: z.object({
    value: z.number().nonnegative().describe('The claims detector; 1 says nothing'),
    graded: z.int().nonnegative(),
    meanClaim: share.nullable(),
    accuracy: share.nullable(),
  }),
  record: claimsRecord,
  coverage: claimCoverage,
  bet_held: z.literal(true).optional().describe('Graded, but the detector placed no bet: other agents fail as well'),
  eisv_snapshot: z
    .object({ E: z.number(), I: z.number(), S: z.number(), V: z.number() })
    .optional()
    .describe('The state at the check-in that made the claim, or the newest'),
  snapshot_missing: z.literal(true).optional().describe('There is no state to go with it'),
  warnings: z.array(z.string()).optional(),
  paused: z.literal(true).optional().describe('This outcome paused the agent'),
  pause: z
    .object({ reason: z.string(), expires_at: isoTime.nullable(), actuation_id: z.string() })
    .optional()
    .describe('The pause that this outcome put in force'),
});

/** What an agent is answered about an outcome of its own. */
export const outcomeAnswer = recorded.extend({
  next_step: z.string().optional().describe('Of an agent that is held: the one thing to do next'),
  semantics: semantics.optional(),
});

/** What an operator's program is answered about an outcome of an agent. */
export const externalOutcomeAnswer = recorded;
export type ExternalOutcomeAnswer = ReadOnly<z.infer<typeof externalOutcomeAnswer>>;
