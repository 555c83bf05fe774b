import type {
  AgentRef,
  AgentRow,
  AgentsPage,
  AgentSort,
  PauseView,
  SuccessionView,
  VitalsView,
} from '@breakwater/contract/overview';
import { readCoverage } from '../../agents/coverage.ts';
import { recordOf } from '../../agents/record.ts';
import { shownRisk, standingWord } from '../../agents/standing.ts';
import { firstOf } from '../../runtime/index.ts';
import { holdOf, pauseHolds, type AgentHead, type Pause, type Vitals } from '../../agents/agent.ts';

/** What is known of agents beside their heads. */
export interface Surroundings {
  readonly now: number;
  /** Whether an agent is silent for longer than it should be. */
  readonly isStuck: (head: AgentHead) => boolean;
  readonly isStable: (agentId: string) => boolean;
  readonly conditionsInForce: (head: AgentHead, now: number) => number;
  /** The head of any agent; undefined when there is none in memory. */
  readonly find: (agentId: string) => AgentHead | undefined;
}

/** Which agents a list shows, and in which order. */
export interface AgentsQuery {
  readonly search: string | undefined;
  /** A status, `stuck`, `all`, or `present`: whoever is neither archived nor deleted. */
  readonly status: string;
  readonly verdict: string | undefined;
  readonly tag: string | undefined;
  readonly sort: AgentSort;
  readonly descending: boolean;
  readonly offset: number;
  readonly limit: number;
}

const iso = (ms: number): string => new Date(ms).toISOString();

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
  is_stuck: around.isStuck(head),
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

const ENDED: ReadonlySet<string> = new Set(['archived', 'deleted']);

const isOfStatus = (head: AgentHead, status: string, isStuck: boolean): boolean => {
  if (status === 'all') return true;
  if (status === 'present') return !ENDED.has(head.status);
  if (status === 'stuck') return isStuck;
  return head.status === status;
};

/** In no text that is searched for: what is typed has one line. */
const BETWEEN = '\n';
/** A head never changes; its text is made once, when somebody searches for the first time. */
const texts = new WeakMap<AgentHead, string>();

const searchedText = (head: AgentHead): string => {
  let text = texts.get(head);
  if (text === undefined) {
    text = [head.label ?? '', head.handle, head.purpose ?? '', ...head.tags].join(BETWEEN).toLowerCase();
    texts.set(head, text);
  }
  return text;
};

const isFound = (head: AgentHead, wanted: string): boolean =>
  searchedText(head).includes(wanted) || head.agentId.startsWith(wanted);

type Key = string | number | null;

const gapOf = (calibration: Vitals['calibration'] | undefined): number | null =>
  calibration?.pass_rate == null || calibration.mean_claim == null
    ? null
    : calibration.mean_claim - calibration.pass_rate;

const KEYS: Readonly<Record<AgentSort, (head: AgentHead, now: number) => Key>> = {
  activity: (head) => head.lastActivityAt ?? head.createdAt,
  name: (head) => (head.label ?? head.handle).toLowerCase(),
  status: (head) => head.status,
  risk: (head) => shownRisk(head.vitals),
  check_ins: (head) => head.updateCount,
  created: (head) => head.createdAt,
  pass_rate: ({ vitals }) => vitals?.calibration.pass_rate ?? null,
  gap: ({ vitals }) => gapOf(vitals?.calibration),
  coverage: ({ vitals }, now) => readCoverage(vitals?.coverage, now).share,
  // Without a graded result the detector's value is where it began, and says nothing.
  evidence: ({ vitals }) => (vitals === null || vitals.calibration.graded === 0 ? null : vitals.claims),
};

const compare = (a: Exclude<Key, null>, b: Exclude<Key, null>): number => (a < b ? -1 : a > b ? 1 : 0);

/** The first `count` by a key; who has none comes last in either direction, and equals keep the order of their ids. */
const sorted = (
  heads: readonly AgentHead[],
  { sort, descending }: AgentsQuery,
  now: number,
  count: number,
): AgentHead[] => {
  const keyOf = KEYS[sort];
  return firstOf(
    heads,
    count,
    (head) => keyOf(head, now),
    (a, b) => {
      if (a.key === null || b.key === null) {
        if (a.key !== b.key) return a.key === null ? 1 : -1;
      } else {
        const order = compare(a.key, b.key);
        if (order !== 0) return descending ? -order : order;
      }
      return compare(a.item.agentId, b.item.agentId);
    },
  );
};

/** One page of the agents that match, and how many agents stand where; from memory (BW-console.04). */
export const agentsPage = (heads: Iterable<AgentHead>, query: AgentsQuery, around: Surroundings): AgentsPage => {
  const counts: Record<string, number> = { active: 0, paused: 0, waiting_input: 0, archived: 0, stuck: 0 };
  const wanted = query.search?.toLowerCase();
  const matching: AgentHead[] = [];
  let total = 0;
  for (const head of heads) {
    if (head.status === 'deleted') {
      if (query.status !== 'deleted') continue;
    } else {
      total += 1;
      counts[head.status] = (counts[head.status] ?? 0) + 1;
    }
    const isStuck = around.isStuck(head);
    if (isStuck) counts['stuck'] = (counts['stuck'] ?? 0) + 1;
    if (!isOfStatus(head, query.status, isStuck)) continue;
    if (query.verdict !== undefined && head.vitals?.verdict !== query.verdict) continue;
    if (query.tag !== undefined && !head.tags.includes(query.tag)) continue;
    if (wanted !== undefined && !isFound(head, wanted)) continue;
    matching.push(head);
  }
  const shown = sorted(matching, query, around.now, query.offset + query.limit).slice(query.offset);
  return {
    rows: shown.map((head) => agentRow(head, around)),
    matching: matching.length,
    total,
    counts,
    offset: query.offset,
    limit: query.limit,
  };
};
