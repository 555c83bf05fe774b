import { z } from 'zod';
import { claimCoverage, claimsRecord } from './check-in-answer.ts';
import {
  ACTIONS,
  MARGIN_WORDS,
  PHASES,
  PROVENANCE,
  REGIMES,
  STANDING_WORDS,
  STATUSES,
  SUB_ACTIONS,
  VERDICTS,
} from './check-in-words.ts';
import { isoTime } from './common.ts';

const share = z.number().min(0).max(1);
const count = z.int().nonnegative();

export const agentStatus = z.enum(STATUSES);

/** An agent's id as this caller may see it. */
export const visibleAgentId = z
  .string()
  .describe('Its uuid for itself and for operators; for others a stable stand-in that tells nothing of the uuid');

export const agentLabel = z.string().describe('Its name, or its handle when it has none; never an identity');

const currentState = z.object({
  E: share,
  I: share,
  S: share,
  V: z.number().min(-1).max(1),
  risk: share.nullable().describe('Mean of the last ten; null: no evidence stands behind it, so it is unknown'),
  risk_latest: share.nullable(),
  risk_word: z.enum(STANDING_WORDS),
  verdict: z.enum(VERDICTS),
  action: z.enum(ACTIONS),
  sub_action: z.enum(SUB_ACTIONS),
  margin: z.enum(MARGIN_WORDS),
  regime: z.enum(REGIMES),
  phase: z.enum(PHASES),
  source: z.enum(PROVENANCE).describe('What E, I, S and V are'),
  at: isoTime,
  calibration: z.object({
    error: share.nullable().describe('Over-confidence in the worst tenth of confidence; null: too few results'),
    graded: count,
    pass_rate: share.nullable().optional().describe('Left out until the first result since an update of the server'),
    mean_claim: share.nullable().optional(),
  }),
  claims: z.number().nonnegative().describe('The claims detector; 1 says nothing'),
  coverage: claimCoverage,
  measured: z.boolean().optional().describe('A tool result with its exit code was attached to a check-in'),
  drift: z.number().nonnegative().optional().describe('Norm of the drift vector'),
});

const listRow = z.object({
  id: visibleAgentId,
  label: agentLabel,
  status: agentStatus,
  is_stable: z.boolean().describe('No resolution about it is being carried out'),
  purpose: z.string().nullable(),
  updates: count.describe('Its check-ins'),
  last: isoTime.describe('Its last activity, or its birth'),
  parent_agent_id: visibleAgentId.nullable(),
  spawn_reason: z.string().nullable(),
  coverage: z
    .object({ claims: count, settled: count, expired: count, unobserved: count })
    .optional()
    .describe('What became of its claims; left out before the first check-in'),
  record: claimsRecord.optional().describe('What graded results say of its claims; left out before the first check-in'),
  you: z.literal(true).optional().describe('The agent that asks'),
  uuid_redacted: z.literal(true).optional(),
  parent_agent_id_redacted: z.literal(true).optional(),
});

export const agentList = z.object({
  agents: z.array(listRow).describe('Newest activity first; the agent that asks is always among them'),
  shown: count,
  matching: count.describe('How many pass the filters'),
  total_all: count.describe('Deleted ones are not counted'),
  more: z.boolean().describe('Matches follow after this page'),
  by_status: z.partialRecord(agentStatus, count).describe('Of all agents, whatever the filters'),
});

const link = z.object({
  agent_id: visibleAgentId,
  evidence: z
    .array(z.enum(['mcp_session', 'process', 'address_and_program']))
    .describe('What both have in common, the strongest first'),
  at: isoTime,
});

