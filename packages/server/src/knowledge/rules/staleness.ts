import type { Finding } from './finding.ts';
import { isPermanent } from './lifecycle.ts';

const DAY_MS = 86_400_000;

/** Buckets of an audit, by the time since anybody touched a finding. Each begins at its age, in ms. */
export const BUCKETS = [
  { name: 'healthy', from: 0 },
  { name: 'aging', from: 14 * DAY_MS },
  { name: 'stale', from: 30 * DAY_MS },
  { name: 'candidate_for_archive', from: 90 * DAY_MS },
] as const;
export type Bucket = (typeof BUCKETS)[number]['name'];

/** Age from which an open finding is likely stale. */
export const STALE_MS = BUCKETS[2].from;

/** Whether an open finding has been left alone so long that it probably no longer holds. A permanent one never is. */
export const likelyStale = (
  finding: Pick<Finding, 'type' | 'tags' | 'status' | 'createdAt' | 'updatedAt'>,
  now: number,
): boolean =>
  (finding.status === 'open' || finding.status === 'disputed') &&
  now - (finding.updatedAt ?? finding.createdAt) >= STALE_MS &&
  !isPermanent(finding);
