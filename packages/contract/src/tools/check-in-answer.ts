import { z } from 'zod';
import {
  ACTIONS,
  BASINS,
  EDGES,
  HEALTH_WORDS,
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
const provenance = z.enum(PROVENANCE);

const eisv = {
  E: share.describe('Energy'),
  I: share.describe('Integrity'),
  S: share.describe('Entropy'),
  V: z.number().min(-1).max(1).describe('Volatility: how far energy ran ahead of integrity'),
};

const unknownRisk = share.nullable().describe('null: no evidence stands behind it, so it is unknown');

const metrics = z.object({
  ...eisv,
  coherence: share.describe('A constant; nothing measures it'),
  risk: unknownRisk,
  risk_score: unknownRisk.describe('The same as risk'),
  risk_score_latest: unknownRisk.describe('Of this check-in alone; risk is the mean of the last ten'),
  verdict: z.enum(STANDING_WORDS),
});

const warmup = z.object({
  phase: z.enum(PHASES),
  done: count.describe('Check-ins so far, up to target'),
  target: count,
  baselined: z.boolean().describe('Deviations from the own baseline are judged'),
});

const pauseInForce = z.object({
  paused_at: isoTime,
  expires_at: isoTime.nullable().describe('null: it has no end of its own'),
  actuation_id: z.string(),
});

const nextStep = z.string().optional().describe('Of an agent that is held: the one thing to do next');

const reviewWaiting = z
  .object({ session_id: z.string(), next_call: z.string() })
  .optional()
  .describe('A review that waits for the answer of this agent, and the call that gives it');

/** What became of an agent's claims. */
export const claimCoverage = z
  .object({
    made: count.describe('Check-ins with a confidence'),
    settled: count.describe('Claims that a graded result met in time'),
    expired: count.describe('Claims whose time ran out without one'),
    open: count.describe('Claims that may still be settled'),
    unclaimed: count.describe('Check-ins without a confidence'),
    ungraded: count.describe('Results that were recorded and not graded'),
    unobserved: count.describe('Claims that no result has settled: expired and open'),
    share: share.nullable().describe('Settled of all that were settled or expired; null: none yet'),
    silence: z.number().nonnegative().describe('Evidence that most claims meet no result; 1 says nothing'),
  })
  .meta({ id: 'ClaimCoverage' });

/** The graded results of an agent, and what was claimed of them. */
export const claimsRecord = z
  .object({
    graded: count.describe('Results that were held against a claim made before them'),
    pass_rate: share.nullable().describe('The share of them that succeeded; null: none yet'),
    mean_claim: share.nullable().describe('The confidence claimed of them, on average'),
    mean_gap: z.number().min(-1).max(1).nullable().describe('Mean claim less pass rate: above 0 claims run ahead'),
  })
  .meta({ id: 'ClaimsRecord' });

const decision = z.object({
  action: z.enum(ACTIONS),
  sub_action: z.enum(SUB_ACTIONS),
  reason: z.string().max(120),
  guidance: z.string().optional(),
  margin: z.enum(MARGIN_WORDS).describe('How far the state is from the nearest edge'),
  nearest_edge: z.enum(EDGES).nullable(),
  critical: z.literal(true).optional().describe('The risk is far above the limit'),
  unmeasured: z.literal(true).optional().describe('No evidence stands behind the risk'),
});

const components = z.object({
  low_E: share,
  low_I: share,
  high_S: share,
  high_V: share,
  adversarial_rho: share,
  high_CE: share,
});

const claimsReading = z.union([
  z.object({
    status: z.literal('unmeasured'),
    value: z.null(),
    mean_claim: z.null(),
    accuracy: z.null(),
  }),
  z.object({
    status: z.literal('measured'),
    value: z.number().nonnegative().describe('The claims detector; 1 says nothing'),
    mean_claim: share.nullable(),
    accuracy: share.nullable(),
  }),
]);

/** How the decision came about, number by number. */
const scoring = z.object({
  components: components.describe('What each part adds to the risk'),
  weights: components.describe('The most that each part can add'),
  risk: z.object({
    raw: share.describe('As assessed'),
    final: share.describe('With the velocity of the state'),
    gated: share.describe('Mean of the last ten final risks'),
  }),
  reflexive: z.object({ rho: z.number().min(-1).max(1), continuity_energy: z.number().nonnegative() }),
  drift: z.object({
    calibration: share,
    complexity: share,
    coherence: share,
    stability: share,
    norm: z.number().nonnegative(),
  }),
  continuity: z.object({
    derived_complexity: share,
    complexity_divergence: share,
    over_confident: z.boolean(),
    under_confident: z.boolean(),
    E_input: share,
    I_input: share,
    S_input: share,
    complexity_defaulted: z.boolean(),
    degenerate: z.boolean().describe('The text shows no structure, so little can be told from it'),
  }),
  observation: z.object({ E: z.number(), I: z.number(), S: z.number() }),
  anomaly_entropy: z.number().nonnegative(),
  deviations: z
    .object({ E: z.number(), I: z.number(), S: z.number(), V: z.number() })
    .describe('Standard deviations from the own mean; 0 while there is no baseline'),
  void_threshold: z.number().nonnegative(),
  oscillation: z.object({
    index: z.number(),
    flips: count,
    resonant: z.boolean(),
    trigger: z.enum(['index', 'flips']).nullable(),
  }),
  confidence: z.union([
    z.object({ value: share, source: z.literal('reported') }),
    z.object({ value: z.null(), source: z.literal('derived'), assumed: share }),
  ]),
  state_confidence: share.describe('How much the state is worth'),
});

/** `prediction_id` is what a check-in and its simulation differ in. */
const answered = <const P extends z.ZodType>(prediction_id: P) => {
  const always = {
    success: z.literal(true),
    verdict: z.enum(VERDICTS),
    prediction_id,
    warnings: z.array(z.string()).optional(),
    next_step: nextStep,
    review_waiting: reviewWaiting,
  };
  const minimal = z
    .object({
      ...always,
      decision: decision.pick({ action: true, reason: true }),
      ...eisv,
      risk_score: unknownRisk,
      provenance: z.object({ eisv: provenance, risk: provenance }),
    })
    .describe('response_mode minimal');
  const whole = z
    .object({
      ...always,
      decision,
      metrics,
      provenance: z
        .object({
          eisv: provenance,
          risk: provenance,
          coherence: provenance,
          calibration: provenance,
          counts: provenance,
          scoring: provenance.optional(),
          claims: provenance.optional(),
        })
        .describe('What the numbers of each group are worth'),
      update: z.int().positive().describe('Number of this check-in'),
      warmup: warmup.optional().describe('Left out of a compact answer that pauses'),
      calibration: z.object({
        error: share.nullable().describe('Over-confidence in the worst tenth of confidence; null: too few results'),
        n: count,
        status: z.literal('unmeasured').optional().describe('No result was graded'),
      }),
      coverage: z
        .object({ claims: count, settled: count, expired: count, unclaimed: count.optional() })
        .optional()
        .describe('What became of the claims; left out before the first, and of a compact answer that pauses'),
      paused: pauseInForce.optional().describe('The pause that this check-in put in force'),
      agent_id: z.string(),
      state: z
        .object({
          regime: z.enum(REGIMES),
          basin: z.enum(BASINS),
          health: z.enum(HEALTH_WORDS),
          void_active: z.boolean(),
          oscillating: z.boolean(),
          leading_component: z.enum(Object.keys(components.shape) as (keyof typeof components.shape)[]).nullable(),
        })
        .optional()
        .describe('response_mode standard and full'),
      scoring: scoring.optional().describe('response_mode full'),
      evidence: z
        .object({
          graded: count,
          outcomes: count.describe('Of the last 24 hours, at most 20'),
          claims: claimsReading,
          coverage: claimCoverage.optional(),
          pause_schema: z.literal('dialectic.pause_evidence.v1').optional(),
        })
        .optional()
        .describe('response_mode full'),
      mirror: z.array(z.string()).max(3).optional().describe('response_mode mirror: the answer in words'),
    })
    .describe('Every other response_mode');
  return { minimal, whole };
};

const recorded = answered(z.uuid().describe('Send it with the result of this work'));
const simulated = answered(z.null());
const isSimulated = { simulated: z.literal(true) };

export const checkInAnswer = z.union([recorded.minimal, recorded.whole]);
export const simulationAnswer = z.union([simulated.minimal.extend(isSimulated), simulated.whole.extend(isSimulated)]);

const nothingYet = z.object({
  E: z.null(),
  I: z.null(),
  S: z.null(),
  V: z.null(),
  coherence: z.null(),
  risk: z.null(),
  risk_score: z.null(),
  verdict: z.null(),
});

const held = {
  pause: pauseInForce
    .extend({ reason: z.string(), held_by: z.string().optional().describe('The ancestor whose pause it is') })
    .optional(),
  next_step: nextStep,
  is_stable: z.boolean().describe('false while a resolution is being applied to the agent'),
  review_waiting: reviewWaiting,
};

/** An agent's reading of itself. */
export const ownStateAnswer = z.union([
  z
    .object({ status: z.literal('unbound'), metrics: z.null(), hint: z.string() })
    .describe('The call proved no identity'),
  z
    .object({
      agent_id: z.string(),
      status: z.enum(['uninitialized', ...STATUSES]),
      update: z.literal(0),
      verdict: z.null(),
      metrics: nothingYet,
      provenance: z.object({
        eisv: z.literal('unknown'),
        risk: z.literal('unknown'),
        coherence: z.literal('unknown'),
        counts: z.literal('measured'),
      }),
      hint: z.string().optional(),
      ...held,
    })
    .describe('Before the first check-in'),
  z.object({
    agent_id: z.string(),
    status: z.enum(STATUSES),
    update: z.int().nonnegative().describe('Check-ins so far'),
    verdict: z.enum(VERDICTS).describe('Of the newest check-in'),
    decision: z.object({
      action: z.enum(ACTIONS).describe('pause while the agent is held'),
      sub_action: z.enum(SUB_ACTIONS),
      margin: z.enum(MARGIN_WORDS),
      unmeasured: z.literal(true).optional().describe('No evidence stands behind the risk'),
    }),
    metrics: metrics.extend({ regime: z.enum(REGIMES) }),
    calibration: z.object({ error: share.nullable(), n: count }),
    claims: z
      .union([z.literal('unmeasured'), z.number().nonnegative()])
      .describe('The claims detector; 1 says nothing'),
    record: claimsRecord,
    coverage: claimCoverage,
    provenance: z.object({
      eisv: provenance,
      risk: provenance,
      coherence: z.literal('prior'),
      calibration: provenance,
      claims: provenance,
      record: provenance,
      counts: z.literal('measured'),
    }),
    warmup: z.object({ phase: z.enum(PHASES) }),
    at: isoTime.describe('Time of the newest check-in'),
    ...held,
  }),
]);
