import type {
  AgentRef,
  AgentRow,
  AgentsPage,
  AgentSort,
  PauseView,
  SuccessionView,
  VitalsView,
} from '@breakwater/contract/overview';
import type { AgentsQuery } from '@breakwater/contract/routes';
import { readCoverage } from '../../agents/coverage.ts';
import { recordOf } from '../../agents/record.ts';
import { shownRisk, standingWord } from '../../agents/standing.ts';
import { firstOf, iso, type Columns } from '../../runtime/index.ts';
import {
  holdOf,
  pauseHolds,
  type AgentHead,
  type CoverageAccount,
  type Pause,
  type Vitals,
} from '../../agents/agent.ts';
import { activityOf, createdOf, idOf, idStartOf, STATUSES, statusOf, updatesOf } from '../../agents/columns.ts';

/** What is known of agents beside their heads. */
export interface Surroundings {
  readonly now: number;
  /** The instant (ms) after which an agent is silent for longer than it should be; Infinity: never. The same function always. */
  readonly stuckAfter: (head: AgentHead) => number;
  readonly isStable: (agentId: string) => boolean;
  readonly conditionsInForce: (head: AgentHead, now: number) => number;
  /** The head of any agent; undefined when there is none in memory. */
  readonly find: (agentId: string) => AgentHead | undefined;
}

/** An agent by its id and the name that people know it by. One that is not in memory has no other name than its id. */
export const refOf = (agentId: string, find: Surroundings['find']): AgentRef => {
  const head = find(agentId);
  return { agent_id: agentId, name: head?.label ?? head?.handle ?? agentId };
};

/** A link between a paused agent and a new one, as it is stored. */
export interface StoredSuccession {
  readonly pausedAgentId: string;
  readonly successorAgentId: string;
  readonly evidence: SuccessionView['evidence'];
  /** ms since the epoch, UTC. */
  readonly at: number;
}

/** The link as it is shown at one end: with the other end. */
export const successionView = (
  { evidence, at }: StoredSuccession,
  other: string,
  find: Surroundings['find'],
): SuccessionView => ({ agent: refOf(other, find), evidence, at: iso(at) });

const vitalsView = (vitals: Vitals, isPaused: boolean, now: number): VitalsView => ({
  E: vitals.E,
  I: vitals.I,
  S: vitals.S,
  V: vitals.V,
  risk: shownRisk(vitals),
  risk_word: standingWord(vitals, isPaused),
  verdict: vitals.verdict,
  source: vitals.source,
  at: vitals.at,
  calibration_error: vitals.calibration.error,
  ...recordOf(vitals),
  claims: vitals.claims,
  coverage: readCoverage(vitals.coverage, now),
});

const pauseView = (pause: Pause): PauseView => ({
  paused_at: pause.paused_at,
  expires_at: pause.expires_at,
  kind: pause.sub_action,
  reason: pause.reason,
  evidence: pause.evidence,
});

const isPaused = ({ pause }: AgentHead, now: number): boolean => pause !== null && pauseHolds(pause, now);

/** An agent as a row of a list. */
export const agentRow = (head: AgentHead, around: Surroundings): AgentRow => ({
  agent_id: head.agentId,
  name: head.label ?? head.handle,
  status: head.status,
  tags: head.tags,
  purpose: head.purpose,
  parent: head.parentAgentId === null ? null : refOf(head.parentAgentId, around.find),
  created_at: iso(head.createdAt),
  last_activity_at: head.lastActivityAt === null ? null : iso(head.lastActivityAt),
  is_stuck: around.now > around.stuckAfter(head),
  is_stable: around.isStable(head.agentId),
  check_ins: head.updateCount,
  vitals:
    head.vitals === null
      ? null
      : vitalsView(head.vitals, holdOf(head, around.find, around.now) !== undefined, around.now),
  // One that has run out is lifted by a job within a minute; until then it holds nobody.
  pause: head.pause === null || !isPaused(head, around.now) ? null : pauseView(head.pause),
  conditions: around.conditionsInForce(head, around.now),
});

const DELETED = STATUSES.indexOf('deleted');

/** In no text that is searched for: what is typed has one line. */
const BETWEEN = '\n';

const searchedText = (head: AgentHead): string =>
  [head.label ?? '', head.handle, head.purpose ?? '', ...head.tags].join(BETWEEN).toLowerCase();

const verdictOf = ({ vitals }: AgentHead): string | undefined => vitals?.verdict;
const tagsOf = ({ tags }: AgentHead): readonly string[] => tags;

/** The risk that is shown; NaN for who has none. */
export const riskOf = ({ vitals }: AgentHead): number => shownRisk(vitals) ?? Number.NaN;

const gapOf = (calibration: Vitals['calibration'] | undefined): number | null =>
  calibration?.pass_rate == null || calibration.mean_claim == null
    ? null
    : calibration.mean_claim - calibration.pass_rate;

/** What an agent has none of sorts as this. */
const NONE = Number.NaN;

/** What agents are sorted by. */
const KEYS: Readonly<Record<Exclude<AgentSort, 'coverage'>, (head: AgentHead) => string | number>> = {
  activity: activityOf,
  name: (head) => (head.label ?? head.handle).toLowerCase(),
  status: statusOf,
  risk: riskOf,
  check_ins: updatesOf,
  created: createdOf,
  pass_rate: ({ vitals }) => vitals?.calibration.pass_rate ?? NONE,
  gap: ({ vitals }) => gapOf(vitals?.calibration) ?? NONE,
  // Without a graded result the detector's value is where it began, and says nothing.
  evidence: ({ vitals }) => (vitals === null || vitals.calibration.graded === 0 ? NONE : vitals.claims),
};

