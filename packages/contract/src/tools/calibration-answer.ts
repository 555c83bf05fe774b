import { z } from 'zod';
import type { ReadOnly } from '../tool-spec.ts';
import { isoTime } from './common.ts';

const STATUSES = ['no_data', 'signal_stale', 'calibrated', 'undecided', 'miscalibrated'] as const;
/** Whether claims and results agree, as far as the results tell. */
export type CalibrationStatus = (typeof STATUSES)[number];

const LABELS = ['measured', 'derived', 'prior', 'unknown'] as const;

const share = z.number().min(0).max(1);
const gap = z.number().min(-1).max(1);
const count = z.int().nonnegative();
const interval = z.tuple([share, share]).describe('95 %');

const binOf = {
  lower: share,
  upper: share,
  n: count,
  mean_confidence: share.nullable(),
  interval: interval.nullable(),
};
const tacticalBin = z.object({ ...binOf, accuracy: share.nullable() }).meta({ id: 'ReliabilityBin' });
const strategicBin = z.object({ ...binOf, healthy: share.nullable() });

const group = z.object({
  n: count,
  mean_confidence: share,
  accuracy: share,
  interval,
  gap: gap.describe('Mean claim less accuracy: above 0 claims run ahead'),
});

const message = z.string();
const bin = { lower: share, upper: share, n: count };

const issue = z.discriminatedUnion('code', [
  z.object({
    code: z.literal('over_confidence'),
    message,
    ...bin,
    accuracy: share,
    mean_confidence: share,
    at_most: share.describe('The accuracy is surely below it'),
    limit: share,
  }),
  z.object({ code: z.literal('complexity_misreported'), message, share, n: count, limit: share }),
]);

const advisory = z.discriminatedUnion('code', [
  z.object({ code: z.literal('too_few'), message, n: count, least: count }),
  z.object({ code: z.literal('stale'), message, days: count, limit: count }),
  z.object({
    code: z.literal('undecided'),
    message,
    n: count,
    least: share,
    most: share,
    mean_confidence: share,
    limit: share,
  }),
  z.object({ code: z.literal('one_class'), message, n: count }),
  z.object({ code: z.literal('under_confidence'), message, ...bin, value: gap, limit: share }),
  z.object({ code: z.literal('class_gap'), message, class: z.string(), n: count, gap, limit: share }),
]);
/** What makes claims miscalibrated. */
export type CalibrationIssue = z.infer<typeof issue>;
/** What a reader of the claims should know. */
export type CalibrationAdvisory = z.infer<typeof advisory>;

const test = {
  detector: z.literal('claims'),
  null_hypothesis: z.string(),
  guarantee: z.string(),
  limits: z.object({ guide: z.number(), pause: z.number(), least_graded: count }),
};

const checked = {
  calibrated: z.boolean().nullable().describe('null: the results do not say'),
  calibration_status: z.enum(STATUSES),
  issues: z.array(issue.meta({ id: 'CalibrationIssue' })),
  advisories: z.array(advisory.meta({ id: 'CalibrationAdvisory' })),
  accuracy: share.nullable(),
  mean_gap: gap.nullable().describe('Mean claim less accuracy'),
  worst_bin_gap: share.nullable().describe('By how much the claims of the worst bin run ahead'),
  skill: z
    .object({
      n: count,
      brier: z.number().nonnegative().nullable(),
      reliability: z.number().nullable(),
      resolution: z.number().nullable(),
      uncertainty: z.number().nullable(),
      within_bins: z.number().nullable(),
      skill: z.number().max(1).nullable(),
      one_class: z.boolean().nullable(),
    })
    .meta({
      id: 'BrierScore',
      description: 'The Brier score and its parts: brier = reliability - resolution + uncertainty + within_bins',
    }),
  trajectory_health: share.nullable().describe('How often the agent was still told to proceed: no accuracy'),
  truth_channel: z.enum(['confidence_outcome_match', 'trajectory_proxy']).nullable(),
  total_samples: count,
  confidence_distribution: z
    .object({
      n: count,
      mean: share.nullable(),
      min: share.nullable(),
      max: share.nullable(),
      per_bin: z.array(count),
    })
    .meta({ id: 'ConfidenceDistribution' }),
  tactical_evidence: z.object({
    n: count,
    mean_confidence: share.nullable(),
    interval: interval.nullable(),
    newest_at: isoTime.nullable(),
  }),
  curves: z
    .object({
      tactical: z.object({ n: count, question: z.string(), bins: z.array(tacticalBin) }),
      strategic: z.object({ n: count, question: z.string(), bins: z.array(strategicBin) }),
    })
    .meta({ id: 'ReliabilityCurves' }),
  complexity: z.object({ n: count, far_share: share.nullable() }),
  // By channel and by class, as the stored outcomes name them.
  per_channel_calibration: z.record(z.string(), group.extend({ bins: z.array(tacticalBin) })),
  by_class: z.record(z.string(), group.meta({ id: 'ClaimGroup' })),
  correction_factors: z
    .array(z.object({ ...bin, factor: z.number().nonnegative() }))
    .describe('Claims of a bin, times its factor, came true; nothing applies it'),
  limits: z
    .object({
      full_bin: count,
      tested_bin: count,
      tolerance: share,
      within: share,
      gap: share,
      least_graded: count,
      complexity_gap: share,
      complexity_share: share,
      least_of_class: count,
      stale_days: z.number(),
    })
    .meta({ id: 'CalibrationLimits' }),
  guidance: z.object({
    mode: z.literal('advisory_only'),
    confidence_policy: z.string(),
    actions: z.array(z.string()),
  }),
  window: z.object({ since: isoTime, as_of: isoTime, age_ms: z.number().nonnegative() }),
  // By the path in this answer that a label is about.
  provenance: z.record(z.string(), z.enum(LABELS)).describe('What each number is worth, by its path'),
};

/** `calibration(action=check)`, and `GET /api/calibration`. */
export const calibrationCheck = z.discriminatedUnion('scope', [
  z.object({
    scope: z.literal('fleet'),
    ...checked,
    sequential: z.object({
      ...test,
      agents: count.describe('Agents with graded results'),
      at_guide_or_above: count,
      at_pause_or_above: count,
      highest: z.number().nullable(),
    }),
  }),
  z.object({
    scope: z.literal('agent'),
    agent_id: z.string().describe('As the caller named it'),
    ...checked,
    sequential: z.object({
      ...test,
      value: z.number().nonnegative().nullable().describe('The claims detector; 1 says nothing'),
      graded: count,
      chance_if_honest_at_most: share.nullable(),
    }),
    used_by_check_ins: z.object({
      error: share.nullable().describe('Over-confidence of all graded results'),
      n: count,
    }),
  }),
]);

export type CalibrationCheck = ReadOnly<z.infer<typeof calibrationCheck>>;

const counts = z.object({ claims: count, graded: count });

/** `calibration(action=rebuild)`. */
export const calibrationRebuild = z.object({
  dry_run: z.boolean(),
  days: count,
  claims: count,
  graded: count,
  days_that_differed: count,
  differences: z.array(z.object({ day: z.iso.date(), before: counts, after: counts })).describe('The first of them'),
  note: z.string(),
});
