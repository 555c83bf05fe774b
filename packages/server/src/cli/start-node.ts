import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { ALIASES, FAILURE_EVENTS, MEASUREMENT_EVENTS, VERSION } from '@breakwater/contract';
import { pino } from 'pino';
import { Agents, anchorChains, deleteOldStates, expiredPauses, pruneWorkingData } from '../agents/index.ts';
import { createBaselines } from '../baselines/index.ts';
import {
  createChannel,
  divergencePayload,
  embeddedEndedPayload,
  rateBreachJob,
  requestPayload,
  storageFailure,
  unavailablePayload,
} from '../channel/index.ts';
import { Calibration, calibrationDiagram, calibrationTools } from '../calibration/index.ts';
import { CheckIns, checkInTools, DEFAULT_LOOP_LIMITS, memoryCodec } from '../checkin/index.ts';
import {
  computeAnswerPayload,
  computeFailurePayload,
  countOpenWork,
  createComputations,
  Dialectic,
  dialecticTools,
  ReviewDuties,
  Saga,
  type ClaimsReview,
  sagaTools,
} from '../dialectic/index.ts';
import { Dispatcher, Limits } from '../dispatch/index.ts';
import { fleetTools, Notices, noticeTools } from '../notices/index.ts';
import { createFleetTally, Feed } from '../feed/index.ts';
import { createFlags } from '../flags/index.ts';
import { flagTools } from '../flags/tools.ts';
import { Bindings, Identity, LineageSweep, serverSecret, type Mode } from '../identity/index.ts';
import { identityTools, operatorTools } from '../identity/tools.ts';
import { createKnowledge, knowledgeTools, lifecycleJob } from '../knowledge/index.ts';
import { createActivity, createLastMinute, Overview } from '../overview/index.ts';
import { Lifecycle } from '../lifecycle/index.ts';
import { lifecycleTools } from '../lifecycle/tools.ts';
import { FLEET_REFRESH_MS, HarnessOutcomes, Outcomes, outcomeTools, settleClaims } from '../outcomes/index.ts';
import {
  checkAddress,
  createNotifier,
  createTryLock,
  createWriteProbe,
  EmbeddedKeeper,
  ensurePartitions,
  migrate,
  openDatabase,
  partitionJob,
  retentionJob,
  retentionWatch,
  startEmbedded,
  tracedDatabase,
  WriteWatch,
  type ConnectionTarget,
  type KeeperNews,
  type RetentionNews,
  type RetentionOptions,
  type StartupError,
  type TableRetention,
} from '../postgres/index.ts';
import {
  LoopMonitor,
  Readiness,
  RECONCILE_MS,
  reconcileJob,
  Supervisor,
  systemClock,
  systemIds,
  Ticker,
  type Evidence,
} from '../runtime/index.ts';
import {
  boundedReading,
  createHttpServer,
  createMetrics,
  createPeerAttestor,
  serverTools,
  startTracing,
} from '../serve/index.ts';
import { createSignIn } from './console.ts';
import { dataDirOf } from './data-dir.ts';
import { reachableUrl } from './server-url.ts';
import type { Config } from './settings.ts';

const errorName = (error: unknown): string => (error instanceof Error ? error.name : typeof error);

/**
 * What a log says of an error. A driver's errors carry their whole connection, and PostgreSQL's the row or the key that broke
 * a rule, with whatever an agent wrote: those are no business of a log. Names of tables and constraints are.
 */
const errorFacts = (error: unknown): unknown => {
  if (!(error instanceof Error)) return error;
  const { code, table, column, constraint } = error as Partial<
    Record<'code' | 'table' | 'column' | 'constraint', unknown>
  >;
  return {
    type: error.name,
    message: error.message,
    ...(code !== undefined && { code }),
    ...(table !== undefined && { table }),
    ...(column !== undefined && { column }),
    ...(constraint !== undefined && { constraint }),
    stack: error.stack,
    ...(error.cause !== undefined && { cause: errorFacts(error.cause) }),
  };
};

