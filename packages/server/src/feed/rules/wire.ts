import { shownRisk, standingWord } from '../../agents/standing.ts';
import { visibleId, visibleName, visibleText, type Viewer } from '../../lifecycle/index.ts';
import type { FeedEvent, FeedUpdate, OwnCheckIn } from './event.ts';
import { iso } from '../../runtime/index.ts';

type Json = Readonly<Record<string, unknown>>;

const NOBODY: Viewer = { agentId: undefined, operator: false };

const round = (value: number) => Math.round(value * 1e4) / 1e4;
const roundOrNull = (value: number | null | undefined) => (value == null ? null : round(value));

/** The confidence that the agent itself stated; what was assumed in its place is no input of its. */
const reportedOf = (confidence: OwnCheckIn['confidence']): number | null =>
  confidence?.source === 'reported' ? confidence.value : null;

/** A fact for this viewer: numbers rounded, ids of agents in texts redacted. */
const factFor = (value: unknown, viewer: Viewer): unknown => {
  if (typeof value === 'number') return round(value);
  return typeof value === 'string' ? visibleText(value, viewer) : value;
};

/** The same for every viewer, and the same again when the event is recalled after a restart. */
const keyOf = ({ agentId, chainIndex, type, details }: FeedEvent): string => {
  const threshold = details['threshold'];
  const parts = [
    visibleId(agentId, NOBODY).id,
    chainIndex,
    type,
    ...(typeof threshold === 'number' ? [threshold] : []),
  ];
  return parts.join(':');
};

/** An event as a viewer gets it, over HTTP and in the feed. Agents of others are redacted for all but operators. */
export const eventFor = (event: FeedEvent, viewer: Viewer): Json => ({
  type: event.type,
  event_id: event.cursor,
  key: keyOf(event),
  agent_id: visibleId(event.agentId, viewer).id,
  agent_name: event.head === undefined ? null : visibleName(event.head, viewer),
  timestamp: iso(event.at),
  severity: event.severity,
  ...Object.fromEntries(Object.entries(event.details).map(([name, value]) => [name, factFor(value, viewer)])),
});

/** Types that are told with the check-in they follow from; the others stand alone. */
export const COMES_WITH_CHECK_IN: ReadonlySet<string> = new Set([
  'verdict_change',
  'risk_threshold',
  'drift',
  'void_alert',
]);

/**
 * The newest check-in of an agent as a viewer gets it: `eisv_update`. What this node does not know is null: everything that
 * is not in an agent's head, when another node made the check-in (`detail` is then `short`).
 */
export const updateFor = ({ at, head, isStable, own, checkIns, events }: FeedUpdate, viewer: Viewer): Json => {
  const { vitals } = head;
  const eisv = vitals && { E: round(vitals.E), I: round(vitals.I), S: round(vitals.S), V: round(vitals.V) };
  const known = shownRisk(vitals);
  const risk = roundOrNull(known ?? undefined);
  const coherence = own?.coherence ?? null;
  return {
    type: 'eisv_update',
    agent_id: visibleId(head.agentId, viewer).id,
    agent_name: visibleName(head, viewer),
    timestamp: vitals?.at ?? iso(at),
    status: head.status,
    is_stable: isStable,
    update: head.updateCount,
    check_ins: checkIns,
    detail: own === undefined ? 'short' : 'full',
    eisv,
    coherence,
    metrics: {
      ...eisv,
      coherence,
      risk_score: risk,
      risk_score_latest: known === null ? null : roundOrNull(vitals?.risk_latest),
      verdict: vitals === null ? null : standingWord(vitals, head.status === 'paused' || head.pause !== null),
      regime: vitals?.regime ?? null,
      phase: vitals?.phase ?? null,
      updates: head.updateCount,
    },
    verdict: vitals?.verdict ?? null,
    decision: {
      action: vitals?.action ?? null,
      sub_action: vitals?.sub_action ?? null,
      margin: vitals?.margin ?? null,
      reason: factFor(own?.reason ?? null, viewer),
    },
    inputs: { complexity: null, confidence: reportedOf(own?.confidence ?? null), ethical_drift: null },
    risk,
    risk_raw: null,
    risk_adjustment: null,
    risk_reason: factFor(own?.reason ?? null, viewer),
    drift_trends: { norm: roundOrNull(vitals?.drift) },
    events: events.filter(({ type }) => COMES_WITH_CHECK_IN.has(type)).map((event) => eventFor(event, viewer)),
    sensor_data: null,
    eisv_telemetry: own?.telemetry ?? null,
    provenance: {
      eisv: vitals?.source ?? 'unknown',
      risk: known === null ? 'unknown' : (vitals?.source ?? 'unknown'),
      coherence: coherence === null ? 'unknown' : 'prior',
      confidence: own?.confidence?.source === 'reported' ? 'reported' : 'unknown',
    },
  };
};
