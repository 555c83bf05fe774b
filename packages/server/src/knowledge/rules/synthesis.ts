import { hash } from 'node:crypto';
import type { Finding, Severity } from './finding.ts';
import { cutText, SUMMARY_LIMIT } from './text.ts';

/** The tag of findings that were rolled up out of others; these are never rolled up again. */
export const SYNTHESIS_TAG = 'synthesis';

export type Member = Pick<Finding, 'id' | 'agentId' | 'type' | 'severity' | 'summary' | 'tags' | 'createdAt'>;

/** What the open findings under one tag come to. */
export interface Synthesis {
  readonly tag: string;
  readonly summary: string;
  readonly details: string;
  readonly severity: Severity;
  readonly tags: readonly string[];
  /** Of the ids, so that the same findings are not rolled up twice. */
  readonly membersHash: string;
  readonly memberIds: readonly string[];
}

const LISTED = 40;
const LINE = 200;
const LINKED = 50;
const NEIGHBOURS = 5;
const RANK: readonly Severity[] = ['critical', 'high', 'medium', 'low'];

const byCount = (words: readonly string[]): (readonly [string, number])[] => {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
};

const told = (counts: readonly (readonly [string, number])[]): string =>
  counts.map(([word, count]) => `${count} ${word}`).join(', ');

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/**
 * Rolls findings of one tag up into one, by counting and listing alone: the same findings give the same text, in whatever
 * order they come. Severe ones are named first, then newer ones. `members` holds at least one.
 */
export const synthesise = (tag: string, members: readonly Member[]): Synthesis => {
  const sorted = [...members].sort(
    (a, b) =>
      RANK.indexOf(a.severity) - RANK.indexOf(b.severity) || b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1),
  );
  const severe = sorted.filter(({ severity }) => severity === 'high' || severity === 'critical').length;
  const types = byCount(sorted.map(({ type }) => type));
  const neighbours = byCount(sorted.flatMap(({ tags }) => tags.filter((other) => other !== tag)))
    .filter(([, count]) => count > 1)
    .slice(0, NEIGHBOURS);
  const times = sorted.map(({ createdAt }) => createdAt);
  const span = `${day(Math.min(...times))} to ${day(Math.max(...times))}`;
  const writers = new Set(sorted.map(({ agentId }) => agentId)).size;
  const lines = sorted.slice(0, LISTED).map(({ severity, type, summary, id }) => {
    const text = summary.replace(/\s+/g, ' ');
    return `- [${severity}, ${type}] ${text.length > LINE ? `${cutText(text, LINE)}…` : text} (${id})`;
  });
  const ids = sorted.map(({ id }) => id);
  return {
    tag,
    summary: cutText(
      `${sorted.length} open findings on "${tag}": ${told(types)}; ${severe} of them high or critical. Foremost: ${sorted[0]?.summary ?? ''}`,
      SUMMARY_LIMIT,
    ),
    details: [
      `From ${span}, by ${writers} writer${writers === 1 ? '' : 's'}.`,
      `Severity: ${told(byCount(sorted.map(({ severity }) => severity)))}.`,
      ...(neighbours.length > 0 ? [`Often together with: ${neighbours.map(([other]) => other).join(', ')}.`] : []),
      '',
      ...lines,
      ...(sorted.length > LISTED ? [`…and ${sorted.length - LISTED} more.`] : []),
    ].join('\n'),
    // A sum of what others said is no alarm of its own.
    severity: severe > 0 ? 'medium' : 'low',
    tags: [tag, SYNTHESIS_TAG],
    membersHash: hash('sha256', [...ids].sort().join('\n')).slice(0, 32),
    memberIds: ids.slice(0, LINKED),
  };
};
