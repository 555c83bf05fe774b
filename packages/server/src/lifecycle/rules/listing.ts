import { DAY_MS, firstOf, type Columns } from '../../runtime/index.ts';
import type { AgentHead, AgentStatus } from '../../agents/agent.ts';
import { activityOf, createdOf, idOf, STATUSES, statusOf, updatesOf } from '../../agents/columns.ts';
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

const DEFAULT_LIMIT = 20;
const MOST = 200;
const DEFAULT_RECENT_DAYS = 7;
const DELETED = STATUSES.indexOf('deleted');

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
  fleet: Columns<AgentHead>,
  query: ListQuery,
  viewer: Viewer,
  isStable: (agentId: string) => boolean,
  now: number,
): Listing => {
  const limit = Math.min(MOST, Math.max(1, Math.trunc(query.limit ?? DEFAULT_LIMIT)));
  const offset = Math.max(0, Math.trunc(query.offset ?? 0));
  const status = query.statusFilter ?? 'active';
  const recentDays = query.recentDays === undefined ? DEFAULT_RECENT_DAYS : query.recentDays;
  const since = recentDays === null ? -Infinity : now - recentDays * DAY_MS;
  const least = query.minUpdates ?? 0;
  const [statuses, activity, created] = [fleet.get(statusOf), fleet.get(activityOf), fleet.get(createdOf)];
  const [updates, ids, isTest, heads] = [fleet.get(updatesOf), fleet.get(idOf), fleet.get(isTestAgent), fleet.items];
  const newestFirst = (a: number, b: number): number =>
    (activity[b] as number) - (activity[a] as number) ||
    (created[b] as number) - (created[a] as number) ||
    ((ids[a] as string) < (ids[b] as string) ? -1 : 1);

  const counts = STATUSES.map(() => 0);
  const matching: number[] = [];
  let own: number | undefined;
  for (let i = 0; i < statuses.length; i += 1) {
    const code = statuses[i] as number;
    counts[code] = (counts[code] as number) + 1;
    if (code === DELETED) continue;
    if (viewer.agentId !== undefined && ids[i] === viewer.agentId) own = i;
    const matches =
      (status === 'all' || STATUSES[code] === status) &&
      (updates[i] as number) >= least &&
      (activity[i] as number) >= since &&
      (query.includeTestAgents === true || isTest[i] !== true) &&
      (query.namedOnly !== true || heads[i]?.label !== null);
    if (matches) matching.push(i);
  }
  const page = firstOf(matching, offset + limit, newestFirst).slice(offset);
  if (own !== undefined && !page.includes(own)) page.push(own);
  const agents = page
    .sort(newestFirst)
    .flatMap((i) => heads[i] ?? [])
    .map((head) => rowOf(head, viewer, isStable(head.agentId), now));
  const present = STATUSES.map((word, code) => [word, counts[code] ?? 0] as const).filter(
    ([word, count]) => word !== 'deleted' && count > 0,
  );
  return {
    agents,
    shown: agents.length,
    matching: matching.length,
    total_all: present.reduce((sum, [, count]) => sum + count, 0),
    more: offset + limit < matching.length,
    by_status: Object.fromEntries(present),
  };
};
