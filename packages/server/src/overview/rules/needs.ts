import type { Need } from '@breakwater/contract/overview';
import { pauseHolds, type AgentHead, type Pause } from '../../agents/agent.ts';
import { confirmationText, isPausedAgain, type ReviewSession } from '../../dialectic/index.ts';
import { activityOf } from '../../agents/columns.ts';
import { readCoverage, silenceAsks, silenceAsksFrom } from '../../agents/coverage.ts';
import { iso, isObject, type Columns } from '../../runtime/index.ts';
import { shownRisk } from '../../agents/standing.ts';
import { refOf, type Surroundings } from './agents.ts';

type Evidence = Need['evidence'];

/** A review that has not ended, as far as it can need a person. Times in ms since the epoch, UTC. */
export interface OpenReview {
  readonly reviewId: string;
  readonly pausedAgentId: string;
  readonly reviewerAgentId: string | null;
  readonly phase: string;
  readonly reason: string | null;
  readonly waitingSince: number | null;
  /** An agreement that an operator is asked about, or was. */
  readonly confirmation: ReviewSession['confirmation'];
}

/** A saga that was given up. */
export interface DeadLetter {
  readonly sagaId: string;
  readonly sessionId: string;
  readonly pausedAgentId: string;
  readonly attempts: number;
  readonly lastError: string | null;
  readonly deadLetterAt: number | null;
}

/** Failures of one kind that the channel recorded in the last day. */
export interface Trouble {
  readonly kind: 'breach' | 'divergence';
  readonly count: number;
  readonly last: number;
  /** The payload of the newest. */
  readonly payload: Readonly<Record<string, unknown>>;
}

/** New agents that may go on for one that is paused. */
export interface Successors {
  readonly agentId: string;
  readonly total: number;
  /** Those that share more with it than all agents of one machine do. */
  readonly strong: number;
  /** When the newest was linked, ms since the epoch, and which it is. */
  readonly last: number;
  readonly lastId: string;
}

/** What PostgreSQL alone knows; undefined while it is away. */
export interface StoredFacts {
  readonly reviews: readonly OpenReview[];
  readonly deadLetters: readonly DeadLetter[];
  readonly troubles: readonly Trouble[];
  /** Of agents under a pause that holds. */
  readonly successors: readonly Successors[];
  /** When the pause before ended, of agents that are paused now and whose last pause is not long over. */
  readonly previousEnds: ReadonlyMap<string, number>;
}

/** All that a person may be needed for. */
export interface NeedFacts {
  readonly fleet: Columns<AgentHead>;
  readonly stored: StoredFacts | undefined;
  /** Parts that are not warm. */
  readonly coldParts: readonly string[];
  /** Partitions that retention should have dropped. */
  readonly overdue: readonly string[];
}

/** More silent agents than this are one need together. */
const SILENT_ALONE = 5;
const MOST = 200;
/** A line of evidence is not longer than somebody reads at a glance. */
const MOST_TEXT = 300;
const SEVERITIES: readonly Need['severity'][] = ['critical', 'warning', 'info'];

/** A pause that a person made on purpose: it is listed, and asks for nothing. */
const OPERATOR_PAUSE = 'operator_pause';

const PAUSES: Readonly<Record<string, string>> = {
  claims_pause: 'is paused: it claims more than its results show',
  risk_pause: 'is paused for risk',
  reject: 'is paused: its recent work was too risky',
  cirs_block: 'is paused: its risk is above 0.70',
  conditions_pause: 'is paused: it broke a condition that it works under',
  [OPERATOR_PAUSE]: 'was paused by an operator',
  review_cooldown: 'cools down as its review agreed',
  review_block: 'is blocked by its review until an operator decides',
  review_escalate: 'is handed to an operator by its review',
};

const round = (value: number): number => Math.round(value * 1000) / 1000;

/** Numbers and words of a record of any depth, by their path in words; at most `most`, so that a card stays one. */
const flattened = (value: Readonly<Record<string, unknown>>, most: number, under = ''): Evidence => {
  const lines: Evidence[number][] = [];
  for (const [key, part] of Object.entries(value)) {
    if (lines.length >= most) break;
    const name = `${under}${under === '' ? '' : ' · '}${key.replaceAll('_', ' ')}`;
    if (isObject(part)) lines.push(...flattened(part, most - lines.length, name));
    else if (typeof part === 'number') lines.push({ name, value: round(part) });
    else if (typeof part === 'string') lines.push({ name, value: part.slice(0, MOST_TEXT) });
    else if (typeof part === 'boolean') lines.push({ name, value: part ? 'yes' : 'no' });
  }
  return lines;
};

