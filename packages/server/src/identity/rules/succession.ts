import { AUDIT_EVENTS } from '@breakwater/contract';
import type { AuditDraft } from '../../agents/index.ts';

/**
 * What a new agent can have in common with a paused one, the strongest first: the MCP session, the process, or the address
 * and the program, which on one machine every agent shares.
 */
export const EVIDENCE = ['mcp_session', 'process', 'address_and_program'] as const;
export type SuccessionEvidence = (typeof EVIDENCE)[number];

/** An agent under a pause that a new one may go on for. */
export interface Predecessor {
  readonly agentId: string;
  /** Its pause; empty: nobody knows which. */
  readonly actuationId: string;
  readonly evidence: readonly SuccessionEvidence[];
  /** How many successors it has already. */
  readonly known: number;
}

/** A new agent is linked to at most this many: with more in common with everybody, a link says nothing. */
const MOST_LINKS = 10;
/** Weak links beyond this many leave no row in the trail of the paused agent: a busy machine would bury what stands in it. */
const MOST_WEAK_ROWS = 20;

/** Whether the evidence is more than what all agents of one machine share. */
const isStrong = (evidence: readonly string[]): boolean =>
  evidence.includes('mcp_session') || evidence.includes('process');

/** Those that a new agent is linked to: who has anything in common, the strongest evidence first. */
export const rankPredecessors = (found: readonly Predecessor[]): readonly Predecessor[] => {
  const rank = ({ evidence }: Predecessor): number => (evidence[0] === undefined ? 9 : EVIDENCE.indexOf(evidence[0]));
  return found
    .filter(({ evidence }) => evidence.length > 0)
    .toSorted((a, b) => rank(a) - rank(b) || (a.agentId < b.agentId ? -1 : 1))
    .slice(0, MOST_LINKS);
};

/** Whether the link gets a row in the trail of the paused agent. */
export const isWorthARow = ({ evidence, known }: Predecessor): boolean => isStrong(evidence) || known < MOST_WEAK_ROWS;

/** The row in the trail of the new agent. */
export const successionEvent = ({ agentId, actuationId, evidence }: Predecessor): AuditDraft => ({
  type: AUDIT_EVENTS.successorLinked,
  payload: { successor_of: agentId, actuation_id: actuationId, evidence },
});

/** The row in the trail of the paused agent. */
export const successorEvent = (successorId: string, { actuationId, evidence }: Predecessor): AuditDraft => ({
  type: AUDIT_EVENTS.successorLinked,
  payload: { successor: successorId, actuation_id: actuationId, evidence },
});
