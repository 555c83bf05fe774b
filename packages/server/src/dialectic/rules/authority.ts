import { overlapOf } from './sets.ts';
import { HOUR_MS } from '../../runtime/index.ts';

const FRESH_FOR = 24 * HOUR_MS;

/** What is taken where nothing is known. */
const UNKNOWN = 0.5;
/** Tags of the candidate alone: it says what it can do, and nobody says what is needed. */
const TAGS_UNASKED = 0.6;

/** What is known of one who may review. */
export interface Standing {
  /** The candidate's own risk, not the paused agent's, which would be the same for all; null or NaN: unknown. */
  readonly risk: number | null;
  readonly reviews: number;
  readonly successfulReviews: number;
  readonly tags: readonly string[];
  /** ms since the epoch, UTC; null: unknown. */
  readonly lastUpdateAt: number | null;
}

const health = (risk: number | null): number =>
  risk === null || Number.isNaN(risk) ? UNKNOWN : 1 / (1 + Math.exp(10 * (risk - 0.35)));

const domain = (own: ReadonlySet<string>, wanted: ReadonlySet<string>): number => {
  if (own.size === 0) return UNKNOWN;
  return wanted.size === 0 ? TAGS_UNASKED : overlapOf(own, wanted);
};

/**
 * How much weight a candidate has as a reviewer of an agent with `wantedTags` (spec dialectic C.1): health 0.4, track record
 * 0.3, subject 0.2, freshness 0.1; 0 to 1 as long as no more reviews succeeded than there were. `now` is in ms.
 */
export const authority = (standing: Standing, wantedTags: readonly string[], now: number): number => {
  const { risk, reviews, successfulReviews, tags, lastUpdateAt } = standing;
  const track = reviews > 0 ? successfulReviews / reviews : UNKNOWN;
  const fresh = lastUpdateAt !== null && now - lastUpdateAt < FRESH_FOR ? 1 : UNKNOWN;
  return 0.4 * health(risk) + 0.3 * track + 0.2 * domain(new Set(tags), new Set(wantedTags)) + 0.1 * fresh;
};
