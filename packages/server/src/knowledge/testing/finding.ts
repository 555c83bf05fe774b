import type { Finding } from '../rules/finding.ts';

export const NOW = Date.UTC(2026, 5, 1);
export const DAY = 86_400_000;

/** An open finding of low severity, one hour old. */
export const finding = (over: Partial<Finding> = {}): Finding => ({
  id: 'f',
  agentId: 'ann',
  type: 'note',
  severity: 'low',
  status: 'open',
  createdAt: NOW - 3_600_000,
  updatedAt: null,
  resolvedAt: null,
  archivedAt: null,
  summary: 'The cache is cold after a restart',
  detailsLength: 0,
  tags: [],
  files: [],
  relatedTo: [],
  responseTo: null,
  confidence: null,
  provenance: null,
  provenanceChain: null,
  epoch: 1,
  closureClass: null,
  closureEvidence: null,
  resolutionNotes: null,
  resolvedBy: null,
  supersededBy: null,
  ...over,
});