/** A running node. */
export interface RunningNode {
  /** By which this machine reaches it. */
  readonly url: string;
  /** Where the embedded PostgreSQL keeps its data; undefined with a database of the operator's own. */
  readonly embeddedIn: string | undefined;
  /** Milliseconds from the call of {@link startNode} until dispatch opened. */
  readonly readyMs: number;
  /** Makes a link that signs its reader in to the console. */
  signIn(): ReturnType<typeof createSignIn>;
  /** Resolves, should it ever, with why the node cannot go on; it is to be stopped then. */
  readonly failed: Promise<StartupError>;
  /** Drains and stops everything that was started; idempotent. */
  stop(): Promise<void>;
}

const EXPIRY_MS = 60_000;
const EXPIRY_FIRST_MS = 1_000;
const PRUNE_MS = 3_600_000;
const BINDINGS_MS = 60_000;
const LINEAGE_MS = 1_800_000;
const SAGA_MS = 5_000;
const DIALECTIC_MS = 600_000;
const PROBE_MS = 1_000;
const WRITE_PROBE_MS = 5_000;
const LOOP_CHECK_MS = 1_000;
const LOOP_DELAY_LIMIT_MS = 500;
const DRAIN_MS = 3_500;
/** All parts together stop within this time, and a PostgreSQL of our own after it. */
const STOP_MS = 4_500;
const SILENCE_MS = 60_000;
/** How long the link of a start signs in. */
const SIGN_IN_HOURS = 12;
/** How long a scrape of the metrics waits for PostgreSQL. */
const SCRAPE_MS = 1_000;
const INSTRUCTIONS =
  'Call start_session once and keep client_session_id. Call sync_state after each piece of work with your confidence in ' +
  'it; when its result is known, call record_result with the prediction_id and the evidence. Stop when you are paused.';

/**
 * Puts a node together and starts it, floor by floor: the port first, so that a taken one is found out before anything
 * else is touched; then PostgreSQL, the schema, the live tables; dispatch opens when all of them are warm (W3-10.05).
 *
 * Rejects with the error of the part that could not start, or when `giveUp` is aborted before all have; by then every
 * part is stopped.
 */
