import type { AgentHead } from '../agents/index.ts';
import type { Candidate, ReviewerSearch } from './rules/selection.ts';

/** Who is in a review with whom. */
export interface EngagementRow {
  readonly paused_agent_id: string;
  readonly reviewer_agent_id: string | null;
  readonly active: boolean;
}

/** Who is busy, and who reviewed whom lately, as the choice of a reviewer wants to know it. */
export const engagementsOf = (rows: readonly EngagementRow[]): Pick<ReviewerSearch, 'busy' | 'recentPairs'> => {
  const busy = new Set<string>();
  const recentPairs: { reviewerAgentId: string; pausedAgentId: string }[] = [];
  for (const { paused_agent_id: paused, reviewer_agent_id: reviewer, active } of rows) {
    if (active) busy.add(paused);
    if (active && reviewer !== null) busy.add(reviewer);
    if (reviewer !== null) recentPairs.push({ reviewerAgentId: reviewer, pausedAgentId: paused });
  }
  return { busy, recentPairs };
};

/** An agent as a candidate. One that never checked in has shown nothing that could be weighed, and is no reviewer. */
export const candidateOf = (head: AgentHead): Candidate | undefined =>
  head.lastActivityAt === null || head.updateCount === 0
    ? undefined
    : {
        agentId: head.agentId,
        label: head.label,
        status: head.status,
        tags: head.tags,
        lastUpdateAt: head.lastActivityAt,
        risk: head.vitals?.risk ?? null,
        reviews: 0,
        successfulReviews: 0,
      };
