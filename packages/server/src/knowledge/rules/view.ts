import type { Finding } from './finding.ts';
import { likelyStale } from './staleness.ts';
import { cutText } from './text.ts';

/** How much is said of each finding: enough to choose by, everything, or a line. */
export type Mode = 'compact' | 'full' | 'lean';

/** What a reader may see of agents and of what they wrote. */
export interface Sight {
  /** An agent id as this reader may see it. */
  id(agentId: string): string;
  /** The name that a writer goes by. */
  name(agentId: string): string;
  /** A text without the ids of other agents. */
  text(text: string): string;
  /** Whether the finding is the reader's own, or the reader an operator. */
  owns(agentId: string): boolean;
  readonly now: number;
}

type Json = Readonly<Record<string, unknown>>;

/** What a search found out about a hit. */
export interface Hit {
  readonly score: number | null;
  /** Words of the query that the finding holds, when only some had to be. */
  readonly matched: readonly string[] | null;
}

/** Characters of details that stand in a list. */
export const PREVIEW: Readonly<Record<Mode, number>> = { compact: 160, full: 500, lean: 0 };
const LEAN_SUMMARY = 160;
const COMPACT_SUMMARY = 500;

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

const shortened = (text: string, most: number): string => (text.length <= most ? text : `${cutText(text, most)}…`);

const flagsOf = (finding: Finding, now: number): Json => ({
  ...(finding.supersededBy !== null && { superseded: true, superseded_by: finding.supersededBy }),
  ...(likelyStale(finding, now) && { likely_stale: true }),
});

/** Who wrote it, under which proof, as it may be shown: the session stands there for the writer alone. */
const provenanceView = (finding: Finding, sight: Sight): Json => {
  const writer = finding.provenance?.['writer'] as Json | null | undefined;
  const own = sight.owns(finding.agentId);
  const { session_key: session, ...shown } = writer ?? {};
  return {
    provenance: finding.provenance && {
      ...finding.provenance,
      writer: writer ? { ...shown, label: sight.name(finding.agentId), ...(own && { session_key: session }) } : null,
    },
    provenance_chain:
      finding.provenanceChain?.map((ancestor) => ({
        ...ancestor,
        agent_id: sight.id(String(ancestor['agent_id'])),
        label: sight.name(String(ancestor['agent_id'])),
      })) ?? null,
  };
};

/** A finding as a reader is shown it. */
export const viewOf = (
  finding: Finding,
  sight: Sight,
  { mode, provenance = false, hit }: { readonly mode: Mode; readonly provenance?: boolean; readonly hit?: Hit },
): Json => {
  const found = {
    ...(hit?.score != null && { score: hit.score }),
    ...(hit?.matched != null && { matched: hit.matched }),
  };
  const head = { id: finding.id, type: finding.type, severity: finding.severity, status: finding.status };
  const summary = sight.text(finding.summary);
  if (mode === 'lean') {
    return { ...head, summary: shortened(summary, LEAN_SUMMARY), ...found, ...flagsOf(finding, sight.now) };
  }
  const common = {
    ...head,
    summary: mode === 'compact' ? shortened(summary, COMPACT_SUMMARY) : summary,
    tags: finding.tags,
    by: sight.name(finding.agentId),
    created_at: iso(finding.createdAt),
    ...found,
    ...flagsOf(finding, sight.now),
  };
  if (mode === 'compact') return { ...common, ...(provenance && provenanceView(finding, sight)) };
  return {
    ...common,
    agent_id: sight.id(finding.agentId),
    timestamp: iso(finding.createdAt),
    updated_at: iso(finding.updatedAt),
    resolved_at: iso(finding.resolvedAt),
    archived_at: iso(finding.archivedAt),
    confidence: finding.confidence,
    references_files: finding.files,
    related_to: finding.relatedTo,
    response_to:
      finding.responseTo === null
        ? null
        : { discovery_id: finding.responseTo.id, response_type: finding.responseTo.type },
    details_length: finding.detailsLength,
    epoch: finding.epoch,
    ...(finding.closureClass !== null && { closure_class: finding.closureClass }),
    ...(finding.closureEvidence !== null && { closure_evidence: finding.closureEvidence }),
    ...(finding.resolutionNotes !== null && { resolution_notes: sight.text(finding.resolutionNotes) }),
    ...(finding.resolvedBy !== null && { resolved_by: sight.name(finding.resolvedBy) }),
    ...(provenance && provenanceView(finding, sight)),
  };
};

/** What was read of the details of a finding; `more`: there is more of them. */
export interface ReadDetails {
  readonly text: string;
  readonly more: boolean;
}

/** Details beside a finding of a list; `whole`: they themselves were asked for, and not a look at them. */
export const detailsView = (read: ReadDetails | undefined, whole: boolean, sight: Sight): Json => {
  if (read === undefined) return {};
  const text = sight.text(read.text);
  if (!whole) return { details_preview: read.more ? `${text}…` : text };
  return { details: text, ...(read.more && { details_truncated: true }) };
};
