import { join } from 'node:path';
import { openDatabase, startEmbedded, type Database } from '../src/postgres/index.ts';
import { seededRandom, type FaultPoint } from '../src/runtime/index.ts';
import { callTool } from '../testing/rest.ts';
import { NO_LIMITS, postmasterPid, spawnServer } from '../testing/server.ts';
import { drive, newCheckIn, sendCheckIn, sendOutcome } from './client.ts';
import { inspect, type Findings } from './invariants.ts';
import { emptyJournal, isKnown, tally, type Journal, type KnownAgent } from './journal.ts';
import { readSnapshot } from './snapshot.ts';

/** One crash: where, at which pass, and under what load. */
export interface RoundPlan {
  /** Begins the names of its agents; unique in a run. */
  readonly name: string;
  readonly point: FaultPoint;
  readonly pass: number;
  readonly seed: number;
  readonly clients: number;
}

/** What came of it. Counts are of calls: onboards, check-ins and outcomes. */
export interface RoundResult extends RoundPlan {
  readonly sent: number;
  readonly acknowledged: number;
  /** Calls without an answer that PostgreSQL held, whole, right after the crash. */
  readonly unacknowledgedFound: number;
  /** Calls that were repeated with their idempotency key. */
  readonly repeated: number;
  readonly stopMs: number;
  readonly violations: readonly string[];
}

/** How long a server may go on before its fault fires. */
const MOST_LOAD_MS = 20_000;
const MOST_STOP_MS = 5_000;
const ENVIRONMENT = { ...NO_LIMITS, BREAKWATER_LOG_LEVEL: 'error' };

/**
 * Crashes a server at one pass of one fault point and lets a second one take over its data directory. The record is held
 * against the clients' memory twice: right after the crash, over the PostgreSQL that the dead server left running, and
 * after the second server ended in order.
 */
export const runRound = async (plan: RoundPlan, dataDir: string): Promise<RoundResult> => {
  const journal = emptyJournal();
  const violations: string[] = [];
  await crash(plan, dataDir, journal, violations);
  const { sent, acknowledged } = tally(journal);

  const orphan = openDatabase({
    target: { socketDir: join(dataDir, 'run'), database: 'breakwater' },
    poolSize: 1,
    onError: () => undefined,
  });
  const afterCrash = await inspectAndClose(orphan, plan, journal);
  violations.push(...afterCrash.violations.map((said) => `after the crash: ${said}`));

  const { repeated, stopMs } = await recover(dataDir, journal, violations);
  const embedded = await startEmbedded({ dataDir });
  try {
    const database = openDatabase({ target: embedded.target, poolSize: 1, onError: () => undefined });
    const atLast = await inspectAndClose(database, plan, journal);
    violations.push(...atLast.violations);
  } finally {
    await embedded.stop();
  }
  violations.push(...journal.refused.map((said) => `an answer that nobody expected: ${said}`));
  const { unacknowledgedFound } = afterCrash;
  return { ...plan, sent, acknowledged, unacknowledgedFound, repeated, stopMs, violations };
};

const inspectAndClose = async (database: Database, { name }: RoundPlan, journal: Journal): Promise<Findings> => {
  try {
    return inspect(journal, await readSnapshot(database, name));
  } finally {
    await database.close();
  }
};

const crash = async (plan: RoundPlan, dataDir: string, journal: Journal, violations: string[]): Promise<void> => {
  const { name, point, pass, seed, clients } = plan;
  const server = spawnServer(dataDir, { env: { ...ENVIRONMENT, BREAKWATER_FAULT: `${point}:${pass}` } });
  const url = await server.ready();
  const tooLong = setTimeout(() => {
    violations.push(`${point}:${pass} did not fire within ${MOST_LOAD_MS} ms`);
    server.signal('SIGKILL');
  }, MOST_LOAD_MS);
  await drive({ url, name, clients, journal, randomOf: (client) => seededRandom(seed * 1009 + client) });
  const { code, signal } = await server.exited;
  clearTimeout(tooLong);
  if (signal !== 'SIGKILL') violations.push(`the server ended with ${code ?? signal}, not by its fault`);
};

/** A second server: repeats, one more check-in per agent, and an end in order. */
const recover = async (
  dataDir: string,
  journal: Journal,
  violations: string[],
): Promise<{ repeated: number; stopMs: number }> => {
  const orphan = postmasterPid(dataDir);
  if (orphan === undefined) violations.push('PostgreSQL ended with the server');
  const server = spawnServer(dataDir, { env: ENVIRONMENT });
  const url = await server.ready();
  if (postmasterPid(dataDir) !== orphan) violations.push('the running PostgreSQL was not adopted');
  let repeated = 0;
  const work = async (agent: KnownAgent): Promise<void> => {
    const { result } = await callTool(url, 'identity', { client_session_id: agent.answer.secret });
    if (result['uuid'] !== agent.answer.agentId) violations.push(`${agent.mark}: its session does not resolve`);
    for (const checkIn of agent.checkIns) {
      if (checkIn.answer !== undefined || checkIn.idempotencyKey === undefined) continue;
      repeated += 1;
      if (!(await sendCheckIn(url, agent, checkIn, journal))) violations.push(`${checkIn.mark}: its repeat failed`);
    }
    for (const outcome of agent.outcomes) {
      if (outcome.answer !== undefined || outcome.idempotencyKey === undefined) continue;
      repeated += 1;
      if (!(await sendOutcome(url, agent, outcome, journal))) violations.push(`${outcome.mark}: its repeat failed`);
    }
    const last = newCheckIn(agent, false);
    if (!(await sendCheckIn(url, agent, last, journal))) violations.push(`${last.mark}: the agent cannot go on`);
  };
  await Promise.all(journal.agents.filter(isKnown).map(work));
  const { code, signal, ms } = await server.stop();
  if (code !== 0) violations.push(`the second server ended with ${code ?? signal}: ${server.stderr().slice(0, 500)}`);
  if (ms > MOST_STOP_MS) violations.push(`the second server took ${Math.round(ms)} ms to stop`);
  if (postmasterPid(dataDir) !== undefined) violations.push('PostgreSQL outlived an orderly stop');
  return { repeated, stopMs: ms };
};