const percent = (share: unknown): string | null => (typeof share === 'number' ? `${Math.round(share * 100)}%` : null);

const numberOf = (value: unknown): number | null => (typeof value === 'number' ? round(value) : null);
const partOf = (record: Readonly<Record<string, unknown>>, key: string): Readonly<Record<string, unknown>> => {
  const part = record[key];
  return isObject(part) ? part : {};
};

/** Mean claim less pass rate, in points of percent with its sign. */
const pointsOf = (claim: unknown, passRate: unknown): string | null => {
  if (typeof claim !== 'number' || typeof passRate !== 'number') return null;
  const points = Math.round((claim - passRate) * 100);
  return `${points > 0 ? '+' : ''}${points}`;
};

/** `1,807 (pauses at 1,000)`: the detector's value beside its limit. */
const scoreOf = (value: unknown, limit: unknown): string | null => {
  if (typeof value !== 'number') return null;
  const whole = (number: number): string => Math.round(number).toLocaleString('en');
  return typeof limit === 'number' ? `${whole(value)} (pauses at ${whole(limit)})` : whole(value);
};

/** What the claims detector found, in words; nothing when no result was held against a claim. */
const claimsLines = (claims: Readonly<Record<string, unknown>>, limit: unknown): Evidence =>
  (numberOf(claims['graded']) ?? 0) === 0
    ? []
    : [
        { name: 'claimed on average', value: percent(claims['mean_claim']) },
        { name: 'actual pass rate', value: percent(claims['accuracy']) },
        { name: 'mean gap, in points', value: pointsOf(claims['mean_claim'], claims['accuracy']) },
        { name: 'graded results', value: numberOf(claims['graded']) },
        { name: 'evidence score', value: scoreOf(claims['value'], limit) },
      ];

/** What a pause stands on, for a person: its main numbers first, in words; what is in no known form, as it was recorded. */
const pauseEvidence = ({ evidence }: Pause): Evidence => {
  if (evidence['detector'] === 'claims') return claimsLines(evidence, evidence['limit']);
  if (!isObject(evidence['measurement'])) return flattened(evidence, 6);
  const measured = evidence['measurement'];
  const limits = partOf(partOf(evidence, 'policy_evaluation'), 'limits');
  return [
    ...claimsLines(partOf(measured, 'claims'), limits['claims']),
    { name: 'risk', value: numberOf(partOf(measured, 'risk')['gated']) },
    { name: 'limit of risk', value: numberOf(limits['risk']) },
    { name: 'check-in', value: numberOf(measured['update']) },
  ];
};

/** That a pause came back, which no peer lifts alone. */
const againLines = (pause: Pause, previousEnd: number | undefined): Evidence =>
  isPausedAgain(Date.parse(pause.paused_at), previousEnd ?? null)
    ? [
        {
          name: 'paused again',
          value: `within a day of its last pause, which ended ${iso(previousEnd ?? 0)}; an operator confirms what a review agrees on`,
        },
      ]
    : [];

const endOf = (pause: Pause): Evidence[number] =>
  pause.expires_at === null
    ? { name: 'stays paused', value: 'until it is resumed' }
    : { name: 'auto-resumes', value: pause.expires_at };

