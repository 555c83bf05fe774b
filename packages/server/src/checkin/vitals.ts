import {
  isMeasured,
  readCoverage,
  recordOf,
  shownRisk,
  standingWord,
  type AgentHead,
  type CoverageAccount,
  type Hold,
} from '../agents/index.ts';
import { nextStep } from '../lifecycle/index.ts';

/** What became of the claims, by `now`: those whose time ran out since the last change have expired. */
const coverageView = (stored: CoverageAccount | undefined, now: number) => {
  const { share, silence, ...counts } = readCoverage(stored, now);
  return { ...counts, share: share === null ? null : round(share), silence: round(silence) };
};

const round = (value: number) => Math.round(value * 1e4) / 1e4;

/**
 * An agent's reading of itself, from its live head alone. Before the first check-in nothing is known, and nothing is
 * made up: every number is null and labelled unknown.
 */
export const vitalsView = (head: AgentHead, hold: Hold | undefined, now: number) => {
  const { vitals } = head;
  const pause = head.pause ?? hold?.pause;
  const paused = {
    ...(pause != null && {
      pause: {
        reason: pause.reason,
        paused_at: pause.paused_at,
        expires_at: pause.expires_at,
        actuation_id: pause.actuation_id,
        ...(hold?.inherited === true && { held_by: hold.holder.agentId }),
      },
    }),
    ...(hold !== undefined && { next_step: nextStep(head, hold).say }),
  };
  if (vitals === null) {
    return {
      agent_id: head.agentId,
      status: head.status === 'active' ? ('uninitialized' as const) : head.status,
      update: 0 as const,
      verdict: null,
      metrics: { E: null, I: null, S: null, V: null, coherence: null, risk: null, risk_score: null, verdict: null },
      provenance: { eisv: 'unknown', risk: 'unknown', coherence: 'unknown', counts: 'measured' } as const,
      ...(hold === undefined && { hint: 'No check-in yet; call sync_state.' }),
      ...paused,
    };
  }
  const known = shownRisk(vitals);
  const risk = known === null ? null : round(known);
  return {
    agent_id: head.agentId,
    status: head.status,
    update: head.updateCount,
    verdict: vitals.verdict,
    decision: {
      action: pause == null && hold === undefined ? vitals.action : ('pause' as const),
      sub_action: vitals.sub_action,
      margin: vitals.margin,
      ...(!isMeasured(vitals) && { unmeasured: true as const }),
    },
    metrics: {
      E: round(vitals.E),
      I: round(vitals.I),
      S: round(vitals.S),
      V: round(vitals.V),
      coherence: 0.5,
      risk,
      risk_score: risk,
      risk_score_latest: known === null ? null : round(vitals.risk_latest),
      verdict: standingWord(vitals, hold !== undefined),
      regime: vitals.regime,
    },
    calibration: { error: vitals.calibration.error, n: vitals.calibration.graded },
    claims: vitals.calibration.graded === 0 ? ('unmeasured' as const) : round(vitals.claims),
    record: recordOf(vitals),
    coverage: coverageView(vitals.coverage, now),
    provenance: {
      eisv: vitals.source,
      risk: known === null ? 'unknown' : vitals.source,
      coherence: 'prior',
      calibration: vitals.calibration.error === null ? 'unknown' : 'derived',
      claims: vitals.calibration.graded === 0 ? 'unknown' : 'derived',
      record: vitals.calibration.graded === 0 ? 'unknown' : 'measured',
      counts: 'measured',
    } as const,
    warmup: { phase: vitals.phase },
    at: vitals.at,
    ...paused,
  };
};
