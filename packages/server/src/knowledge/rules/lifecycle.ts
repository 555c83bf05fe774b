import { CLOSED } from './changing.ts';
import type { Finding, Status } from './finding.ts';
import { canonicalTags, EPHEMERAL_TAGS, PERMANENT_TAGS } from './tags.ts';
import { DAY_MS } from '../../runtime/index.ts';

/** Ages at which the lifecycle acts, in ms. */
export const AGES = {
  /** An open finding with an ephemeral tag, since its birth. */
  ephemeral: 7 * DAY_MS,
  /** A closed one, since it was closed. */
  closed: 30 * DAY_MS,
  /** An archived one, since it was archived. */
  archived: 90 * DAY_MS,
} as const;

/** Types that never age. The reference's two lists spell the first one differently; both count here. */
export const PERMANENT_TYPES: readonly string[] = [
  'architectural_decision',
  'architecture_decision',
  'learning',
  'pattern',
  'root_cause_analysis',
  'migration',
];

type Aged = Pick<Finding, 'type' | 'tags' | 'status' | 'createdAt' | 'resolvedAt' | 'archivedAt'>;

/** What the lifecycle did, or would do. Nothing is ever deleted; the last counter says so. */
export interface Tally {
  readonly discoveries_archived: number;
  readonly discoveries_to_cold: number;
  readonly ephemeral_archived: number;
  readonly tags_canonicalized: number;
  readonly skipped_permanent: number;
  readonly discoveries_deleted: 0;
}

export const NOTHING_DONE: Tally = {
  discoveries_archived: 0,
  discoveries_to_cold: 0,
  ephemeral_archived: 0,
  tags_canonicalized: 0,
  skipped_permanent: 0,
  discoveries_deleted: 0,
};

/** What becomes of one finding. */
export interface Fate {
  readonly status?: Extract<Status, 'archived' | 'cold'>;
  readonly tags?: readonly string[];
  readonly tally: Partial<Tally>;
}

export const isPermanent = ({ type, tags }: Pick<Finding, 'type' | 'tags'>): boolean =>
  PERMANENT_TYPES.includes(type) || tags.some((tag) => PERMANENT_TAGS.includes(tag));

const passed = (since: number | null, age: number, now: number): boolean => since !== null && now - since >= age;

const due = (
  finding: Aged,
  now: number,
): { readonly status: 'archived' | 'cold'; readonly as: keyof Tally } | undefined => {
  const { status, createdAt, resolvedAt, archivedAt, tags } = finding;
  if (status === 'archived' && passed(archivedAt, AGES.archived, now))
    return { status: 'cold', as: 'discoveries_to_cold' };
  if (CLOSED.includes(status) && passed(resolvedAt, AGES.closed, now)) {
    return { status: 'archived', as: 'discoveries_archived' };
  }
  const ephemeral = tags.some((tag) => EPHEMERAL_TAGS.includes(tag));
  if (status === 'open' && ephemeral && passed(createdAt, AGES.ephemeral, now)) {
    return { status: 'archived', as: 'ephemeral_archived' };
  }
  return undefined;
};

/**
 * What the lifecycle makes of a finding at `now` (BW-knowledge.04): short-lived ones are archived after a week, closed ones
 * after thirty days, archived ones turn cold after ninety. What is permanent by type or tag stays; nothing is deleted.
 */
export const fateOf = (finding: Aged, now: number): Fate => {
  const tags = canonicalTags(finding.tags);
  const retagged = tags.length !== finding.tags.length || tags.some((tag, i) => tag !== finding.tags[i]);
  const next = due(finding, now);
  const permanent = next !== undefined && isPermanent(finding);
  return {
    ...(next !== undefined && !permanent && { status: next.status }),
    ...(retagged && { tags }),
    tally: {
      ...(retagged && { tags_canonicalized: 1 }),
      ...(permanent && { skipped_permanent: 1 }),
      ...(next !== undefined && !permanent && { [next.as]: 1 }),
    },
  };
};

export const addTallies = (sum: Tally, more: Partial<Tally>): Tally => ({
  discoveries_archived: sum.discoveries_archived + (more.discoveries_archived ?? 0),
  discoveries_to_cold: sum.discoveries_to_cold + (more.discoveries_to_cold ?? 0),
  ephemeral_archived: sum.ephemeral_archived + (more.ephemeral_archived ?? 0),
  tags_canonicalized: sum.tags_canonicalized + (more.tags_canonicalized ?? 0),
  skipped_permanent: sum.skipped_permanent + (more.skipped_permanent ?? 0),
  discoveries_deleted: 0,
});