export const startNode = async (
  config: Config,
  env: Readonly<Record<string, string | undefined>> = process.env,
  giveUp?: AbortSignal,
): Promise<RunningNode> => {
  const clock = systemClock;
  const ids = systemIds;
  const startedAt = clock.monotonic();
  const bornAt = clock.now();
  const nodeId = randomUUID();
  const nodeName = `breakwater ${hostname().slice(0, 40)} ${nodeId.slice(0, 8)}`;
  const log = pino(
    { level: config.logLevel, base: { node: nodeId.slice(0, 8) }, serializers: { err: errorFacts } },
    pino.destination({ fd: 2, sync: false }),
  );
  let stopping = false;
  const supervisor = new Supervisor({
    clock,
    stopMs: STOP_MS,
    onError: (part, error) => log.error({ err: error, part }, 'a part did not stop cleanly'),
  });
  const readiness = new Readiness(() => clock.now());
  for (const part of ['postgres', 'flags', 'baselines', 'agents', 'bindings', 'sagas', 'reviews'])
    readiness.expect(part);

  // PostgreSQL starts after the port is taken, but everything above it is put together before.
  let embedded: Awaited<ReturnType<typeof startEmbedded>> | undefined;
  let target: ConnectionTarget | undefined = config.databaseUrl === undefined ? undefined : { url: config.databaseUrl };
  const opened = openDatabase({
    target: () => {
      if (target === undefined) throw new Error('PostgreSQL is not started yet');
      return target;
    },
    direct: config.directUrl === undefined ? undefined : { url: config.directUrl },
    name: nodeName,
    // The pool's last connections may see our own PostgreSQL go; that is no news.
    onError: (error) => stopping || log.warn({ err: error }, 'a connection to PostgreSQL was lost'),
    onFailedStatement: (error) => {
      if (!writeWatch.heard(error, clock.now())) return;
      log.error({ err: error, reason: writeWatch.problem?.reason }, 'PostgreSQL keeps no writes');
      channel.fail(FAILURE_EVENTS.storageUnavailable, storageFailure(error).payload);
    },
  });
  const writeWatch = new WriteWatch();
  const tracing =
    config.otlpEndpoint === undefined
      ? undefined
      : await startTracing({
          endpoint: config.otlpEndpoint,
          ratio: config.traceRatio,
          version: VERSION,
          instanceId: nodeId,
          clock,
          onError: (error) => log.warn({ err: error }, 'traces do not reach their collector'),
        });
  const database = tracing === undefined ? opened : tracedDatabase(opened);

  let migrated = false;
  const channel = createChannel({
    database,
    clock,
    ids,
    context: { service_pid: process.pid, running_since: new Date(clock.now()).toISOString(), host: hostname() },
    // The port answers before there is a table: its 503s wait for one.
    isOpen: () => migrated,
    onError: (error) => log.warn({ err: error }, 'failures and measurements wait for PostgreSQL'),
  });
  const notifier = createNotifier({
    database,
    nodeId,
    clock,
    onError: (error) => log.warn({ err: error }, 'a change of another node could not be taken over'),
  });
  const diverged = (store: string, { key, live, stored }: { key: string; live: unknown; stored: unknown }) => {
    log.warn({ store, key }, 'memory differed from PostgreSQL; PostgreSQL won');
    channel.fail(FAILURE_EVENTS.etsPgDivergence, divergencePayload(store, key, live, stored));
  };

  const metrics = createMetrics();
  const flags = createFlags({ database, env, notifier, onDivergence: diverged });
  const baselines = createBaselines({ database, notifier, onDivergence: diverged });
  const tally = createFleetTally();
  const activity = createActivity(clock.now());
  const feed = new Feed({
    database,
    clock,
    agents: () => agents.table,
    isStable: (agentId) => saga.isStable(agentId),
  });
  const agents = new Agents({
    database,
    codec: memoryCodec,
    clock,
    ids,
    notifier,
    onCrash: (agentId, error) => {
      log.error({ err: error, agent_id: agentId }, 'a call of an agent crashed');
      channel.fail(FAILURE_EVENTS.handlerCrashed, { error: errorName(error) }, agentId);
    },
    onForeignChange: (agentId) => baselines.refresh(agentId),
    onCredentialLost: (hash) => bindings.refresh([hash]),
    onFlush: ({ items, ms, ok }) => metrics.commit({ items, ok, seconds: ms / 1000 }),
    onPublished: (after, before, commit) => {
      if (commit !== undefined) {
        const verdict = tally.observe(commit);
        if (verdict !== undefined) activity.observe(verdict, clock.now());
      }
      feed.observe(after, before, commit);
    },
  });
  const bindings = new Bindings({ database, clock, notifier });
  const identity = new Identity({
    database,
    agents,
    bindings,
    clock,
    ids,
    strictMode: () => flags.get('identity_strict_mode').value as Mode,
    pinMode: () => flags.get('ipua_pin_check_mode').value as Mode,
    residents: config.residents,
    report: (type, payload, agentId) => channel.fail(type, payload, agentId),
  });
  const lifecycle = new Lifecycle({ agents, database, clock, ids, settleClaims });
  const lineage = new LineageSweep({ agents, baselines, clock, ids });
  const pauseMs = config.pauseHours * 3_600_000;
  const outcomes = new Outcomes({ database, agents, clock, ids, pauseMs });
  const harness = new HarnessOutcomes({ outcomes, clock, operatorOf: (secret) => identity.operatorOf(secret) });
  const calibration = new Calibration({ database, clock });
  const duties = new ReviewDuties({ database, notifier });
  const reviewFor = duties.viewFor.bind(duties);
  const checkIns = new CheckIns({
    agents,
    reviewFor,
    baselines,
    outcomes,
    clock,
    ids,
    pauseMs,
    loopLimits: {
      ...DEFAULT_LOOP_LIMITS,
      burst: config.loopUpdatesPerMinute === 0 ? Number.POSITIVE_INFINITY : config.loopUpdatesPerMinute,
    },
  });
  const saga = new Saga({
    database,
    agents,
    clock,
    ids,
    notifier,
    onDeadLetter: ({ sagaId, sessionId, error }) => {
      log.error(
        { saga_id: sagaId, session_id: sessionId, reason: error },
        'a resolution was given up; see docs/resolution.md',
      );
      channel.fail(FAILURE_EVENTS.handlerCrashed, { saga_id: sagaId, session_id: sessionId, error });
    },
  });
  const computations = createComputations({
    clock,
    random: Math.random,
    ids,
    where: config.compute,
    token: config.computeToken,
    onFailure: (failure) => {
      const payload = computeFailurePayload(failure);
      log.warn(payload, 'a computation failed');
      channel.fail(FAILURE_EVENTS.beamToPythonRequestFailed, payload);
    },
    onAnswer: (answer) => channel.measure(MEASUREMENT_EVENTS.boundaryRequest, computeAnswerPayload(answer)),
  });
  let resolutionSecret: Uint8Array | undefined;
  const dialectic = new Dialectic({
    database,
    claimsReview: () => flags.get('claims_review').value as ClaimsReview,
    duties,
    agents,
    saga,
    clock,
    random: Math.random,
    computation: computations.sessions,
    secret: () => {
      if (resolutionSecret === undefined) throw new Error('the secret of resolutions is not loaded yet');
      return resolutionSecret;
    },
    onCrash: (sessionId, error) => log.error({ err: error, session_id: sessionId }, 'a call about a review crashed'),
  });
  let knowledgeSecret: Uint8Array | undefined;
  const knowledge = createKnowledge({
    database,
    agents,
    clock,
    ids,
    secret: () => {
      if (knowledgeSecret === undefined) throw new Error('the secret of writers is not loaded yet');
      return knowledgeSecret;
    },
    onCrash: (writer, error) => log.error({ err: error, writer }, 'a call about knowledge crashed'),
  });
  const isStable = saga.isStable.bind(saga);
  const loopMonitor = new LoopMonitor({
    clock,
    everyMs: LOOP_CHECK_MS,
    limitMs: LOOP_DELAY_LIMIT_MS,
    onDelay: (delay) => channel.fail(FAILURE_EVENTS.eventLoopDelay, { max_ms: delay.maxMs, p99_ms: delay.p99Ms }),
  });

  const findAgent = agents.find.bind(agents);
  const holdOf = agents.holdOf.bind(agents);
  const sessionKeyOf = identity.sessionKeyOf.bind(identity);
  const notices = new Notices({ database, clock, ids });
  const heads = () => lifecycle.heads();
  // Who lifts the limit on calls, as a load test does, means all of them.
  const under = (of: { perMinute: number; perHour: number }) => ({
    perMinute: config.callsPerMinute === 0 ? 0 : of.perMinute,
    perHour: config.callsPerHour === 0 ? 0 : of.perHour,
  });
  const starts = under({ perMinute: config.startsPerMinute, perHour: config.startsPerHour });
  const limits = new Limits(
    {
      writes: { perMinute: config.callsPerMinute, perHour: config.callsPerHour },
      reads: under({ perMinute: config.readsPerMinute, perHour: config.readsPerHour }),
      starts,
      sessions: starts,
    },
    clock,
  );
  const freshCaller = async (evidence: Evidence) => {
    const [caller] = await Promise.all([identity.resolveFresh(evidence), flags.refresh()]);
    return caller;
  };
  const dispatcher = new Dispatcher({
    tools: [
      ...identityTools({ identity, findAgent, holdOf, isStable }),
      ...lifecycleTools(lifecycle, isStable),
      ...dialecticTools(dialectic, agents, isStable),
      ...checkInTools({ checkIns, sessionKeyOf, findAgent, holdOf, isStable, reviewFor }),
      ...outcomeTools(outcomes, sessionKeyOf),
      ...calibrationTools(calibration),
      ...knowledgeTools({
        ...knowledge,
        sessionKeyOf,
        refusedWrite: (caller, tool) => identity.refusedWrite(caller, tool),
      }),
      ...flagTools(flags),
      ...sagaTools({ database, clock, ids }),
      ...operatorTools({ database, clock }),
      ...noticeTools(notices, heads, config.residents),
      ...fleetTools({
        heads,
        find: (target) => lifecycle.find(target),
        pauseHours: config.pauseHours,
        updatesPerMinute: config.loopUpdatesPerMinute,
      }),
      ...serverTools({
        version: VERSION,
        clock,
        readiness,
        writeProblem: () => writeWatch.problem,
        loopDelayMs: () => loopMonitor.last.maxMs,
        counts: () => ({ agents: agents.table.size, sessions: bindings.size }),
        embeddedDatabase: config.databaseUrl === undefined,
      }),
    ],
    aliases: ALIASES,
    resolveCaller: (evidence, fresh) => (fresh === undefined ? identity.resolve(evidence) : freshCaller(evidence)),
    refusedWrite: (caller, tool) => identity.refusedWrite(caller, tool),
    readiness,
    clock,
    ids,
    limits,
    checksAnswers: config.checkAnswers === 'on',
    onUnexpected: ({ incidentId, requestId, tool, error }) => {
      log.error({ err: error, incident_id: incidentId, request_id: requestId, tool }, 'a tool failed');
      channel.fail(FAILURE_EVENTS.handlerCrashed, {
        incident_id: incidentId,
        tool_name: tool,
        error: errorName(error),
      });
    },
    onTimeout: ({ incidentId, requestId, tool, step, timeoutMs, elapsedMs, agentId }) => {
      log.warn(
        { incident_id: incidentId, request_id: requestId, tool, step, timeout_ms: timeoutMs },
        'a tool passed its deadline',
      );
      const type = step === 'identity' ? FAILURE_EVENTS.identityTimeout : FAILURE_EVENTS.toolTimeout;
      const seconds = { timeout_s: timeoutMs / 1000, elapsed_s: elapsedMs / 1000 };
      channel.fail(type, { incident_id: incidentId, tool_name: tool, ...seconds }, agentId);
    },
    onExpired: ({ incidentId, tool, agentId }) =>
      channel.fail(FAILURE_EVENTS.expiredInQueue, { incident_id: incidentId, task: tool }, agentId),
    observe: (measure) => channel.measure(MEASUREMENT_EVENTS.request, requestPayload(measure), measure.agentId),
  });

  let auditTables: readonly TableRetention[] = [];
  const lastMinute = createLastMinute(clock);
  const liveTables = {
    agents: () => agents.table.size,
    baselines: () => baselines.table.size,
    flags: () => flags.table.size,
    bindings: () => bindings.size,
    saga_reservations: () => saga.table.size,
    review_duties: () => duties.size,
  };
  const overview = new Overview({
    database,
    clock,
    agents: agents.table,
    fleet: agents.fleet,
    named: (name) => agents.named(name),
    isStable,
    flags,
    calibration,
    activity,
    node: {
      version: VERSION,
      nodeId,
      host: hostname(),
      applicationName: nodeName,
      startedAt: bornAt,
      embeddedDatabase: config.databaseUrl === undefined,
      ready: () => readiness.ready,
      parts: () => readiness.parts(),
      liveTables: () => Object.entries(liveTables).map(([name, size]) => ({ name, rows: size() })),
      mailboxes: () => [{ name: 'agents', loaded: agents.sizes.keys, waiting: agents.sizes.waiting }],
      loopDelay: () => loopMonitor.last,
      channel: () => ({ failures: channel.counters, measurements: channel.measurementCounters }),
      auditTables: () => auditTables,
      requests: () => lastMinute.read(),
    },
  });

  const attestor = config.socket === undefined ? undefined : await createPeerAttestor();
  const http = createHttpServer({
    checksAnswers: config.checkAnswers === 'on',
    dispatcher,
    limits,
    sessions: {
      create: () => identity.createMcpSession(),
      known: (id) => identity.mcpSessionKnown(id),
      revoke: (id) => identity.revokeMcpSession(id),
    },
    readiness,
    writeProblem: () => writeWatch.problem,
    readFlag: (key) => {
      const reading = flags.read(key);
      return reading.ok ? { ok: true, value: reading.value.value } : reading;
    },
    readBaseline: (key) => baselines.table.read(key),
    compute: (call) => computations.route.run(call),
    recordExternalOutcome: (secret, body) => harness.record(secret, body),
    calibrationDiagram: calibrationDiagram(calibration),
    feed,
    metrics,
    tracing,
    onUnavailable: (facts) => channel.measure(MEASUREMENT_EVENTS.unavailable, unavailablePayload(facts)),
    tokens: config.tokens,
    operatorOf: (secret) => identity.operatorOf(secret),
    overview,
    node: { version: VERSION, node: nodeName, started_at: new Date(bornAt).toISOString() },
    attestor,
    allowedHosts: config.allowedHosts,
    allowedOrigins: config.allowedOrigins,
    server: { name: 'breakwater', version: VERSION },
    instructions: INSTRUCTIONS,
    clock,
    ids,
    log,
  });
  metrics.watch({
    mailboxes: { agents: () => agents.sizes },
    liveTables,
    readiness: () => readiness.parts(),
    channel: () => ({ failures: channel.counters, measurements: channel.measurementCounters }),
    commitQueue: () => agents.sizes.uncommitted,
    loopDelay: () => loopMonitor.last,
    auditTables: () => auditTables,
    fleet: {
      agents: agents.table,
      tally,
      feedEvents: () => feed.counts,
      openWork: boundedReading(() => countOpenWork(database), clock, SCRAPE_MS),
      spans: tracing?.counts,
    },
  });

  const retention = {
    database,
    clock,
    keep: new Map([['events', anchorChains]]),
    onLook: (tables) => void (auditTables = tables),
    onWarning: ({ table, partitions, what }) => log.warn({ table, partitions }, `an audit table ${what}`),
    onDropped: ({ table, partition: { name, rows, bytes } }) =>
      log.info({ table, partition: name, rows, bytes }, 'a partition was dropped, its time was over'),
  } satisfies RetentionNews & RetentionOptions;
  const locks = createTryLock(database);
  const ticker = new Ticker({
    clock,
    tryLock: locks.tryLock,
    onError: (job, error) => log.error({ err: error, job }, 'a job failed; it is tried again at its next turn'),
  });
  ticker.add(partitionJob(database, () => clock.now()));
  ticker.add(retentionJob(retention));
  ticker.add(retentionWatch(retention));
  ticker.add({
    name: 'agents.delete_old_states',
    everyMs: PRUNE_MS,
    singleton: true,
    run: async (stopping) => void (await deleteOldStates(database, clock.now(), { stopping })),
  });
  ticker.add(rateBreachJob({ database, clock, channel, onCounted: (counts) => lastMinute.hear(counts) }));
  ticker.add(reconcileJob('flags', flags));
  ticker.add(reconcileJob('baselines', baselines));
  ticker.add({
    name: 'checkin.expire_pauses',
    everyMs: EXPIRY_MS,
    // Pauses that ended while no server ran.
    firstMs: EXPIRY_FIRST_MS,
    singleton: true,
    run: async () => {
      for (const agentId of expiredPauses(agents.table, clock.now())) {
        await checkIns.expirePauseOf(agentId, clock.now() + EXPIRY_MS);
      }
    },
  });
  ticker.add({
    name: 'agents.prune',
    everyMs: PRUNE_MS,
    singleton: true,
    run: async () => {
      for (const statement of pruneWorkingData(clock.now())) await database.query(statement);
      await bindings.prune();
      await notices.prune();
    },
  });
  ticker.add({
    name: 'outcomes.fleet',
    everyMs: FLEET_REFRESH_MS,
    singleton: false,
    run: () => outcomes.fleet.refresh(),
  });
  ticker.add({
    name: 'bindings.reconcile',
    everyMs: BINDINGS_MS,
    singleton: false,
    run: () => bindings.reconcile(),
  });
  ticker.add({
    name: 'identity.evaluate_lineage',
    everyMs: LINEAGE_MS,
    singleton: true,
    run: async () => void (await lineage.run()),
  });
  ticker.add({
    name: 'dialectic.recover',
    everyMs: SAGA_MS,
    singleton: false,
    run: async () => {
      await saga.recover();
      await dialectic.driveAgreed(clock.now() + SAGA_MS);
      await saga.deliver();
    },
  });
  ticker.add({
    name: 'dialectic.sweep',
    everyMs: DIALECTIC_MS,
    singleton: true,
    run: async () => void (await dialectic.sweep(clock.now() + DIALECTIC_MS)),
  });
  ticker.add({ name: 'dialectic.duties', everyMs: RECONCILE_MS, singleton: false, run: () => duties.load() });
  ticker.add(lifecycleJob(knowledge.tending));
  ticker.add({ name: 'feed.silence', everyMs: SILENCE_MS, singleton: false, run: async () => feed.watchSilence() });
  // Readiness follows PostgreSQL: while nothing can be written, callers get the 503 contract at once instead of waiting.
  const writeProblem = createWriteProbe(database, clock, () => agents.stalledMs);
  ticker.add({
    name: 'postgres.probe',
    everyMs: PROBE_MS,
    singleton: false,
    run: async () => {
      const problem = await writeProblem();
      if (problem !== undefined && readiness.parts()['postgres'] === true) {
        log.error({ err: problem.error, why: problem.why }, 'PostgreSQL takes no writes');
        const { type, payload } = storageFailure(problem.error);
        channel.fail(type, payload);
      }
      readiness.report('postgres', problem === undefined, problem?.why);
    },
  });
  ticker.add({
    name: 'postgres.write_probe',
    everyMs: WRITE_PROBE_MS,
    singleton: false,
    run: async () => {
      if (await writeWatch.look(database)) log.warn('PostgreSQL keeps writes again');
    },
  });
  const failure = Promise.withResolvers<StartupError>();
  const onKeeperNews = (news: KeeperNews) => {
    const payload = embeddedEndedPayload(news);
    if (news.what === 'restarted') {
      log.warn(payload, 'the embedded PostgreSQL runs again');
      return;
    }
    log.error(
      payload,
      news.what === 'ended'
        ? 'the embedded PostgreSQL ended; it is started again'
        : 'the embedded PostgreSQL was given up',
    );
    channel.fail(FAILURE_EVENTS.storageUnavailable, payload);
  };
  let keeper: EmbeddedKeeper | undefined;
  ticker.add({
    name: 'postgres.keep',
    everyMs: PROBE_MS,
    singleton: false,
    run: async (stopping) => keeper?.look(stopping),
  });

  let url = '';
  const startParts = async (): Promise<void> => {
    if (tracing !== undefined) await supervisor.start({ name: 'traces', stop: () => tracing.stop() });
    await supervisor.start({
      name: 'http',
      start: async () => {
        url = reachableUrl(await http.listen({ host: config.host, port: config.port }));
      },
      stop: () => http.close({ graceMs: DRAIN_MS }),
    });
    // After the part that closes both, so that a socket that cannot be opened leaves no port behind.
    if (config.socket !== undefined) await http.listenUnix(config.socket);
    if (target === undefined) {
      await supervisor.start({
        name: 'embedded postgres',
        // It would run on without a server, on the data directory that the next start wants.
        essential: true,
        start: async () => {
          embedded = await startEmbedded({ dataDir: dataDirOf(config) });
          target = embedded.target;
          keeper = new EmbeddedKeeper({
            server: embedded,
            clock,
            onNews: onKeeperNews,
            onGiveUp: failure.resolve,
          });
        },
        stop: () => embedded?.stop(),
      });
    }
    await supervisor.start({
      name: 'schema',
      start: async () => {
        if (config.databaseUrl !== undefined) await checkAddress(config.databaseUrl, config.directUrl);
        await migrate(database);
        await ensurePartitions(database, clock.now());
        migrated = true;
        readiness.report('postgres', true);
      },
      stop: () => database.close(),
    });
    await supervisor.start({ name: 'notifier', start: () => notifier.start(), stop: () => notifier.stop() });
    await supervisor.start({ name: 'channel', stop: () => channel.stop() });
    await supervisor.start({
      name: 'live tables',
      start: async () => {
        const load = async (part: string, work: Promise<void>) => {
          await work;
          readiness.report(part, true);
        };
        await Promise.all([
          load('flags', flags.load()),
          // A baseline must not be older than its agent's head.
          load('agents', agents.load()).then(() => load('baselines', baselines.load())),
          outcomes.fleet.load(),
          load('bindings', identity.load()),
          load('sagas', saga.load()),
          load('reviews', duties.load()),
          serverSecret(database, ids, 'resolution').then((secret) => (resolutionSecret = secret)),
          serverSecret(database, ids, 'knowledge').then((secret) => (knowledgeSecret = secret)),
        ]);
      },
    });
    await supervisor.start({ name: 'feed', start: async () => feed.open(), stop: async () => feed.stop() });
    await supervisor.start({ name: 'bindings', stop: () => bindings.renew() });
    await supervisor.start({ name: 'agents', stop: () => agents.stop() });
    // What a server left half-way when it died is carried out before anybody asks; one that still runs is let be.
    await supervisor.start({
      name: 'dialectic',
      start: async () => void (await saga.recover()),
      stop: () => dialectic.stop(),
    });
    await supervisor.start({ name: 'event loop', start: () => loopMonitor.start(), stop: () => loopMonitor.stop() });
    await supervisor.start({ name: 'locks', stop: () => locks.close() });
    await supervisor.start({ name: 'ticker', start: () => ticker.start(), stop: () => ticker.stop() });
    // Before the ticker, which waits for the end of what runs: a run of the lifecycle ends after its batch.
    await supervisor.start({ name: 'knowledge', stop: () => knowledge.stop() });
    // Started last in name, so that it stops first: what is in flight still finds everything below it running.
    await supervisor.start({ name: 'http drain', stop: () => http.close({ graceMs: DRAIN_MS }) });
  };
  const stop = (): Promise<void> => {
    stopping = true;
    return supervisor.stop();
  };
  const abandon = () => void stop();
  giveUp?.addEventListener('abort', abandon, { once: true });
  try {
    await startParts();
  } catch (error) {
    await stop();
    throw error;
  } finally {
    giveUp?.removeEventListener('abort', abandon);
  }

  return {
    url,
    embeddedIn: embedded?.dataDir,
    readyMs: clock.monotonic() - startedAt,
    failed: failure.promise,
    signIn: () => createSignIn(database, { url, hours: SIGN_IN_HOURS, canAct: true }),
    stop,
  };
};