const pausedNeed = (
  head: AgentHead,
  pause: Pause,
  review: OpenReview | undefined,
  previousEnd: number | undefined,
  around: Surroundings,
): Need => {
  const agent = refOf(head.agentId, around.find);
  const hasNoReviewer = review?.reviewerAgentId === null;
  return {
    key: `paused:${head.agentId}:${pause.actuation_id}`,
    kind: 'paused',
    // An agent in review is looked after, one without waits for somebody; a pause that an operator made is meant.
    severity:
      pause.sub_action === OPERATOR_PAUSE
        ? 'info'
        : review === undefined || isPausedAgain(Date.parse(pause.paused_at), previousEnd ?? null)
          ? 'critical'
          : 'warning',
    since: pause.paused_at,
    title: `${agent.name} ${PAUSES[pause.sub_action] ?? `is paused (${pause.sub_action.replaceAll('_', ' ')})`}`,
    evidence: [
      { name: 'reason', value: pause.reason },
      ...againLines(pause, previousEnd),
      ...pauseEvidence(pause),
      endOf(pause),
      ...(review === undefined
        ? []
        : [{ name: 'review', value: `open, ${review.phase}${hasNoReviewer ? ', no reviewer yet' : ''}` }]),
    ],
    agent,
    review_id: review?.reviewId ?? null,
    saga_id: null,
    acts: [...(hasNoReviewer ? (['assign_reviewer'] as const) : []), 'resume', 'archive'],
  };
};

/** An agreement that nobody carries out before an operator has said yes to it. */
const confirmNeed = (
  review: OpenReview,
  asked: NonNullable<OpenReview['confirmation']>,
  around: Surroundings,
): Need => {
  const agent = refOf(review.pausedAgentId, around.find);
  const pause = around.find(review.pausedAgentId)?.pause;
  return {
    key: `confirm:${review.reviewId}`,
    kind: 'confirm_review',
    severity: 'critical',
    since: iso(asked.since),
    title: `The review of ${agent.name} agreed on ${asked.action}; you confirm or reject it`,
    evidence: [
      { name: 'you are asked because', value: confirmationText(asked.why) },
      {
        name: 'reviewer',
        value: review.reviewerAgentId === null ? null : refOf(review.reviewerAgentId, around.find).name,
      },
      ...(pause == null
        ? []
        : [{ name: 'paused because', value: pause.reason }, ...pauseEvidence(pause), endOf(pause)]),
    ],
    agent,
    review_id: review.reviewId,
    saga_id: null,
    acts: ['confirm_review', 'reject_review'],
  };
};

const waitingNeed = (review: OpenReview, previousEnd: number | undefined, around: Surroundings): Need => {
  const agent = refOf(review.pausedAgentId, around.find);
  const pause = around.find(review.pausedAgentId)?.pause;
  return {
    key: `review:${review.reviewId}`,
    kind: 'review_waiting',
    severity: 'critical',
    since: review.waitingSince === null ? null : iso(review.waitingSince),
    title:
      review.reviewerAgentId === null
        ? `The review of ${agent.name} has no reviewer`
        : `The review of ${agent.name} waits for a person`,
    evidence: [
      ...(review.reason === null ? [] : [{ name: 'asked for because', value: review.reason }]),
      ...(review.reviewerAgentId === null ? [{ name: 'reviewers', value: 'no agent that qualifies is free' }] : []),
      { name: 'phase', value: review.phase },
      {
        name: 'reviewer',
        value: review.reviewerAgentId === null ? null : refOf(review.reviewerAgentId, around.find).name,
      },
      // This need stands for the pause as well, which has none of its own beside it.
      ...(pause == null || !pauseHolds(pause, around.now)
        ? []
        : [
            { name: 'paused because', value: pause.reason },
            ...againLines(pause, previousEnd),
            ...pauseEvidence(pause),
            endOf(pause),
          ]),
    ],
    agent,
    review_id: review.reviewId,
    saga_id: null,
    acts: ['assign_reviewer', 'resume'],
  };
};

const deadLetterNeed = (saga: DeadLetter, around: Surroundings): Need => {
  const agent = refOf(saga.pausedAgentId, around.find);
  return {
    key: `saga:${saga.sagaId}`,
    kind: 'dead_letter',
    severity: 'critical',
    since: saga.deadLetterAt === null ? null : iso(saga.deadLetterAt),
    title: `The resolution of ${agent.name}'s review was given up`,
    evidence: [
      { name: 'last error', value: saga.lastError },
      { name: 'attempts', value: saga.attempts },
    ],
    agent,
    review_id: saga.sessionId,
    saga_id: saga.sagaId,
    acts: ['retry_saga', 'revert_saga'],
  };
};

