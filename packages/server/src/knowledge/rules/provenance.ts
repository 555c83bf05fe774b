import type { AgentHead } from '../../agents/agent.ts';
import { shownRisk } from '../../agents/standing.ts';
import type { Draft } from './drafting.ts';
import type { Writer } from './writer.ts';

type Json = Readonly<Record<string, unknown>>;

const MOST_ANCESTORS = 10;

/**
 * What the server knows of where a finding comes from: by which proof its writer was known, what that writer was at the
 * time, and how far the server answers for any of it. Nothing of it is taken from the arguments of the call, so that no
 * writer can state it.
 */
export const provenanceOf = (
  writer: Writer,
  head: AgentHead | undefined,
  draft: Pick<Draft, 'confidence'>,
  now: number,
): Json => {
  const { caller, sessionKey } = writer;
  return {
    schema: 'knowledge.provenance.v1',
    captured_at: new Date(now).toISOString(),
    identity: {
      bound: writer.agentId !== undefined,
      proof: caller.source,
      assurance: caller.assurance,
      proof_origin: caller.origin,
      ...(caller.operator !== undefined && { operator: caller.operator.name }),
    },
    writer:
      head === undefined
        ? null
        : {
            label: head.label,
            status: head.status,
            total_updates: head.updateCount,
            thread_id: head.threadId,
            session_key: sessionKey,
            // What the newest check-in showed; null: the agent never checked in, and nothing is known.
            agent_state: head.vitals && {
              regime: head.vitals.regime,
              verdict: head.vitals.verdict,
              risk: shownRisk(head.vitals),
              source: head.vitals.source,
              at: head.vitals.at,
            },
          },
    authority: {
      server_attests: ['identity', 'writer', 'captured_at'],
      writer_claims: ['summary', 'details', 'severity', 'confidence'],
      severity_ceiling: writer.agentId === undefined ? 'medium' : 'critical',
      confidence: {
        source: draft.confidence === null ? 'absent' : 'writer_supplied',
        validation: draft.confidence === null ? 'none' : 'range_only',
      },
    },
  };
};

/**
 * The ancestors of the writer as they were declared, nearest first; null when it has none. `find` reads an agent from
 * memory. At most ten, and none twice.
 */
export const lineageOf = (
  head: AgentHead | undefined,
  find: (agentId: string) => AgentHead | undefined,
): readonly Json[] | null => {
  const chain: Json[] = [];
  const seen = new Set<string>();
  let child = head;
  while (child !== undefined && child.parentAgentId !== null && chain.length < MOST_ANCESTORS) {
    const parentId = child.parentAgentId;
    if (seen.has(parentId)) break;
    seen.add(parentId);
    const parent = find(parentId);
    chain.push({
      agent_id: parentId,
      label: parent?.label ?? null,
      relation: 'parent',
      spawn_reason: child.spawnReason,
      confirmed: child.lineage.confirmed_at !== null,
      provisional: child.lineage.provisional,
    });
    child = parent;
  }
  return chain.length === 0 ? null : chain;
};