/** An agent by name or id. */
export const agentView = z.object({
  id: visibleAgentId,
  uuid_redacted: z.literal(true).optional(),
  label: agentLabel,
  status: agentStatus,
  purpose: z.string().nullable(),
  tags: z.array(z.string()),
  total_updates: count.describe('Its check-ins'),
  created_at: isoTime,
  last_update: isoTime.nullable(),
  parent_agent_id: visibleAgentId.nullable(),
  spawn_reason: z.string().nullable(),
  pause: z
    .object({ reason: z.string(), expires_at: isoTime.nullable().describe('null: it has no end of its own') })
    .optional()
    .describe('Its own pause'),
  record: claimsRecord.optional().describe('What graded results say of its claims; left out before the first check-in'),
  current_state: currentState.nullable().describe('By its newest check-in; null: there is none'),
  is_stable: z.boolean().describe('No resolution about it is being carried out'),
  // What follows is shown to the agent itself and to operators alone.
  notes: z.string().nullable().optional().describe('This and what follows: for the agent itself and operators alone'),
  // Open: what the agent said of itself at its birth, and its preferences, as they were sent.
  metadata: z.record(z.string(), z.unknown()).optional(),
  thread: z.object({ thread_id: z.string().nullable(), position: z.int().nullable() }).optional(),
  lineage: z
    .object({
      declared_at: isoTime.nullable(),
      provisional: z.boolean(),
      score_id: z.string().nullable(),
      recorded_at: isoTime.nullable(),
      confirmed_at: isoTime.nullable(),
      demoted_at: isoTime.nullable(),
      archived_at: isoTime.nullable(),
      last_eval_at: isoTime.nullable(),
      chain_obs_count: count,
    })
    .optional()
    .describe('The declared parent, and what was found out about it since'),
  archive: z
    .object({
      at: isoTime,
      by: z.enum(['owner', 'operator', 'housekeeping', 'lineage']),
      actor: z.string().nullable().describe('The operator'),
      reason: z.string(),
    })
    .nullable()
    .optional()
    .describe('The end of its active life'),
  held_by: z.string().optional().describe('The ancestor whose pause holds it'),
  successors: z.array(link).optional().describe('New agents that may go on for it'),
  successor_of: z.array(link).optional().describe('Paused agents that it may go on for'),
});

/** What an act on an agent answers. */
export const agentChanged = z.object({
  message: z.string(),
  agent_id: visibleAgentId,
  lifecycle_status: agentStatus.describe('After the act'),
  archived_at: isoTime.optional().describe('Of an agent whose active life is over'),
  reason: z.string().optional().describe('Why it is over'),
});

export const agentUpdated = agentChanged.extend({ agent: agentView });

/** A pause that an operator lifted. */
export const agentResumed = agentChanged.pick({ message: true, agent_id: true, lifecycle_status: true });

export const stuckAgents = z.object({
  stuck_agents: z
    .array(
      z.object({
        agent_id: visibleAgentId,
        label: agentLabel,
        status: agentStatus,
        reason: z.enum([
          'pause_in_force',
          'pause_over',
          'critical_margin_timeout',
          'tight_margin_timeout',
          'no_activity',
        ]),
        minutes: count.describe('Since its last activity'),
        margin: z.enum(MARGIN_WORDS).nullable().describe('Of its newest check-in'),
      }),
    )
    .max(200),
  stuck_count: count.describe('All that there are'),
  timeout_minutes: z.int().positive(),
  message: z.string().optional(),
});

const orphan = z.object({
  agentId: z.string(),
  label: z.string().nullable(),
  updates: count.describe('Its check-ins'),
  idle_hours: z.number().nonnegative(),
  reason: z.enum(['unlabeled_single_update', 'unlabeled_few_updates', 'generated_label_few_updates']),
});

export const orphanSweep = z.discriminatedUnion('dry_run', [
  z.object({
    dry_run: z.literal(true),
    archived_count: z.literal(0),
    would_archive_count: count,
    would_archive_agents: z.array(orphan).describe('Longest without activity first'),
  }),
  z.object({
    dry_run: z.literal(false),
    archived_count: count,
    archived_agents: z.array(z.string()).describe('Their ids'),
    found: count.describe('How many were to be archived; the rest is found again by the next call'),
  }),
]);

export const recoveryCheck = z.object({
  action: z.literal('check'),
  eligible: z.boolean().describe('Nothing blocks; the risk then says which way is open'),
  blockers: z.array(
    z.enum([
      'not_paused',
      'claims_pause',
      'conditions_pause',
      'operator_pause',
      'review_pause',
      'inherited_pause',
      'unknown_pause',
      'high_risk',
      'risk_unknown',
    ]),
  ),
  quick_open: z.boolean(),
  review_open: z.boolean(),
  metrics: z
    .object({
      risk: share.nullable().describe('Mean of the last ten check-ins'),
      risk_latest: share.nullable(),
      V: z.number().min(-1).max(1).nullable(),
    })
    .describe('null: there is no check-in'),
  margin: z.enum(MARGIN_WORDS).nullable().describe('Of the newest check-in'),
  thresholds: z.object({
    blockerRisk: share.describe('Above it, the risk is a blocker'),
    quickRisk: share.describe('quick is open up to and including it'),
    reviewRisk: share.describe('review is open below it'),
    reflectionCharacters: z.int().positive().describe('A reflection has at least so many'),
  }),
  recovery_policy: z.string(),
  recommendations: z.array(z.string()),
});

const recovered = z.object({
  action: z.literal('resumed'),
  agent_id: z.string(),
  lifecycle_status: agentStatus,
});

export const quickRecovered = recovered.extend({ mode: z.literal('quick') });
export const reviewRecovered = recovered.extend({ mode: z.literal('review') });
