/** Words by which lists of agents and reviews are ordered and narrowed; plain data, which a client may load without Zod. */

/** What a list of agents may be ordered by. */
export const AGENT_SORTS = [
  'activity',
  'name',
  'status',
  'risk',
  'check_ins',
  'created',
  'pass_rate',
  /** Mean claim less pass rate. */
  'gap',
  /** The share of claims that a result settled. */
  'coverage',
  /** The claims detector's value. */
  'evidence',
] as const;
export type AgentSort = (typeof AGENT_SORTS)[number];

/** What a list of agents may be narrowed to. */
export const AGENT_STATUS_FILTERS = [
  'present',
  'active',
  'paused',
  'waiting_input',
  'archived',
  'disabled',
  'deleted',
  'stuck',
  'all',
] as const;

export { VERDICTS } from './tools/check-in-words.ts';

/** What a list of reviews may be narrowed to. */
export const REVIEW_STATUS_FILTERS = ['open', 'waiting', 'resolved', 'failed', 'all'] as const;
