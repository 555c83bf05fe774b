import { ok, refuse, type CalibrationCheck, type Result } from '@breakwater/contract';
import type {
  AgentsPage,
  AgentView,
  ChannelLine,
  ChannelView,
  ClaimsView,
  FlagsView,
  NowView,
  OperatorsView,
  ReviewsPage,
  ReviewView,
  StatesView,
  SystemView,
  TrailView,
} from '@breakwater/contract/overview';
import type { AgentsQuery, ReviewsQuery } from '@breakwater/contract/routes';
import { holdOf, mayBeHeld, parentOf, STATUSES, statusOf, type AgentHead } from '../agents/index.ts';
import { readReport, reportWindow, type ReportLine } from '../channel/index.ts';
import { AGAIN_WITHIN, conditionsOf, isInForce, readSession } from '../dialectic/index.ts';
import { type Calibration, calibrationReply } from '../calibration/index.ts';
import type { Flags } from '../flags/index.ts';
import { listOperators, operatorState } from '../identity/index.ts';
import { stuckAfter } from '../lifecycle/index.ts';
import { ranOf, whyStoredNotGraded } from '../outcomes/index.ts';
import {
  classifyError,
  planMigrations,
  readRetention,
  StartupError,
  type Database,
  type TableRetention,
} from '../postgres/index.ts';
import { DAY_MS, iso, type Clock, type Columns, type LiveTable, type LoopDelay } from '../runtime/index.ts';
import type { Activity } from './activity.ts';
import type { RequestCounts } from './last-minute.ts';
import {
  agentRow,
  agentsPage,
  countAgents,
  countAtWork,
  refOf,
  riskOf,
  successionView,
  type StoredSuccession,
  type Surroundings,
} from './rules/agents.ts';
import { freeResume, type StoredResume } from './rules/free-resumes.ts';
import { needsOf, type OpenReview, type StoredFacts, type Successors, type Trouble } from './rules/needs.ts';
import { reviewRow, reviewView, sagaView, type StoredReview, type StoredSaga } from './rules/review.ts';
import * as sql from './sql.ts';

/** An agent that is at work says something at least this often; the feed's silence begins here, too. */
const STUCK_MINUTES = 30;
/** What PostgreSQL knows of needs is asked for once in this time, however many look. */
const FACTS_MS = 1_000;
/** How long what is from memory waits for what is not. A PostgreSQL that hangs counts as one that is away. */
const PATIENCE_MS = 1_500;
/** The size of a large database takes its time. */
const SYSTEM_PATIENCE_MS = 5_000;
const REVIEWS_OF_AGENT = 20;

/** What a node shows of itself. */
export interface NodeFacts {
  readonly version: string;
  readonly nodeId: string;
  readonly host: string;
  /** The name under which PostgreSQL knows its connections. */
  readonly applicationName: string;
  /** ms since the epoch, UTC. */
  readonly startedAt: number;
  readonly embeddedDatabase: boolean;
  readonly ready: () => boolean;
  readonly parts: () => Readonly<Record<string, boolean>>;
  readonly liveTables: () => SystemView['live_tables'];
  readonly mailboxes: () => SystemView['mailboxes'];
  readonly loopDelay: () => LoopDelay;
  readonly channel: () => SystemView['channel'];
  /** What retention saw last; empty: it has not looked yet. */
  readonly auditTables: () => readonly TableRetention[];
  /** Requests and 503s of the last minute; undefined: this node has not counted them lately. */
  readonly requests: () => RequestCounts | undefined;
}

interface Options {
  readonly database: Database;
  readonly clock: Clock;
  readonly agents: LiveTable<AgentHead>;
  /** The same agents, by what lists ask of each. */
  readonly fleet: Columns<AgentHead>;
  /** The agents that bear exactly this name. */
  readonly named: (name: string) => readonly AgentHead[];
  readonly isStable: (agentId: string) => boolean;
  readonly flags: Pick<Flags, 'all' | 'history'>;
  readonly calibration: Calibration;
  readonly activity: Activity;
  readonly node: NodeFacts;
}

