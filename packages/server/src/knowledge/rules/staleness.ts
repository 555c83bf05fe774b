import type { Finding } from './finding.ts';
import { isPermanent } from './lifecycle.ts';
import { DAY_MS } from '../../runtime/index.ts';

/** Buckets of an audit, by the days since anybody touched a finding; each begins at its age. */
export const BUCKET_DAYS = { healthy: 0, aging: 14, stale: 30, candidate_for_archive: 90 } as const;

/** The same buckets, youngest first, in ms. */
export const BUCKETS = [
  { name: 'healthy', from: BUCKET_DAYS.healthy * DAY_MS },
  { name: 'aging', from: BUCKET_DAYS.aging * DAY_MS },
  { name: 'stale', from: BUCKET_DAYS.stale * DAY_MS },
  { name: 'candidate_for_archive', from: BUCKET_DAYS.candidate_for_archive * DAY_MS },
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
