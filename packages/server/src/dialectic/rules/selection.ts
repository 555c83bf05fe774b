import type { AgentStatus } from '../../agents/agent.ts';
import { authority, type Standing } from './authority.ts';

const STALE_AFTER = 24 * 3_600_000;
const SHORTLIST = 5;

/** Agents that carry one of these act and sense; they do not argue. */
const NON_REASONING: ReadonlySet<string> = new Set(['autonomous', 'embodied', 'anima']);

/** One who may be asked. */
export interface Candidate extends Standing {
  readonly agentId: string;
  readonly label: string | null;
  readonly status: AgentStatus;
}

/** Who reviewed whom. */
export interface ReviewPair {
  readonly reviewerAgentId: string;
  readonly pausedAgentId: string;
}

/** For whom a reviewer is wanted, and who is not free. */
export interface ReviewerSearch {
  readonly pausedAgentId: string;
  readonly pausedAgentTags: readonly string[];
  /** Ids that the caller rules out. */
  readonly excluded: ReadonlySet<string>;
  /** Ids of all who have a part in a session that has not ended. */
  readonly busy: ReadonlySet<string>;
  /** Pairs of the last 24 h, whatever came of the session. */
  readonly recentPairs: readonly ReviewPair[];
  /** Labels of agents that belong to the house. */
  readonly residents: ReadonlySet<string>;
  /** ms since the epoch, UTC. */
  readonly now: number;
  /** 0 up to and without 1. */
  readonly random: number;
}

/** Those who met the paused agent lately, in either part. */
const recentlyMet = ({ pausedAgentId, recentPairs }: ReviewerSearch): ReadonlySet<string> =>
  new Set(
    recentPairs.flatMap((pair) => {
      if (pair.pausedAgentId === pausedAgentId) return [pair.reviewerAgentId];
      return pair.reviewerAgentId === pausedAgentId ? [pair.pausedAgentId] : [];
    }),
  );

/** Of weighed candidates the one that `random` points at; all alike when the weights say nothing. */
const draw = <T extends { readonly weight: number }>(weighed: readonly T[], random: number): T | undefined => {
  const total = weighed.reduce((sum, { weight }) => sum + weight, 0);
  if (!(total > 0)) return weighed[Math.floor(random * weighed.length)];
  let sum = 0;
  return weighed.find(({ weight }) => random * total <= (sum += weight)) ?? weighed[0];
};

/** Whoever may be asked as far as memory knows: another agent at work, of the last day, that argues and is not ruled out. */
export const isAtWork = (
  { agentId, label, status, tags, lastUpdateAt }: Candidate,
  search: Pick<ReviewerSearch, 'pausedAgentId' | 'excluded' | 'residents' | 'now'>,
): boolean =>
  agentId !== search.pausedAgentId &&
  status === 'active' &&
  (lastUpdateAt === null || search.now - lastUpdateAt <= STALE_AFTER) &&
  (label === null || !search.residents.has(label)) &&
  !tags.some((tag) => NON_REASONING.has(tag)) &&
  !search.excluded.has(agentId);

/**
 * Chooses a reviewer (spec dialectic D, BW-dialectic.09): one of the five of most authority, the likelier the more it has;
 * null when nobody is free. Never the agent itself, nobody paused, stale, busy, excluded or lately paired with it, no
 * resident and none that does not reason. One of unknown age is not stale. Whether a candidate qualifies is not asked here.
 *
 * Tags weigh as the reference's vectors say. The server never passes any on (`reviewers.ts`): agents give those to themselves,
 * and one that copied the paused agent's would be the likelier to judge it.
 */
export const selectReviewer = (candidates: readonly Candidate[], search: ReviewerSearch): string | null => {
  const met = recentlyMet(search);
  const shortlist = candidates
    .filter((candidate) => {
      const { agentId } = candidate;
      return isAtWork(candidate, search) && !search.busy.has(agentId) && !met.has(agentId);
    })
    .map((candidate) => ({
      agentId: candidate.agentId,
      weight: authority(candidate, search.pausedAgentTags, search.now),
    }))
    .sort((a, b) => b.weight - a.weight)
    .slice(0, SHORTLIST);
  return draw(shortlist, search.random)?.agentId ?? null;
};
