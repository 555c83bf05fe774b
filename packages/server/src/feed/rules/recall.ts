import { AUDIT_EVENTS, type AuditEventType, type FeedEventType } from '@breakwater/contract';
import { riskCrossings, verdictChange } from './detect.ts';
import type { Happening } from './event.ts';

/** A row of the audit trail. */
export interface TrailRow {
  readonly agent_id: string;
  /** ms since the epoch, UTC. */
  readonly ts: number;
  readonly event_type: string;
  readonly chain_index: number;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Something that happened before this server started. */
export interface Recalled extends Happening {
  readonly at: number;
  readonly agentId: string;
  readonly chainIndex: number;
}

interface Told {
  readonly type: FeedEventType;
  readonly severity: Happening['severity'];
  /** What of the payload belongs to the event. */
  readonly facts: readonly string[];
}

const TOLD: Readonly<Partial<Record<AuditEventType, Told>>> = {
  [AUDIT_EVENTS.agentCreated]: { type: 'lifecycle_created', severity: 'info', facts: ['parent_agent_id'] },
  [AUDIT_EVENTS.agentPaused]: {
    type: 'lifecycle_paused',
    severity: 'critical',
    facts: ['sub_action', 'reason', 'expires_at'],
  },
  [AUDIT_EVENTS.pauseExpired]: { type: 'lifecycle_resumed', severity: 'info', facts: [] },
  [AUDIT_EVENTS.agentResumed]: { type: 'lifecycle_resumed', severity: 'info', facts: [] },
  [AUDIT_EVENTS.agentArchived]: { type: 'lifecycle_archived', severity: 'info', facts: ['by', 'reason'] },
  [AUDIT_EVENTS.agentReactivated]: { type: 'lifecycle_reactivated', severity: 'info', facts: [] },
  [AUDIT_EVENTS.agentDeleted]: { type: 'lifecycle_deleted', severity: 'info', facts: [] },
  [AUDIT_EVENTS.loopDetected]: { type: 'lifecycle_loop_detected', severity: 'warning', facts: ['rule'] },
  [AUDIT_EVENTS.voidEntered]: { type: 'void_alert', severity: 'warning', facts: ['V'] },
};

/** Types of rows that are an event by themselves; check-ins are one only beside the check-in before. */
export const TOLD_TYPES: readonly string[] = Object.keys(TOLD);

/** Place in the chain of the row that an event of this type stands for: its own, or else the change's first. */
export const placeInChain = (
  audit: readonly { readonly type: AuditEventType; readonly chainIndex: number }[],
  type: FeedEventType,
): number => (audit.find((row) => TOLD[row.type]?.type === type) ?? audit[0])?.chainIndex ?? 0;

const readingOf = ({ verdict, risk }: TrailRow['payload']) =>
  typeof verdict === 'string' && typeof risk === 'number' ? { verdict, risk } : undefined;

/**
 * The events of an earlier life, from the trail: what was recorded, and what follows from each two check-ins of an agent in
 * a row. Drift is in no row of the trail, and is not recalled. `rows` may come in any order; events come in that of their time.
 */
export const recall = (rows: readonly TrailRow[]): Recalled[] => {
  const ordered = [...rows].sort((a, b) => a.ts - b.ts || a.chain_index - b.chain_index);
  const last = new Map<string, { readonly verdict: string; readonly risk: number }>();
  return ordered.flatMap((row): Recalled[] => {
    const { agent_id: agentId, ts: at, chain_index: chainIndex, payload } = row;
    const placed = (happened: readonly Happening[]) => happened.map((one) => ({ ...one, at, agentId, chainIndex }));
    if (row.event_type !== AUDIT_EVENTS.checkInRecorded) {
      const told = TOLD[row.event_type as AuditEventType];
      if (told === undefined) return [];
      const details = Object.fromEntries(told.facts.map((fact) => [fact, payload[fact] ?? null]));
      return placed([{ type: told.type, severity: told.severity, details }]);
    }
    const reading = readingOf(payload);
    const before = last.get(agentId);
    if (reading === undefined) return [];
    last.set(agentId, reading);
    return before === undefined ? [] : placed([...verdictChange(before, reading), ...riskCrossings(before, reading)]);
  });
};