/** What PostgreSQL alone knows of what Now shows. */
interface Stored extends StoredFacts {
  readonly resumes: readonly StoredResume[];
}

/** A plan explains to whoever starts a server why there is none: PostgreSQL is away, or its schema is not ours. */
const unlessUnplanned = (error: unknown): undefined => {
  if (!(error instanceof StartupError)) throw error;
  return undefined;
};

/** An agent that is paused is not at work. */
const silentAfter = (head: AgentHead): number =>
  head.status === 'active' ? stuckAfter(head, STUCK_MINUTES) : Infinity;
const ACTIVE = STATUSES.indexOf('active');

const isoOrNull = (ms: number | null): string | null => (ms === null ? null : iso(ms));

/** What an operator is shown of a sink's counters, which has more. */
const emissionsOf = ({ waiting, dropped, stored }: SystemView['channel']['failures']) => ({ waiting, dropped, stored });

const lineView = ({ first, last, p50, p99, ...line }: ReportLine): ChannelLine => ({
  ...line,
  elapsed_ms: { p50, p99 },
  first: iso(first),
  last: iso(last),
});

/**
 * What operators see: the fleet from memory, the record from PostgreSQL, put together for the console and the command
 * line. It writes nothing and decides nothing about agents.
 */
export class Overview {
  readonly #options: Options;
  #facts: { readonly at: number; readonly facts: Promise<Stored>; isUnderWay: boolean } | undefined;

  constructor(options: Options) {
    this.#options = options;
  }

  /** What needs a person, and the fleet at a glance; answers from memory while PostgreSQL is away, and says so. */
  async now(): Promise<NowView> {
    const { clock, fleet, node, activity } = this.#options;
    const stored = node.ready() ? await this.#storedFacts() : undefined;
    const around = this.#around();
    const parts = Object.entries(node.parts());
    const { needs, more } = needsOf(
      {
        fleet,
        stored,
        coldParts: parts.flatMap(([part, warm]) => (warm ? [] : [part])),
        overdue: node.auditTables().flatMap(({ overdue }) => overdue.map(({ name }) => name)),
      },
      around,
    );
    const risk = Array.from({ length: 10 }, () => 0);
    let withoutRisk = 0;
    const status = fleet.get(statusOf);
    for (const [i, known] of fleet.get(riskOf).entries()) {
      if (status[i] !== ACTIVE) continue;
      if (Number.isNaN(known)) withoutRisk += 1;
      else {
        const tenth = Math.min(9, Math.max(0, Math.floor(known * 10)));
        risk[tenth] = (risk[tenth] ?? 0) + 1;
      }
    }
    const requests = node.requests();
    return {
      at: iso(clock.now()),
      ready: node.ready(),
      needs,
      more_needs: more,
      free_resumes: stored === undefined ? null : stored.resumes.map((row) => freeResume(row, around.find)),
      more_free_resumes:
        stored === undefined ? 0 : Math.max(0, (stored.resumes[0]?.total ?? 0) - stored.resumes.length),
      agents: countAgents(fleet, around),
      at_work: countAtWork(fleet, around.now),
      activity: activity.read(clock.now()),
      activity_since: iso(activity.since),
      risk,
      without_risk: withoutRisk,
      reviews:
        stored === undefined
          ? null
          : {
              open: stored.reviews.length,
              waiting: stored.reviews.filter(
                ({ waitingSince, confirmation }) => waitingSince !== null || confirmation?.decision === 'open',
              ).length,
            },
      requests: requests === undefined ? null : { count: requests.requests, unavailable: requests.unavailable },
    };
  }