const coverageOf = ({ vitals }: AgentHead): CoverageAccount | undefined => vitals?.coverage;

/** What each agent of a list is sorted by; undefined: it has none of it. */
const keysOf = (fleet: Columns<AgentHead>, sort: AgentSort, now: number): readonly (string | number)[] =>
  sort === 'coverage'
    ? fleet.get(coverageOf).map((account) => readCoverage(account, now).share ?? NONE)
    : fleet.get(KEYS[sort]);

/** The order of a list: who has no key comes last in either direction, and equals keep the order of their ids. */
const orderOf = (
  fleet: Columns<AgentHead>,
  { sort, order }: AgentsQuery,
  now: number,
): ((a: number, b: number) => number) => {
  const keys = keysOf(fleet, sort, now);
  const [starts, ids] = [fleet.get(idStartOf), fleet.get(idOf)];
  // Words are read from A on, numbers and times from the greatest.
  const isAscending = order === undefined ? sort === 'name' || sort === 'status' : order === 'asc';
  const first = isAscending ? -1 : 1;
  return (a, b) => {
    const [one, other] = [keys[a] as string | number, keys[b] as string | number];
    if (one < other) return first;
    if (one > other) return -first;
    if (one !== other && Number.isNaN(one) !== Number.isNaN(other)) return Number.isNaN(one) ? 1 : -1;
    return (starts[a] as number) - (starts[b] as number) || ((ids[a] as string) < (ids[b] as string) ? -1 : 1);
  };
};

/** How many agents stand where, and how many of those at work are silent; deleted ones count nowhere. */
export const countAgents = (
  fleet: Columns<AgentHead>,
  { now, stuckAfter }: Pick<Surroundings, 'now' | 'stuckAfter'>,
): Record<string, number> => {
  const [status, silence] = [fleet.get(statusOf), fleet.get(stuckAfter)];
  const counts = STATUSES.map(() => 0);
  let stuck = 0;
  for (let i = 0; i < status.length; i += 1) {
    const code = status[i] as number;
    counts[code] = (counts[code] as number) + 1;
    if (code !== DELETED && now > (silence[i] as number)) stuck += 1;
  }
  const present = STATUSES.map((word, code) => [word, counts[code] ?? 0] as const).filter(
    ([word, count]) => word !== 'deleted' && (word !== 'disabled' || count > 0),
  );
  return { ...Object.fromEntries(present), stuck };
};

/** An agent that checked in less than this long ago is at work, ms. */
const AT_WORK_MS = 5 * 60_000;

/** When an agent last checked in, ms since the epoch; none: before all time. */
const lastCheckInOf = ({ vitals }: AgentHead): number => (vitals === null ? -Infinity : Date.parse(vitals.at));

/** How many agents have checked in within the last five minutes. */
export const countAtWork = (fleet: Columns<AgentHead>, now: number): number => {
  let count = 0;
  for (const at of fleet.get(lastCheckInOf)) if (now - at < AT_WORK_MS) count += 1;
  return count;
};

/** Places of the agents that a query asks for, in no order. */
const matchingOf = (fleet: Columns<AgentHead>, query: AgentsQuery, around: Surroundings): number[] => {
  const wanted = STATUSES.map((word) => {
    if (query.status === 'all' || query.status === 'stuck') return word !== 'deleted';
    return query.status === 'present' ? word !== 'deleted' && word !== 'archived' : word === query.status;
  });
  const status = fleet.get(statusOf);
  let matching: number[] = [];
  for (let i = 0; i < status.length; i += 1) if (wanted[status[i] as number] === true) matching.push(i);
  if (query.status === 'stuck') {
    const silence = fleet.get(around.stuckAfter);
    matching = matching.filter((i) => around.now > (silence[i] as number));
  }
  if (query.verdict !== undefined) {
    const verdict = fleet.get(verdictOf);
    matching = matching.filter((i) => verdict[i] === query.verdict);
  }
  const { tag } = query;
  if (tag !== undefined) {
    const tags = fleet.get(tagsOf);
    matching = matching.filter((i) => tags[i]?.includes(tag));
  }
  const search = query.search?.toLowerCase();
  if (search !== undefined) {
    const [text, id] = [fleet.get(searchedText), fleet.get(idOf)];
    matching = matching.filter((i) => text[i]?.includes(search) === true || id[i]?.startsWith(search));
  }
  return matching;
};

/** One page of the agents that match, and how many agents stand where; from memory (BW-console.04). */
export const agentsPage = (fleet: Columns<AgentHead>, query: AgentsQuery, around: Surroundings): AgentsPage => {
  const matching = matchingOf(fleet, query, around);
  const shown = firstOf(matching, query.offset + query.limit, orderOf(fleet, query, around.now)).slice(query.offset);
  const { stuck = 0, ...counts } = countAgents(fleet, around);
  return {
    rows: shown.flatMap((i) => fleet.items[i] ?? []).map((head) => agentRow(head, around)),
    matching: matching.length,
    total: Object.values(counts).reduce((sum, count) => sum + count, 0),
    counts: { ...counts, stuck },
    offset: query.offset,
    limit: query.limit,
  };
};
