import type { Finding } from './finding.ts';
import { likelyStale } from './staleness.ts';
import { cutText } from './text.ts';
import { iso } from '../../runtime/index.ts';

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

const isoOrNull = (ms: number | null): string | null => (ms === null ? null : iso(ms));

const shortened = (text: string, most: number): string => (text.length <= most ? text : `${cutText(text, most)}…`);

/** What stands in every view, the summary as long as the view has room for. */
const headOf = (finding: Finding, summary: string, sight: Sight, hit: Hit | undefined) => ({
  id: finding.id,
  type: finding.type,
  severity: finding.severity,
  status: finding.status,
  summary,
  ...(hit?.score != null && { score: hit.score }),
  ...(hit?.matched != null && { matched: hit.matched }),
  ...(finding.supersededBy !== null && { superseded: true as const, superseded_by: finding.supersededBy }),
  ...(likelyStale(finding, sight.now) && { likely_stale: true as const }),
});

/** Who wrote it, under which proof, as it may be shown: the session stands there for the writer alone. */
const provenanceView = (finding: Finding, sight: Sight) => {
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

/** How a finding is shown, beside the mode. */
interface Shown {
  /** With who wrote it under which proof. */
  readonly provenance?: boolean;
  readonly hit?: Hit;
}

/** A finding in a line. */
export const leanView = (finding: Finding, sight: Sight, { hit }: Pick<Shown, 'hit'> = {}) =>
  headOf(finding, shortened(sight.text(finding.summary), LEAN_SUMMARY), sight, hit);

const commonView = (finding: Finding, summary: string, sight: Sight, { provenance = false, hit }: Shown) => ({
  ...headOf(finding, summary, sight, hit),
  tags: finding.tags,
  by: sight.name(finding.agentId),
  created_at: iso(finding.createdAt),
  ...(provenance && provenanceView(finding, sight)),
});

/** A finding as far as a reader needs it to choose. */
export const compactView = (finding: Finding, sight: Sight, shown: Shown = {}) =>
  commonView(finding, shortened(sight.text(finding.summary), COMPACT_SUMMARY), sight, shown);

/** Everything about a finding but its details. */
export const fullView = (finding: Finding, sight: Sight, shown: Shown = {}) => ({
  ...commonView(finding, sight.text(finding.summary), sight, shown),
  agent_id: sight.id(finding.agentId),
  timestamp: iso(finding.createdAt),
  updated_at: isoOrNull(finding.updatedAt),
  resolved_at: isoOrNull(finding.resolvedAt),
  archived_at: isoOrNull(finding.archivedAt),
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
});

/** A finding of a list, in the mode that its reader asked for. */
export const viewOf = (finding: Finding, sight: Sight, mode: Mode, shown: Shown) =>
  ({ lean: leanView, compact: compactView, full: fullView })[mode](finding, sight, shown);

/** What was read of the details of a finding; `more`: there is more of them. */
export interface ReadDetails {
  readonly text: string;
  readonly more: boolean;
}

/** Details beside a finding of a list; `whole`: they themselves were asked for, and not a look at them. */
export const detailsView = (read: ReadDetails | undefined, whole: boolean, sight: Sight) => {
  if (read === undefined) return {};
  const text = sight.text(read.text);
  if (!whole) return { details_preview: read.more ? `${text}…` : text };
  return { details: text, ...(read.more && { details_truncated: true as const }) };
};