  /** A page of agents, from memory. */
  agents(query: AgentsQuery): AgentsPage {
    return agentsPage(this.#options.fleet, query, this.#around());
  }

  /** An agent whole, by its id or exactly its name. Refuses AGENT_NOT_FOUND, and PARAMETER_ERROR for a name of several. */
  async agent(target: string): Promise<Result<AgentView>> {
    const found = this.#find(target);
    if (!found.ok) return found;
    const { database, clock } = this.#options;
    const head = found.value;
    const around = this.#around();
    const now = clock.now();
    const [[record], reviews, links] = await Promise.all([
      database.query<{ notes: string | null; sessions: number; lastSeenAt: number | null }>(
        sql.selectAgentRecord(head.agentId, now),
      ),
      database.query<StoredReview>(
        sql.selectReviews({ status: 'all', agentId: head.agentId, offset: 0, limit: REVIEWS_OF_AGENT }),
      ),
      database.query<StoredSuccession>(sql.selectSuccessions(head.agentId)),
    ]);
    const hold = holdOf(head, around.find, now);
    const children: AgentView['children'][number][] = [];
    const parent = this.#options.fleet.get(parentOf);
    for (const [i, { agentId }] of this.#options.fleet.items.entries()) {
      if (parent[i] === head.agentId) children.push(refOf(agentId, around.find));
    }
    const { lineage } = head;
    return ok({
      ...agentRow(head, around),
      handle: head.handle,
      notes: record?.notes ?? null,
      spawn_reason: head.spawnReason,
      children,
      held_by: hold?.inherited === true ? refOf(hold.holder.agentId, around.find) : null,
      successors: links
        .filter(({ pausedAgentId }) => pausedAgentId === head.agentId)
        .slice(0, 50)
        .map((link) => successionView(link, link.successorAgentId, around.find)),
      successor_of: links
        .filter(({ successorAgentId }) => successorAgentId === head.agentId)
        .map((link) => successionView(link, link.pausedAgentId, around.find)),
      lineage: {
        state:
          head.parentAgentId === null
            ? 'none'
            : lineage.demoted_at !== null
              ? 'demoted'
              : lineage.confirmed_at !== null
                ? 'confirmed'
                : 'provisional',
        declared_at: lineage.declared_at,
        evaluated_at: lineage.last_eval_at,
      },
      archive: head.archive,
      substrate: head.substrate,
      sessions: { in_force: record?.sessions ?? 0, last_seen_at: isoOrNull(record?.lastSeenAt ?? null) },
      conditions_in_force: conditionsOf(head)
        .filter((condition) => isInForce(condition, now))
        .map((condition) => ({
          text: condition.text,
          from: iso(condition.appliedAt),
          until: isoOrNull(condition.expiresAt),
          enforced: condition.kind === 'complexity_cap' || condition.kind === 'risk_target',
        })),
      reviews: reviews.map((review) => reviewRow(review, around.find)),
    });
  }

  /** The newest `limit` check-ins of an agent, the oldest first. */
  async states(target: string, limit: number): Promise<Result<StatesView>> {
    const found = this.#find(target);
    if (!found.ok) return found;
    const rows = await this.#options.database.query<
      Omit<StatesView['points'][number], 'at' | 'check_in'> & { at: number; checkIn: number }
    >(sql.selectStates(found.value.identityId, limit + 1));
    const points = rows
      .slice(0, limit)
      .reverse()
      .map(({ at, checkIn, ...point }) => ({ ...point, at: iso(at), check_in: checkIn }));
    return ok({ points, truncated: rows.length > limit });
  }

  /** The newest `limit` outcomes of an agent beside what was claimed. */
  async claims(target: string, limit: number): Promise<Result<ClaimsView>> {
    const found = this.#find(target);
    if (!found.ok) return found;
    const rows = await this.#options.database.query<{
      at: number;
      outcome: string;
      isBad: boolean;
      score: number | null;
      confidence: number | null;
      checkIn: number | null;
      grade: string;
      weight: number;
      graded: boolean;
      source: string | null;
      predictionSource: string | null;
      detail: Readonly<Record<string, unknown>>;
    }>(sql.selectClaims(found.value.agentId, limit + 1));
    return ok({
      rows: rows.slice(0, limit).map(({ at, isBad, confidence, checkIn, predictionSource, detail, ...row }) => ({
        ...row,
        why_not_graded: row.graded ? null : whyStoredNotGraded({ ...row, isBad, predictionSource, detail }),
        bet_held: (detail['bet_held'] as ClaimsView['rows'][number]['bet_held'] | undefined) ?? null,
        ran: ranOf(detail),
        at: iso(at),
        is_bad: isBad,
        claimed_confidence: confidence,
        check_in: checkIn,
      })),
      truncated: rows.length > limit,
    });
  }

