import type { MarginWord } from '@breakwater/contract';
import { pauseHolds, type AgentHead } from '../../agents/agent.ts';
import { withoutOwnId } from './redaction.ts';
import { HOUR_MS, MINUTE_MS } from '../../runtime/index.ts';

const activityOf = (head: AgentHead): number => head.lastActivityAt ?? head.createdAt;

const oldestFirst = (a: AgentHead, b: AgentHead): number =>
  activityOf(a) - activityOf(b) || (a.agentId < b.agentId ? -1 : 1);

type OrphanReason = 'unlabeled_single_update' | 'unlabeled_few_updates' | 'generated_label_few_updates';

/** An agent that somebody started and nobody went on with. */
export interface Orphan {
  readonly agentId: string;
  readonly label: string | null;
  readonly updates: number;
  /** Hours since its last activity, to a tenth. */
  readonly idle_hours: number;
  readonly reason: OrphanReason;
}

const PROTECTED = ['pioneer', 'persistent', 'protected'];
/** Check-ins up to which an agent with a generated label counts as abandoned. */
const GENERATED_LABEL_UPDATES = 5;

/** A label that ends with the day of birth was made by a program: nobody chose it. */
const isGenerated = (head: AgentHead): boolean => {
  const day = new Date(head.createdAt).toISOString().slice(0, 10).replaceAll('-', '');
  return head.label !== null && withoutOwnId(head.label, head.agentId).endsWith(`_${day}`);
};

const orphanReason = (
  head: AgentHead,
  { maxAgeHours, maxUpdates, now }: { maxAgeHours: number; maxUpdates: number; now: number },
): OrphanReason | undefined => {
  if (head.status !== 'active' && head.status !== 'waiting_input') return undefined;
  if (head.pause !== null || head.substrate !== null) return undefined;
  if (head.updateCount === 0 || PROTECTED.some((tag) => head.tags.includes(tag))) return undefined;
  const idle = (now - activityOf(head)) / HOUR_MS;
  if (head.label === null && head.updateCount === 1) {
    return idle >= maxAgeHours / 2 ? 'unlabeled_single_update' : undefined;
  }
  if (idle < maxAgeHours) return undefined;
  if (head.label === null) return head.updateCount <= maxUpdates ? 'unlabeled_few_updates' : undefined;
  return isGenerated(head) && head.updateCount <= GENERATED_LABEL_UPDATES ? 'generated_label_few_updates' : undefined;
};

/**
 * Agents that housekeeping may archive (spec identity d.5), oldest first. Only agents that checked in, and only few times:
 * one without a label and with one check-in after half of `maxAgeHours` without activity; without a label and with up to
 * `maxUpdates`, or with a generated label and up to five, after all of it. Never a paused, an enrolled, or a protected
 * one; `maxUpdates` holds for every agent without a label [ours], or long work would end with its first long silence.
 */
export const orphans = (
  heads: Iterable<AgentHead>,
  limits: { readonly maxAgeHours: number; readonly maxUpdates: number; readonly now: number },
): Orphan[] =>
  [...heads].sort(oldestFirst).flatMap((head): Orphan[] => {
    const reason = orphanReason(head, limits);
    if (reason === undefined) return [];
    return [
      {
        agentId: head.agentId,
        label: head.label,
        updates: head.updateCount,
        idle_hours: Math.round(((limits.now - activityOf(head)) / HOUR_MS) * 10) / 10,
        reason,
      },
    ];
  });

type StuckReason = 'pause_in_force' | 'pause_over' | 'critical_margin_timeout' | 'tight_margin_timeout' | 'no_activity';

/** An agent that was at work and is silent. */
export interface Stuck {
  readonly head: AgentHead;
  readonly reason: StuckReason;
  /** Whole minutes since its last activity. */
  readonly minutes: number;
  /** Of its newest check-in. */
  readonly margin: MarginWord | null;
}

/** Agents that act when something happens, not at a pace: their silence means nothing. */
const PACELESS = ['autonomous', 'embodied', 'anima'];

const stuckReason = (head: AgentHead, now: number): StuckReason => {
  if (head.status === 'paused')
    return head.pause !== null && !pauseHolds(head.pause, now) ? 'pause_over' : 'pause_in_force';
  switch (head.vitals?.margin) {
    case 'critical':
    case 'warning':
      return 'critical_margin_timeout';
    case 'tight':
      return 'tight_margin_timeout';
    default:
      return 'no_activity';
  }
};

/** What a silence is held against. */
interface SilenceLimit {
  readonly timeoutMinutes: number;
  readonly now: number;
}

/**
 * The instant (ms) after which an agent that was at work is silent for too long, should it stay silent; Infinity: its silence
 * means nothing. See {@link stuck}.
 */
export const stuckAfter = (head: AgentHead, timeoutMinutes: number): number =>
  head.updateCount > 0 &&
  (head.status === 'paused' || (head.status === 'active' && !PACELESS.some((tag) => head.tags.includes(tag))))
    ? activityOf(head) + timeoutMinutes * MINUTE_MS
    : Infinity;

/**
 * Active and paused agents without activity for longer than `timeoutMinutes`, oldest first (spec identity d.5). One that
 * never checked in was never at work; an active one that works at no pace of its own is not missed.
 */
export const stuck = (heads: readonly AgentHead[], { timeoutMinutes, now }: SilenceLimit): Stuck[] =>
  heads
    .filter((head) => now > stuckAfter(head, timeoutMinutes))
    .sort(oldestFirst)
    .map((head) => ({
      head,
      reason: stuckReason(head, now),
      minutes: Math.floor((now - activityOf(head)) / MINUTE_MS),
      margin: head.vitals?.margin ?? null,
    }));
