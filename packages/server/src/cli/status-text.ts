import type { NowView } from '@breakwater/contract/overview';
import { HOUR_MS } from '../runtime/index.ts';

/** Says how many reviews are open, and how many of those need a person. */
export const reviewsText = ({ open, waiting }: NonNullable<NowView['reviews']>): string => {
  if (waiting === 0) return `${open} open`;
  return `${open} open, ${waiting} ${waiting === 1 ? 'needs' : 'need'} a person`;
};

/** Says how many items need attention; at least one. */
export const needsText = (count: number): string =>
  count === 1 ? '1 item needs attention' : `${count} items need attention`;

/** Says since when the last hour was counted, where that is less than an hour: the server has started since. */
export const sinceText = (since: string, at: string): string =>
  Date.parse(at) - Date.parse(since) < HOUR_MS ? `, counted since the server started at ${since.slice(0, 16)}Z` : '';