  /** `limit` rows of an agent's hash-chained trail before an index, the newest first. */
  async trail(
    target: string,
    { before, limit }: { readonly before?: number | undefined; readonly limit: number },
  ): Promise<Result<TrailView>> {
    const found = this.#find(target);
    if (!found.ok) return found;
    const rows = await this.#options.database.query<Omit<TrailView['rows'][number], 'at'> & { readonly at: number }>(
      sql.selectTrail(found.value.agentId, Math.min(before ?? Infinity, found.value.auditCount + 1), limit + 1),
    );
    const shown = rows.slice(0, limit).map((row) => ({ ...row, at: iso(row.at) }));
    return ok({ rows: shown, next: rows.length > limit ? (shown.at(-1)?.index ?? null) : null });
  }

  /** A page of reviews. Refuses AGENT_NOT_FOUND for an agent that is none. */
  async reviews(query: ReviewsQuery): Promise<Result<ReviewsPage>> {
    const { database } = this.#options;
    let agentId: string | null = null;
    if (query.agent !== undefined) {
      const found = this.#find(query.agent);
      if (!found.ok) return found;
      agentId = found.value.agentId;
    }
    const [rows, [counts = { open: 0, waiting: 0, resolved: 0, failed: 0 }]] = await Promise.all([
      database.query<StoredReview>(sql.selectReviews({ ...query, agentId })),
      database.query<ReviewsPage['counts']>(sql.countReviews(agentId)),
    ]);
    const all = counts.open + counts.resolved + counts.failed;
    const { find } = this.#around();
    return ok({
      rows: rows.map((row) => reviewRow(row, find)),
      matching: query.status === 'all' ? all : counts[query.status],
      counts,
      offset: query.offset,
      limit: query.limit,
    });
  }

  /** A review whole. Refuses DIALECTIC_NOT_FOUND. */
  async review(reviewId: string): Promise<Result<ReviewView>> {
    const { database } = this.#options;
    const [[row], session, sagas] = await Promise.all([
      database.query<StoredReview>(sql.selectReview(reviewId)),
      readSession(database, reviewId),
      database.query<StoredSaga>(sql.selectSagasOf(reviewId)),
    ]);
    if (row === undefined || session === undefined) {
      return refuse('DIALECTIC_NOT_FOUND', `There is no review ${reviewId}.`, {
        recovery: { action: 'GET /api/reviews lists those that there are.' },
      });
    }
    return ok(reviewView(row, session, sagas, this.#around().find));
  }

  /** The report of the channel over a window in words. Refuses PARAMETER_ERROR for words that are none. */
  async channel(since: string, until: string | undefined): Promise<Result<ChannelView>> {
    const window = reportWindow(since, until, this.#options.clock.now());
    if (!window.ok) return window;
    const report = await readReport(this.#options.database, window.value);
    const panel = (lines: readonly ReportLine[]) => ({ no_data: lines.length === 0, lines: lines.map(lineView) });
    return ok({
      from: iso(window.value.from),
      to: iso(window.value.to),
      failures: panel(report.failures),
      measurements: panel(report.measurements),
      samples_dropped: report.dropped,
    });
  }

  /** Calibration of the fleet, or of an agent, over a time in words. Refuses what names no time or no agent. */
  async calibration(since: string, agent: string | undefined): Promise<Result<CalibrationCheck>> {
    const { calibration, clock } = this.#options;
    const window = reportWindow(since, undefined, clock.now());
    if (!window.ok) return window;
    const looked = await calibration.lookSince(window.value.from, agent);
    if (!looked.ok) return looked;
    const { assessment, reading, freshness } = looked.value;
    return ok(calibrationReply(assessment, reading, freshness));
  }

  /** Every flag and the newest changes. */
  async flags(): Promise<FlagsView> {
    const { flags } = this.#options;
    const history = await flags.history(undefined, 50);
    return {
      flags: flags.all().map(({ key, description, value, default: fallback, values, origin, stored }) => ({
        key,
        description,
        value,
        default: fallback,
        values,
        origin,
        stored,
      })),
      history: history.ok ? history.value.map((change) => ({ ...change, at: iso(change.at) })) : [],
    };
  }

  /** The credentials of operators, without their secrets. */
  async operators(): Promise<OperatorsView> {
    const { database, clock } = this.#options;
    const operators = await listOperators(database);
    return {
      operators: operators.map((operator) => ({
        name: operator.name,
        can_act: operator.scopes.includes('operator:act'),
        state: operatorState(operator, clock.now()),
        created_at: iso(operator.createdAt),
        expires_at: iso(operator.expiresAt),
        last_seen_at: isoOrNull(operator.lastSeenAt),
      })),
    };
  }

  /** What the server is made of, and how each part does. What PostgreSQL does not say is null. */
  async system(): Promise<SystemView> {
    const { database, clock, node } = this.#options;
    const unlessAway = <T, O>(work: Promise<T>, otherwise: O): Promise<T | O> =>
      this.#unlessAway(work, otherwise, SYSTEM_PATIENCE_MS);
    const looked = node.auditTables();
    const [facts, plan, sagas, nodes, tables] = await Promise.all([
      unlessAway(database.query<{ version: string; bytes: number }>(sql.selectDatabase), []),
      unlessAway(planMigrations(database).catch(unlessUnplanned), undefined),
      unlessAway(database.query<StoredSaga>(sql.selectOpenSagas), []),
      unlessAway(database.query<{ name: string; connections: number; since: number }>(sql.selectNodes), []),
      // The watch looks once an hour; whoever comes before its first look need not wait.
      looked.length > 0 ? looked : unlessAway(readRetention(database, clock.now()), []),
    ]);
    const delay = node.loopDelay();
    const { find } = this.#around();
    const { failures, measurements } = node.channel();
    return {
      at: iso(clock.now()),
      version: node.version,
      node: node.nodeId,
      host: node.host,
      node_version: process.version,
      started_at: iso(node.startedAt),
      ready: node.ready(),
      parts: node.parts(),
      database: {
        embedded: node.embeddedDatabase,
        version: facts[0]?.version ?? null,
        bytes: facts[0]?.bytes ?? null,
        schema_version: plan?.current ?? null,
        schema_target: plan?.target ?? null,
      },
      nodes: nodes.map(({ name, connections, since }) => ({
        name,
        connections,
        since: iso(since),
        self: name === node.applicationName,
      })),
      live_tables: node.liveTables(),
      mailboxes: node.mailboxes(),
      event_loop_ms: { max: delay.maxMs, p99: delay.p99Ms },
      channel: { failures: emissionsOf(failures), measurements: emissionsOf(measurements) },
      partitions:
        tables.length === 0
          ? null
          : tables.map((table) => ({
              table: `audit.${table.table}`,
              kept_days: table.days,
              partitions: table.partitions.length,
              oldest: isoOrNull(table.oldest),
              rows: table.rows,
              bytes: table.bytes,
              months_ahead: table.ahead,
              overdue: table.overdue.map(({ name }) => name),
            })),
      sagas: sagas.map((saga) => sagaView(saga, find)),
    };
  }

  #around(): Surroundings {
    const { clock, agents, isStable } = this.#options;
    const now = clock.now();
    const find = (agentId: string): AgentHead | undefined => {
      const reading = agents.read(agentId);
      return reading.ok ? reading.value : undefined;
    };
    return {
      now,
      stuckAfter: silentAfter,
      isStable,
      conditionsInForce: (head) => conditionsOf(head).filter((condition) => isInForce(condition, now)).length,
      find,
    };
  }

  #find(target: string): Result<AgentHead> {
    const byId = this.#options.agents.read(target.toLowerCase());
    if (byId.ok) return ok(byId.value);
    const named = this.#options.named(target).filter(({ status }) => status !== 'deleted');
    const [only] = named;
    if (only === undefined) {
      return refuse('AGENT_NOT_FOUND', `No agent has this id or name: ${target}`, {
        recovery: { action: 'GET /api/agents?search= finds agents by parts of their names.' },
      });
    }
    if (named.length === 1) return ok(only);
    return refuse('PARAMETER_ERROR', `${named.length} agents bear the name "${target}"; name one by its id.`, {
      details: { agent_ids: named.slice(0, 20).map(({ agentId }) => agentId) },
    });
  }

  /** What PostgreSQL says, or `otherwise` when it is away or says nothing for `patienceMs`. */
  async #unlessAway<T, O>(work: Promise<T>, otherwise: O, patienceMs: number): Promise<T | O> {
    const { promise: over, resolve } = Promise.withResolvers<O>();
    const timer = this.#options.clock.after(patienceMs, () => resolve(otherwise));
    try {
      return await Promise.race([work, over]);
    } catch (error) {
      if (classifyError(error) !== 'connection') throw error;
      return otherwise;
    } finally {
      timer.cancel();
    }
  }

  /**
   * What PostgreSQL knows of needs; undefined while it is away. Several who ask within a second share one answer, and
   * while one is under way nobody begins another: they would pile up before a PostgreSQL that hangs.
   */
  #storedFacts(): Promise<Stored | undefined> {
    const now = this.#options.clock.monotonic();
    if (this.#facts === undefined || (!this.#facts.isUnderWay && now - this.#facts.at >= FACTS_MS)) {
      const asked = { at: now, facts: this.#readFacts(), isUnderWay: true };
      const end = (): void => void (asked.isUnderWay = false);
      asked.facts.then(end, end);
      this.#facts = asked;
    }
    return this.#unlessAway(this.#facts.facts, undefined, PATIENCE_MS);
  }

  async #readFacts(): Promise<Stored> {
    const { database, clock } = this.#options;
    const now = clock.now();
    const mayBe = this.#options.fleet.get(mayBeHeld);
    const paused = this.#options.fleet.items.flatMap(({ agentId, pause }, i) => {
      if (mayBe[i] !== true) return [];
      const pausedAt = pause === null ? Number.NaN : Date.parse(pause.paused_at);
      return Number.isNaN(pausedAt) || pause === null ? [] : [{ agentId, pausedAt, actuationId: pause.actuation_id }];
    });
    const [reviews, sagas, troubles, resumes, ends, successors] = await Promise.all([
      database.query<OpenReview>(sql.selectOpenReviews),
      database.query<StoredSaga>(sql.selectOpenSagas),
      database.query<Trouble>(sql.selectTroubles(now - DAY_MS)),
      database.query<StoredResume>(sql.selectFreeResumes(now - DAY_MS)),
      paused.length === 0
        ? []
        : database.query<{ agentId: string; at: number }>(sql.selectPreviousEnds(paused, AGAIN_WITHIN)),
      paused.length === 0 ? [] : database.query<Successors>(sql.countSuccessors(paused)),
    ]);
    return {
      reviews,
      troubles,
      successors,
      resumes,
      previousEnds: new Map(ends.map(({ agentId, at }) => [agentId, at])),
      deadLetters: sagas.flatMap(({ reviewId, ...saga }) =>
        saga.deadLetterAt === null ? [] : [{ ...saga, sessionId: reviewId }],
      ),
    };
  }
}
