import { Agents } from '../src/agents/index.ts';
import { createBaselines, type Baselines } from '../src/baselines/index.ts';
import { CheckIns, DEFAULT_LOOP_LIMITS, memoryCodec } from '../src/checkin/index.ts';
import { Computation, Dialectic, ReviewDuties, Saga, type ClaimsReview } from '../src/dialectic/index.ts';
import { Feed } from '../src/feed/index.ts';
import { createFlags, type Flags } from '../src/flags/index.ts';
import { Calibration } from '../src/calibration/index.ts';
import { Bindings, Identity, type Mode } from '../src/identity/index.ts';
import type { Introduction } from '../src/identity/service.ts';
import { createKnowledge, type Knowledge } from '../src/knowledge/index.ts';
import { HarnessOutcomes, Outcomes } from '../src/outcomes/index.ts';
import { createNotifier, type Database } from '../src/postgres/index.ts';
import {
  idsFrom,
  seededRandom,
  systemClock,
  type Caller,
  type Clock,
  type Evidence,
  type Ids,
} from '../src/runtime/index.ts';

/** The features of one node over a database, without transports: as many nodes as a test wants. */
export interface TestNode {
  readonly clock: Clock;
  readonly agents: Agents;
  readonly baselines: Baselines;
  readonly outcomes: Outcomes;
  readonly harness: HarnessOutcomes;
  readonly calibration: Calibration;
  readonly checkIns: CheckIns;
  readonly identity: Identity;
  readonly bindings: Bindings;
  readonly flags: Flags;
  readonly saga: Saga;
  readonly dialectic: Dialectic;
  readonly duties: ReviewDuties;
  readonly feed: Feed;
  readonly knowledge: Knowledge;
  /** Sagas that were given up. */
  readonly deadLetters: string[];
  /** The honesty gates; a test may turn them. */
  readonly gates: { strict: Mode; pins: Mode };
  readonly reports: { readonly type: string; readonly agentId: string | undefined }[];
  readonly divergences: { readonly store: string; readonly key: string }[];
  readonly crashes: unknown[];
  stop(): Promise<void>;
}

export const PAUSE_MS = 72 * 3_600_000;
const PEER = '127.0.0.1|test';

/** Puts a node together the way the server does, and loads its live tables. */
export const testNode = async (
  database: Database,
  options: {
    clock?: Clock;
    ids?: Ids;
    nodeId?: string;
    listen?: boolean;
    loops?: boolean;
    residents?: readonly string[];
  } = {},
): Promise<TestNode> => {
  const clock = options.clock ?? systemClock;
  const ids = options.ids ?? idsFrom(seededRandom(Math.floor(Math.random() * 2 ** 31)));
  const divergences: { store: string; key: string }[] = [];
  const crashes: unknown[] = [];
  const notifier = createNotifier({
    database,
    nodeId: options.nodeId ?? ids.uuid(),
    clock: systemClock,
    onError: (error) => void crashes.push(error),
  });
  const baselines = createBaselines({
    database,
    notifier,
    onDivergence: (store, { key }) => void divergences.push({ store, key }),
  });
  const feed: Feed = new Feed({
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
    onCrash: (_, error) => void crashes.push(error),
    onForeignChange: (agentId) => baselines.refresh(agentId),
    onCredentialLost: (hash) => bindings.refresh([hash]),
    onPublished: feed.observe,
    mailboxCapacity: 1000,
  });
  const outcomes = new Outcomes({ database, agents, clock, ids, pauseMs: PAUSE_MS });
  const duties = new ReviewDuties({ database, notifier });
  const checkIns = new CheckIns({
    agents,
    reviewFor: duties.viewFor.bind(duties),
    baselines,
    outcomes,
    clock,
    ids,
    pauseMs: PAUSE_MS,
    loopLimits: options.loops === true ? DEFAULT_LOOP_LIMITS : { ...DEFAULT_LOOP_LIMITS, burst: Infinity },
  });
  const flags = createFlags({
    database,
    env: {},
    onDivergence: (store, { key }) => void divergences.push({ store, key }),
  });
  const gates: TestNode['gates'] = { strict: 'observe', pins: 'enforce' };
  const reports: { type: string; agentId: string | undefined }[] = [];
  const bindings = new Bindings({ database, clock, notifier });
  const identity = new Identity({
    database,
    agents,
    bindings,
    clock,
    ids,
    strictMode: () => gates.strict,
    pinMode: () => gates.pins,
    residents: options.residents ?? [],
    report: (type, _payload, agentId) => void reports.push({ type, agentId }),
  });
  const harness = new HarnessOutcomes({ outcomes, clock, operatorOf: (secret) => identity.operatorOf(secret) });
  const calibration = new Calibration({ database, clock });
  const deadLetters: string[] = [];
  const saga = new Saga({
    database,
    agents,
    clock,
    ids,
    notifier,
    onDeadLetter: ({ sagaId }) => void deadLetters.push(sagaId),
  });
  const dialectic = new Dialectic({
    database,
    claimsReview: () => flags.get('claims_review').value as ClaimsReview,
    duties,
    agents,
    saga,
    clock,
    random: () => 0,
    computation: new Computation({
      clock,
      random: () => 0,
      onFailure: ({ errorClass }) => void crashes.push(errorClass),
    }),
    secret: () => Buffer.alloc(32, 1),
    onCrash: (_, error) => void crashes.push(error),
  });
  const knowledge = createKnowledge({
    database,
    agents,
    clock,
    ids,
    secret: () => Buffer.alloc(32, 2),
    onCrash: (_, error) => void crashes.push(error),
  });
  if (options.listen === true) await notifier.start();
  await agents.load();
  await Promise.all([
    flags.load(),
    baselines.load(),
    identity.load(),
    saga.load(),
    outcomes.fleet.load(),
    duties.load(),
  ]);
  feed.open();
  return {
    clock,
    agents,
    baselines,
    outcomes,
    harness,
    calibration,
    checkIns,
    identity,
    bindings,
    flags,
    saga,
    dialectic,
    duties,
    feed,
    knowledge,
    deadLetters,
    gates,
    reports,
    divergences,
    crashes,
    stop: async () => {
      feed.stop();
      await knowledge.stop();
      await agents.stop();
      await notifier.stop();
    },
  };
};

/** A caller whose evidence proves nothing. */
const nobody: Caller = {
  agentId: undefined,
  assurance: 'none',
  source: 'none',
  origin: 'server_inferred',
  operator: undefined,
  warnings: [],
  principal: `peer:${PEER}`,
};

/** An introduction that says nothing. */
const stranger: Introduction = {
  name: null,
  purpose: null,
  modelType: undefined,
  clientHint: undefined,
  parentAgentId: null,
  spawnReason: null,
  threadId: null,
  process: undefined,
  metadata: {},
  agentUuid: undefined,
  claimedAgentId: undefined,
  resume: true,
  forceNew: false,
  reactivate: false,
};

/** Mints an agent; gives its id and secret. */
export const born = async (node: TestNode): Promise<{ agentId: string; evidence: Evidence }> => {
  const made = await node.identity.onboard(nobody, { peer: PEER }, stranger, node.clock.now() + 10_000);
  if (!made.ok) throw new Error('an agent is born with a secret');
  return { agentId: made.value.head.agentId, evidence: { peer: PEER, clientSessionId: made.value.secret } };
};
