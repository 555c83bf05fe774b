import { AUDIT_EVENTS } from '@breakwater/contract';
import type { AgentHead, Vitals } from '../../agents/agent.ts';
import type { AuditDraft } from '../../agents/index.ts';
import type { Happening } from './event.ts';

/** Risks at which the word for it changes, and the one at which an agent is stopped. */
export const RISK_THRESHOLDS = [0.35, 0.6, 0.7] as const;
const CRITICAL_RISK = 0.7;
/** About twice the drift of work that goes on as it did. */
export const DRIFT_THRESHOLD = 0.6;

const NOTHING: readonly Happening[] = Object.freeze([]);
const SEVERITY: Readonly<Record<string, Happening['severity']>> = {
  proceed: 'info',
  guide: 'warning',
  pause: 'critical',
  reject: 'critical',
};

/** What two check-ins in a row are compared by. */
interface Reading {
  readonly verdict: string;
  readonly risk: number;
}

/** The verdict is another one than at the check-in before. */
export const verdictChange = (before: Reading, after: Reading): Happening[] =>
  before.verdict === after.verdict
    ? []
    : [
        {
          type: 'verdict_change',
          severity: SEVERITY[after.verdict] ?? 'warning',
          details: { from: before.verdict, to: after.verdict },
        },
      ];

/** The risk went through thresholds, one event for each: up to or beyond it, or back below it. */
export const riskCrossings = (before: Reading, after: Reading): Happening[] => {
  const crossed = RISK_THRESHOLDS.filter((threshold) => before.risk >= threshold !== after.risk >= threshold);
  const up = after.risk > before.risk;
  return crossed.map((threshold) => ({
    type: 'risk_threshold',
    severity: !up ? 'info' : threshold >= CRITICAL_RISK ? 'critical' : 'warning',
    details: { threshold, direction: up ? 'above' : 'below', from: before.risk, to: after.risk },
  }));
};

/** The drift reached its threshold; a value that an older version did not store says nothing. */
const driftRise = (before: Vitals, after: Vitals): Happening[] => {
  if (before.drift === undefined || after.drift === undefined) return [];
  if (before.drift >= DRIFT_THRESHOLD || after.drift < DRIFT_THRESHOLD) return [];
  return [
    {
      type: 'drift',
      severity: 'warning',
      details: { threshold: DRIFT_THRESHOLD, from: before.drift, to: after.drift },
    },
  ];
};

const ENDED: ReadonlySet<AgentHead['status']> = new Set(['archived', 'disabled', 'deleted']);

/** Where the agent's life took a turn. */
const turns = (before: AgentHead | undefined, after: AgentHead): Happening[] => {
  if (before === undefined) {
    if (ENDED.has(after.status)) return [];
    return [{ type: 'lifecycle_created', severity: 'info', details: { parent_agent_id: after.parentAgentId } }];
  }
  const { pause, archive } = after;
  const happened: Happening[] = [];
  if (pause !== null && before.pause?.actuation_id !== pause.actuation_id) {
    const { sub_action, reason, expires_at } = pause;
    happened.push({ type: 'lifecycle_paused', severity: 'critical', details: { sub_action, reason, expires_at } });
  }
  if (before.status === after.status) return happened;
  if (after.status === 'deleted') happened.push({ type: 'lifecycle_deleted', severity: 'info', details: {} });
  else if (ENDED.has(after.status)) {
    const details = { by: archive?.by ?? null, reason: archive?.reason ?? null };
    happened.push({ type: 'lifecycle_archived', severity: 'info', details });
  } else if (ENDED.has(before.status)) {
    happened.push({ type: 'lifecycle_reactivated', severity: 'info', details: {} });
  } else if (before.status === 'paused' && after.status === 'active') {
    happened.push({ type: 'lifecycle_resumed', severity: 'info', details: {} });
  }
  return happened;
};

/** What only the trail says, and no head shows. */
const recorded = ({ type, payload }: AuditDraft): Happening[] => {
  if (type === AUDIT_EVENTS.voidEntered)
    return [{ type: 'void_alert', severity: 'warning', details: { V: payload['V'] } }];
  if (type === AUDIT_EVENTS.loopDetected) {
    return [{ type: 'lifecycle_loop_detected', severity: 'warning', details: { rule: payload['rule'] } }];
  }
  return [];
};

const ofCheckIn = (before: Vitals, after: Vitals): Happening[] => [
  ...verdictChange(before, after),
  ...riskCrossings(before, after),
  ...driftRise(before, after),
];

/**
 * What happened to an agent between two heads, in the order in which it is told. `drafts`: the rows of the trail that went
 * with the change, when this node made it. Costs a few comparisons when nothing happened, which is the usual case.
 */
export const detect = (
  before: AgentHead | undefined,
  after: AgentHead,
  drafts: readonly AuditDraft[] | undefined,
): readonly Happening[] => {
  const checkedIn = before !== undefined && after.updateCount > before.updateCount;
  const readings = checkedIn && before.vitals !== null && after.vitals !== null;
  const happened = readings ? ofCheckIn(before.vitals, after.vitals) : [];
  if (drafts !== undefined) for (const draft of drafts) happened.push(...recorded(draft));
  if (before?.status !== after.status || before.pause !== after.pause) happened.push(...turns(before, after));
  return happened.length === 0 ? NOTHING : happened;
};