/** What is weak evidence, one machine's agents starting as usual, is counted and does not alarm. */
const successorsNeed = ({ agentId, total, strong, last, lastId }: Successors, around: Surroundings): Need => {
  const agent = refOf(agentId, around.find);
  const agents = total === 1 ? 'A new agent' : `${total} new agents`;
  return {
    key: `successors:${agentId}`,
    kind: 'successors',
    severity: strong > 0 ? 'warning' : 'info',
    since: iso(last),
    title: `${agents} may go on for ${agent.name}, which is paused`,
    evidence: [
      { name: 'from its MCP session or process', value: strong },
      { name: 'from its address, by the same program', value: total - strong },
      { name: 'the newest of them', value: refOf(lastId, around.find).name },
    ],
    agent,
    review_id: null,
    saga_id: null,
    acts: [],
  };
};

const silentNeeds = (fleet: Columns<AgentHead>, silent: readonly number[], around: Surroundings): Need[] => {
  const since = (head: AgentHead): string => iso(activityOf(head));
  const common = { kind: 'stuck', severity: 'info', review_id: null, saga_id: null } as const;
  if (silent.length > SILENT_ALONE) {
    const lastOf = fleet.get(activityOf);
    const newest =
      fleet.items[silent.reduce((latest, i) => ((lastOf[i] as number) > (lastOf[latest] as number) ? i : latest))];
    if (newest === undefined) return [];
    return [
      {
        ...common,
        key: 'stuck:many',
        since: since(newest),
        title: `${silent.length} agents have gone silent`,
        evidence: [{ name: 'the last of them', value: refOf(newest.agentId, around.find).name }],
        agent: null,
        acts: [],
      },
    ];
  }
  return silent
    .flatMap((i) => fleet.items[i] ?? [])
    .map((head) => ({
      ...common,
      key: `stuck:${head.agentId}`,
      since: since(head),
      title: `${refOf(head.agentId, around.find).name} has gone silent`,
      evidence: [
        { name: 'check-ins', value: head.updateCount },
        { name: 'last verdict', value: head.vitals?.verdict ?? null },
        { name: 'risk', value: numberOf(shownRisk(head.vitals)) },
      ],
      agent: refOf(head.agentId, around.find),
      acts: ['archive'],
    }));
};

/** The instant (ms) before which an agent's silence needs nobody. */
const unsettledFrom = ({ status, vitals }: AgentHead): number =>
  status === 'active' && vitals !== null ? silenceAsksFrom(vitals.coverage) : Infinity;

const isPaused = ({ pause }: AgentHead): boolean => pause !== null;

/** Most claims of an agent meet no result: nothing is known of its work, and a person should ask (BW-outcomes.06). */
const unsettledNeed = (head: AgentHead, around: Surroundings): Need | undefined => {
  if (head.vitals === null) return undefined;
  const coverage = readCoverage(head.vitals.coverage, around.now);
  if (!silenceAsks(coverage)) return undefined;
  const agent = refOf(head.agentId, around.find);
  return {
    key: `silence:${head.agentId}`,
    kind: 'silence',
    severity: 'warning',
    since: head.vitals.at,
    title: `${agent.name} hardly ever records what came of its work; a person should ask why`,
    evidence: [
      { name: 'coverage', value: percent(coverage.share) },
      { name: 'unobserved claims', value: coverage.unobserved },
      { name: 'claims that ran out without a result', value: coverage.expired },
      { name: 'claims met by a result', value: coverage.settled },
      { name: 'check-ins without a confidence', value: coverage.unclaimed },
      { name: 'results that did not count', value: coverage.ungraded },
      { name: 'evidence of silence', value: round(coverage.silence) },
    ],
    agent,
    review_id: null,
    saga_id: null,
    acts: ['archive'],
  };
};

const TROUBLES: Readonly<Record<Trouble['kind'], string>> = {
  breach: 'More than 1% of the requests could not be served',
  divergence: 'Memory differed from PostgreSQL; PostgreSQL won',
};

/** What a trouble stands on: a breach in shares and counts, anything else as it was recorded. */
const troubleEvidence = ({ kind, payload }: Trouble): Evidence => {
  const { rate, threshold, count_503: unavailable, count_request: requests, window_seconds: seconds } = payload;
  if (kind !== 'breach' || typeof rate !== 'number') return flattened(payload, 5);
  const share = (part: unknown): string | null =>
    typeof part === 'number' ? `${Math.round(part * 1000) / 10}%` : null;
  return [
    { name: 'share answered with 503', value: share(rate) },
    { name: 'limit of that share', value: share(threshold) },
    { name: 'answered with 503', value: numberOf(unavailable) },
    { name: 'requests', value: numberOf(requests) },
    { name: 'counted over', value: typeof seconds === 'number' ? `${seconds} s` : null },
  ];
};

