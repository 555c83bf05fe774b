import { firstOf, type Keyed } from '../../runtime/index.ts';
import type { AgentHead, AgentStatus } from '../../agents/agent.ts';
import { recordOf, type ClaimsRecord } from '../../agents/record.ts';
import { readCoverage } from '../../agents/coverage.ts';
import { visibleId, visibleName, visibleText, type Viewer } from './redaction.ts';
import { isTestAgent } from './test-agent.ts';

/** What to list; absent: the default. Numbers out of range are brought into it. */
export interface ListQuery {
  /** 1 to 200, 20 by default. */
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
  /** `active` by default; `all` for every one. */
  readonly statusFilter?: AgentStatus | 'all' | undefined;
  readonly minUpdates?: number | undefined;
  /** Days since the last activity, 7 by default; null: however long ago. */
  readonly recentDays?: number | null | undefined;
  readonly namedOnly?: boolean | undefined;
  readonly includeTestAgents?: boolean | undefined;
}

/** One agent in a list. */
export interface ListRow {
  readonly id: string;
  readonly label: string;
  readonly status: AgentStatus;
  /** No resolution about the agent is being carried out (W3-9.20). */
  readonly is_stable: boolean;
  readonly purpose: string | null;
  readonly updates: number;
  /** Last activity, ISO 8601, UTC. */
  readonly last: string;
  readonly parent_agent_id: string | null;
  readonly spawn_reason: string | null;
  /** What became of its claims; absent before the first check-in. */
  readonly coverage?: {
    readonly claims: number;
    readonly settled: number;
    readonly expired: number;
    readonly unobserved: number;
  };
  /** What graded results say of its claims; absent before the first check-in. */
  readonly record?: ClaimsRecord;
  readonly you?: true;
  readonly uuid_redacted?: true;
  readonly parent_agent_id_redacted?: true;
}

/** A page of agents, and how many there are. */
export interface Listing {
  readonly agents: readonly ListRow[];
  readonly shown: number;
  /** How many pass the filters. */
  readonly matching: number;
  readonly total_all: number;
  /** Whether matches follow after this page. */
  readonly more: boolean;
  /** Of all agents, whatever the filters. */
  readonly by_status: Readonly<Partial<Record<AgentStatus, number>>>;
}

const DAY = 86_400_000;
const DEFAULT_LIMIT = 20;
const MOST = 200;
const DEFAULT_RECENT_DAYS = 7;

const activityOf = (head: AgentHead): number => head.lastActivityAt ?? head.createdAt;

const newestFirst = (a: AgentHead, b: AgentHead): number =>
  activityOf(b) - activityOf(a) || b.createdAt - a.createdAt || (a.agentId < b.agentId ? -1 : 1);

const byActivity = (a: Keyed<AgentHead, number>, b: Keyed<AgentHead, number>): number =>
  b.key - a.key || newestFirst(a.item, b.item);

const rowOf = (head: AgentHead, viewer: Viewer, isStable: boolean, now: number): ListRow => {
  const coverage = head.vitals?.coverage && readCoverage(head.vitals.coverage, now);
  const own = visibleId(head.agentId, viewer);
  const parent = head.parentAgentId === null ? undefined : visibleId(head.parentAgentId, viewer);
  return {
    id: own.id,
    label: visibleName(head, viewer),
    status: head.status,
    is_stable: isStable,
    purpose: visibleText(head.purpose, viewer),
    updates: head.updateCount,
    last: new Date(activityOf(head)).toISOString(),
    parent_agent_id: parent?.id ?? null,
    spawn_reason: visibleText(head.spawnReason, viewer),
    ...(coverage && {
      coverage: {
        claims: coverage.made,
        settled: coverage.settled,
        expired: coverage.expired,
        unobserved: coverage.unobserved,
      },
    }),
    ...(head.vitals && { record: recordOf(head.vitals) }),
    ...(head.agentId === viewer.agentId && { you: true as const }),
    ...(own.redacted && { uuid_redacted: true as const }),
    ...(parent?.redacted === true && { parent_agent_id_redacted: true as const }),
  };
};

/**
 * Lists agents, newest activity first, then newest birth, then id (spec identity d.4). Deleted ones are never listed. The
 * viewer's own row stands in every answer, also when no filter lets it pass or it belongs on another page; it then comes
 * in addition to `limit`. Ids of others are shown to operators only, also inside of texts (BW-identity.14).
 */
export const listAgents = (
  heads: Iterable<AgentHead>,
  query: ListQuery,
  viewer: Viewer,
  isStable: (agentId: string) => boolean,
  now: number,
): Listing => {
  const limit = Math.min(MOST, Math.max(1, Math.trunc(query.limit ?? DEFAULT_LIMIT)));
  const offset = Math.max(0, Math.trunc(query.offset ?? 0));
  const status = query.statusFilter ?? 'active';
  const recentDays = query.recentDays === undefined ? DEFAULT_RECENT_DAYS : query.recentDays;
  const since = recentDays === null ? -Infinity : now - recentDays * DAY;
  const matches = (head: AgentHead): boolean =>
    (status === 'all' || head.status === status) &&
    head.updateCount >= (query.minUpdates ?? 0) &&
    activityOf(head) >= since &&
    (query.namedOnly !== true || head.label !== null) &&
    (query.includeTestAgents === true || !isTestAgent(head));

  const byStatus: Partial<Record<AgentStatus, number>> = {};
  const matching: AgentHead[] = [];
  let total = 0;
  let own: AgentHead | undefined;
  for (const head of heads) {
    if (head.status === 'deleted') continue;
    total += 1;
    byStatus[head.status] = (byStatus[head.status] ?? 0) + 1;
    if (head.agentId === viewer.agentId) own = head;
    if (matches(head)) matching.push(head);
  }
  const page = firstOf(matching, offset + limit, activityOf, byActivity).slice(offset);
  if (own !== undefined && !page.includes(own)) page.push(own);
  const agents = page.sort(newestFirst).map((head) => rowOf(head, viewer, isStable(head.agentId), now));
  return {
    agents,
    shown: agents.length,
    matching: matching.length,
    total_all: total,
    more: offset + limit < matching.length,
    by_status: byStatus,
  };
};
