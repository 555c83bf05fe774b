import { AUDIT_EVENTS } from '@breakwater/contract';
import type { AgentHead, AgentStatus, AuditDraft, Lineage } from '../../agents/index.ts';
import type { LiveSignal } from '../../lifecycle/index.ts';

/** What a client is told of an agent's lineage. */
export type LineageState = 'no_lineage_declared' | 'provisional' | 'confirmed' | 'demoted' | 'archived';

/** What an onboard is told of it: also that the declared parent was not taken, which is never stored. */
export type DeclaredLineageState = LineageState | 'rejected_coincidental' | 'rejected_cross_role';

/** The lineage of an agent that declared none. */
export const UNDECLARED: Lineage = Object.freeze({
  declared_at: null,
  provisional: false,
  score_id: null,
  recorded_at: null,
  confirmed_at: null,
  demoted_at: null,
  archived_at: null,
  last_eval_at: null,
  chain_obs_count: 0,
});

/** Demoted and archived claims are final: nothing but a new declaration leaves them. */
export const isTerminal = (lineage: Lineage): boolean => lineage.archived_at !== null || lineage.demoted_at !== null;

/**
 * The word for an agent's lineage, first match wins (spec identity a.4). A demotion takes the parent away, so a demoted
 * agent reads `no_lineage_declared`, unless its row kept the parent.
 */
export const lineageState = ({
  parentAgentId,
  lineage,
}: Pick<AgentHead, 'parentAgentId' | 'lineage'>): LineageState => {
  if (parentAgentId === null) return 'no_lineage_declared';
  if (lineage.archived_at !== null) return 'archived';
  if (lineage.demoted_at !== null) return 'demoted';
  if (lineage.provisional) return 'provisional';
  return lineage.confirmed_at === null ? 'no_lineage_declared' : 'confirmed';
};

type Relationship = 'dispatched_child' | 'context_continuation' | 'succession' | 'unknown';

const RELATIONSHIPS: ReadonlyMap<string, Relationship> = new Map([
  ['subagent', 'dispatched_child'],
  ['dialectic_reviewer', 'dispatched_child'],
  ['dispatch', 'dispatched_child'],
  ['compaction', 'context_continuation'],
  ['explicit', 'succession'],
  ['new_session', 'succession'],
]);

const relationshipOf = (spawnReason: string | null): Relationship => RELATIONSHIPS.get(spawnReason ?? '') ?? 'unknown';

/** A child that was sent, or the same work in a new context: its parent may still be at work. */
const mayHaveLiveParent = (relationship: Relationship): boolean =>
  relationship === 'dispatched_child' || relationship === 'context_continuation';

/** Life stages of one role, so that a child at another stage than its parent is not taken for another role. */
const FAMILIES: ReadonlyMap<string, string> = new Map([
  ['ephemeral', 'ephemeral'],
  ['engaged_ephemeral', 'ephemeral'],
  ['persistent', 'persistent'],
  ['resident', 'persistent'],
  ['resident_persistent', 'persistent'],
  ['autonomous', 'persistent'],
  ['embodied', 'embodied'],
]);

/** The first tag that names a role, and its family. */
const roleOf = (tags: readonly string[]): { tag: string; family: string } | undefined => {
  for (const tag of tags) {
    const family = FAMILIES.get(tag);
    if (family !== undefined) return { tag, family };
  }
  return undefined;
};

const ENDED: readonly AgentStatus[] = ['archived', 'disabled', 'deleted'];

/** What became of a declared parent: the value to store, or why the claim does not hold; each with its audit row. */
export type Declaration =
  | { readonly outcome: 'accepted'; readonly lineage: Lineage; readonly event: AuditDraft }
  | { readonly outcome: 'rejected_coincidental' | 'rejected_cross_role'; readonly event: AuditDraft };

/**
 * The lineage from which a parent may be declared again: after a terminal state nothing of the old claim counts, or its
 * age and its confirmation would decide about the new one; the trace of the last score stays.
 */
export const redeclared = (lineage: Lineage): Lineage =>
  isTerminal(lineage) ? { ...UNDECLARED, score_id: lineage.score_id, recorded_at: lineage.recorded_at } : lineage;

/**
 * Whether a new agent may name this parent (spec identity a.4). First the coincidence: nobody succeeds an agent that is
 * still at work, unless it was sent by it or continues its context. An agent whose life was ended is not at work, however
 * fresh its traces are. Then the role: both sides must be of one family, if both have one. `previous` is what the agent
 * declared before, when it was born earlier; `declared_at` is stamped once.
 */
export const declareLineage = (declared: {
  readonly parent: {
    readonly agentId: string;
    readonly tags: readonly string[];
    readonly status: AgentStatus;
    readonly liveSignals: readonly LiveSignal[];
  };
  readonly childTags: readonly string[];
  readonly spawnReason: string | null;
  readonly previous?: Lineage;
  readonly now: number;
}): Declaration => {
  const { parent, childTags, spawnReason, now } = declared;
  const relationship = relationshipOf(spawnReason);
  const signals = ENDED.includes(parent.status) ? [] : parent.liveSignals;
  if (signals.length > 0 && !mayHaveLiveParent(relationship)) {
    return {
      outcome: 'rejected_coincidental',
      event: {
        type: AUDIT_EVENTS.lineageCoincidentalRejected,
        payload: {
          claimed_parent_id: parent.agentId,
          reason: 'parent_live_at_declaration',
          spawn_reason: spawnReason,
          parent_relationship: relationship,
          live_binding: signals.includes('live_binding'),
          live_presence: signals.includes('live_presence'),
        },
      },
    };
  }
  const parentRole = roleOf(parent.tags);
  const childRole = roleOf(childTags);
  if (parentRole !== undefined && childRole !== undefined && parentRole.family !== childRole.family) {
    return {
      outcome: 'rejected_cross_role',
      event: {
        type: AUDIT_EVENTS.lineageCrossRoleRejected,
        payload: {
          claimed_parent_id: parent.agentId,
          reason: 'role_envelope_mismatch',
          parent_class: parentRole.tag,
          successor_class: childRole.tag,
          parent_family: parentRole.family,
          successor_family: childRole.family,
        },
      },
    };
  }
  const at = new Date(now).toISOString();
  const base = redeclared(declared.previous ?? UNDECLARED);
  return {
    outcome: 'accepted',
    lineage: { ...base, declared_at: base.declared_at ?? at, provisional: true, recorded_at: at },
    event: {
      type: AUDIT_EVENTS.lineageDeclared,
      payload: { parent_id: parent.agentId, spawn_reason: spawnReason, parent_relationship: relationship },
    },
  };
};