const troubleNeed = (trouble: Trouble): Need => ({
  key: trouble.kind,
  kind: trouble.kind,
  severity: 'warning',
  since: iso(trouble.last),
  title: TROUBLES[trouble.kind],
  evidence: [{ name: 'seen in the last day', value: trouble.count }, ...troubleEvidence(trouble)],
  agent: null,
  review_id: null,
  saga_id: null,
  acts: [],
});

const ofServer = (
  kind: 'not_ready' | 'retention',
  severity: Need['severity'],
  title: string,
  evidence: Evidence,
): Need => ({
  key: kind,
  kind,
  severity,
  since: null,
  title,
  evidence,
  agent: null,
  review_id: null,
  saga_id: null,
  acts: [],
});

/**
 * What needs a person, the worst first and then the longest, and how many more there are than can be shown. What PostgreSQL
 * alone knows is missing while it is away, and `not_ready` says so.
 */
export const needsOf = (
  facts: NeedFacts,
  around: Surroundings,
): { readonly needs: readonly Need[]; readonly more: number } => {
  const reviews = new Map(facts.stored?.reviews.map((review) => [review.pausedAgentId, review]));
  const needs: Need[] = [];
  const silent: number[] = [];
  const { items } = facts.fleet;
  const [stuck, asksFrom] = [facts.fleet.get(around.stuckAfter), facts.fleet.get(unsettledFrom)];
  for (const [i, mayBePaused] of facts.fleet.get(isPaused).entries()) {
    const pause = mayBePaused ? items[i]?.pause : undefined;
    if (pause != null && pauseHolds(pause, around.now)) {
      const head = items[i] as AgentHead;
      const review = reviews.get(head.agentId);
      // The review's own need says it all.
      if (review?.waitingSince != null || review?.confirmation?.decision === 'open') continue;
      needs.push(pausedNeed(head, pause, review, facts.stored?.previousEnds.get(head.agentId), around));
    } else {
      if (around.now > (stuck[i] as number)) silent.push(i);
      if (around.now < (asksFrom[i] as number)) continue;
      const unsettled = unsettledNeed(items[i] as AgentHead, around);
      if (unsettled !== undefined) needs.push(unsettled);
    }
  }
  needs.push(...silentNeeds(facts.fleet, silent, around));
  for (const review of facts.stored?.reviews ?? []) {
    const { waitingSince, confirmation } = review;
    if (confirmation?.decision === 'open') needs.push(confirmNeed(review, confirmation, around));
    else if (waitingSince !== null) {
      needs.push(waitingNeed(review, facts.stored?.previousEnds.get(review.pausedAgentId), around));
    }
  }
  for (const found of facts.stored?.successors ?? []) {
    const pause = around.find(found.agentId)?.pause;
    if (pause != null && pauseHolds(pause, around.now)) needs.push(successorsNeed(found, around));
  }
  for (const saga of facts.stored?.deadLetters ?? []) needs.push(deadLetterNeed(saga, around));
  needs.push(...(facts.stored?.troubles ?? []).map(troubleNeed));
  if (facts.coldParts.length > 0) {
    const parts = facts.coldParts.map((value) => ({ name: 'not ready', value }));
    needs.push(ofServer('not_ready', 'critical', 'The server is not ready', parts));
  } else if (facts.stored === undefined) {
    const parts = [{ name: 'not known', value: 'reviews, given up resolutions, failures' }];
    needs.push(ofServer('not_ready', 'critical', 'PostgreSQL does not answer', parts));
  }
  if (facts.overdue.length > 0) {
    const partitions = facts.overdue.slice(0, 5).map((value) => ({ name: 'partition', value }));
    needs.push(ofServer('retention', 'warning', 'Old records should have been dropped, and were not', partitions));
  }
  needs.sort(
    (a, b) =>
      SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
      (a.since ?? '').localeCompare(b.since ?? '') ||
      a.key.localeCompare(b.key),
  );
  return { needs: needs.slice(0, MOST), more: Math.max(0, needs.length - MOST) };
};
