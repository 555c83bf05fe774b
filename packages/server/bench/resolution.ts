import { randomUUID } from 'node:crypto';
import { testNode } from '../testing/node.ts';
import { Saga, type SagaPayload } from '../src/dialectic/index.ts';
import { createNotifier, openDatabase, startEmbedded } from '../src/postgres/index.ts';
import { systemClock, systemIds } from '../src/runtime/index.ts';

/** What it costs to carry out one agreed resolution, from its reservation to its commit; ms. */
export interface ResolutionCost {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

const RUNS = 300;
const WARM_UP = 30;

/** Resolves sessions one after another on the database of a stopped server. */
export const resolutionMs = async (dataDir: string): Promise<ResolutionCost> => {
  const server = await startEmbedded({ dataDir });
  const database = openDatabase({ target: server.target, onError: () => undefined });
  const node = await testNode(database);
  const notifier = createNotifier({ database, nodeId: randomUUID(), clock: systemClock, onError: () => undefined });
  const saga = new Saga({
    database,
    agents: node.agents,
    clock: systemClock,
    ids: systemIds,
    notifier,
    onDeadLetter: () => undefined,
  });
  const taken: number[] = [];
  for (let run = 0; run < RUNS + WARM_UP; run += 1) {
    const [paused, reviewer, sessionId] = [randomUUID(), randomUUID(), `bench-${run}`];
    await database.query({
      text: `WITH agent AS (INSERT INTO core.agents (id) VALUES ($1), ($2)),
               identity AS (INSERT INTO core.identities (agent_id, status, pause)
                 VALUES ($1, 'paused', '{"actuation_id":"a","paused_at":"2026-01-01T00:00:00.000Z","sub_action":"risk_pause",
                   "expires_at":"2099-01-01T00:00:00.000Z","reason":"bench","evidence":{}}'), ($2, 'active', NULL))
             INSERT INTO core.dialectic_sessions (session_id, paused_agent_id, reviewer_agent_id, phase)
             VALUES ($3, $1, $2, 'synthesis')`,
      values: [paused, reviewer, sessionId],
    });
    await node.agents.refresh([paused, reviewer]);
    const payload: SagaPayload = {
      resolution: {
        action: 'resume',
        conditions: ['Set complexity to 0.4'],
        rootCause: 'bench',
        reasoning: 'bench',
        timestamp: new Date().toISOString(),
        signatureA: '',
        signatureB: '',
        signatureVersion: 2,
      },
      resolutionHash: sessionId,
      conditions: [{ text: 'Set complexity to 0.4', kind: 'complexity_cap', limit: 0.4 }],
      synthesizer: null,
    };
    const started = performance.now();
    const parties = { sessionId, pausedAgentId: paused, reviewerAgentId: reviewer };
    const row = await database.transaction((tx) => saga.reserve(tx, parties, payload));
    if (row === undefined) throw new Error('nothing was reserved');
    const end = await saga.drive(row);
    if (end.kind !== 'committed') throw new Error(`the saga was ${end.kind}`);
    if (run >= WARM_UP) taken.push(performance.now() - started);
  }
  await node.stop();
  await notifier.stop();
  await database.close();
  await server.stop();
  const sorted = taken.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
};
