import type { FINDING_CLOSURES, FINDING_RESPONSES, FINDING_SEVERITIES, FINDING_STATUSES } from '@breakwater/contract';

export type Severity = (typeof FINDING_SEVERITIES)[number];
export type Status = (typeof FINDING_STATUSES)[number];
export type ResponseType = (typeof FINDING_RESPONSES)[number];
export type ClosureClass = (typeof FINDING_CLOSURES)[number];

/** How one finding answers another. */
export interface ResponseTo {
  readonly id: string;
  readonly type: ResponseType;
}

/** A finding as it is stored. Times in ms since the epoch, UTC. */
export interface Finding {
  readonly id: string;
  /** A registered agent, an operator, or the keyed hash of a writer without identity. */
  readonly agentId: string;
  readonly type: string;
  readonly severity: Severity;
  readonly status: Status;
  readonly createdAt: number;
  readonly updatedAt: number | null;
  readonly resolvedAt: number | null;
  readonly archivedAt: number | null;
  readonly summary: string;
  /** Characters of the details; they themselves are read apart, for they may be long. */
  readonly detailsLength: number;
  readonly tags: readonly string[];
  readonly files: readonly string[];
  readonly relatedTo: readonly string[];
  readonly responseTo: ResponseTo | null;
  /** As its writer gave it, 0 to 1. */
  readonly confidence: number | null;
  readonly provenance: Readonly<Record<string, unknown>> | null;
  readonly provenanceChain: readonly Readonly<Record<string, unknown>>[] | null;
  readonly epoch: number;
  readonly closureClass: ClosureClass | null;
  readonly closureEvidence: Readonly<Record<string, unknown>> | null;
  readonly resolutionNotes: string | null;
  readonly resolvedBy: string | null;
  readonly supersededBy: string | null;
}

/** The model of knowledge that findings are written under; a new one would start beside it. */
export const EPOCH = 1;
