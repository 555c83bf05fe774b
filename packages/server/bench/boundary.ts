import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { authority } from '../src/dialectic/rules/authority.ts';
import { canonicalPayload, resolutionHash } from '../src/dialectic/rules/canonical.ts';
import { unsafeReason } from '../src/dialectic/rules/hard-limits.ts';
import { mergeOffers } from '../src/dialectic/rules/merge.ts';
import { selectReviewer } from '../src/dialectic/rules/selection.ts';
import { similarity } from '../src/dialectic/rules/similarity.ts';

/** What a function costs where it is called, and what it would cost to have it computed elsewhere (W3-5.08). */
interface BoundaryCost {
  readonly name: string;
  /** The function itself. */
  readonly 'own µs': number;
  /** There and back to a thread, as structured clones, without the function. */
  readonly 'thread µs': number;
  /** Input and result to JSON and back. */
  readonly 'json µs': number;
  /** The same over HTTP to another thread of this machine: the least that a remote costs. */
  readonly 'http µs': number;
  /** A function moves when it costs {@link WORTH} crossings or more. */
  readonly placement: 'in process' | 'elsewhere';
}

const ROUNDS = 5;
/** Moving a function adds a crossing to every answer; from here on that is a tenth of the answer's time at most. */
const WORTH = 10;
const NOW = Date.UTC(2026, 0, 1);

const conditions = (side: string) => [
  'Reduce complexity to 0.3 for the next five tasks',
  'Report progress to the operator after every task',
  `Run the whole test suite before ${side} claims that it passes`,
  `Ask for a second opinion before ${side} changes a migration`,
  'Keep the risk threshold at 0.5',
];
const offer = (agentId: string) => ({
  agentId,
  conditions: conditions(agentId),
  rootCause: `The test runner was broken and ${agentId} did not notice`,
  reasoning: 'Three claims in a row disagreed with what the tests said. '.repeat(6),
});
const offers = [offer('agent-a'), offer('agent-b')] as const;
const record = (['thesis', 'antithesis', 'synthesis'] as const).map((type) => ({ ...offer('agent-a'), type }));
const standing = (i: number) => ({
  agentId: `agent-${i}-${'0'.repeat(24)}`,
  label: `agent ${i}`,
  status: 'active' as const,
  risk: (i % 10) / 10,
  reviews: i % 7,
  successfulReviews: i % 5,
  tags: ['typescript', 'postgres', `team-${i % 4}`],
  lastUpdateAt: NOW - i * 1000,
});
const resolution = {
  action: 'resume' as const,
  conditions: conditions('agent-a'),
  rootCause: offers[0].rootCause,
  reasoning: offers[0].reasoning,
  timestamp: '2026-01-01T00:00:00.000Z',
  signatureA: 'a'.repeat(64),
  signatureB: 'b'.repeat(64),
  signatureVersion: 2,
};
const search = {
  pausedAgentId: 'paused',
  pausedAgentTags: ['typescript', 'team-1'],
  excluded: new Set<string>(),
  busy: new Set(['agent-3']),
  recentPairs: [{ reviewerAgentId: 'agent-5', pausedAgentId: 'paused' }],
  residents: new Set<string>(),
  now: NOW,
  random: 0.5,
};
const wireSearch = { ...search, excluded: [], busy: [...search.busy], residents: [] };
const candidates = Array.from({ length: 50 }, (_, i) => standing(i));

interface Measured {
  readonly name: string;
  /** What would cross to the function; plain data, so that both ways of crossing can carry it. */
  readonly input: unknown;
  readonly run: () => unknown;
}

const FUNCTIONS: readonly Measured[] = [
  { name: 'mergeOffers', input: [offers, record], run: () => mergeOffers(...offers, record) },
  { name: 'unsafeReason', input: [resolution, 'recovery'], run: () => unsafeReason(resolution, 'recovery') },
  {
    name: 'selectReviewer, 50 candidates',
    input: [candidates, wireSearch],
    run: () => selectReviewer(candidates, search),
  },
  {
    name: 'similarity',
    input: conditions('a').slice(0, 2),
    run: () => similarity(resolution.conditions[0] ?? '', resolution.conditions[1] ?? ''),
  },
  { name: 'canonicalPayload', input: resolution, run: () => canonicalPayload(resolution) },
  { name: 'resolutionHash', input: resolution, run: () => resolutionHash(resolution) },
  {
    name: 'authority',
    input: [standing(1), search.pausedAgentTags, NOW],
    run: () => authority(standing(1), search.pausedAgentTags, NOW),
  },
];

/** Answers every message with the result, as if the function cost nothing. */
const answerer = (result: unknown): URL =>
  new URL(
    `data:text/javascript,${encodeURIComponent(`import { parentPort } from 'node:worker_threads';
const result = ${JSON.stringify(result ?? null)};
parentPort.on('message', () => parentPort.postMessage(result));`)}`,
  );

/** The same for every request. */
const HTTP_ANSWERER = `const { parentPort, workerData } = require('node:worker_threads');
const server = require('node:http').createServer(async (request, response) => {
  let body = '';
  for await (const part of request.setEncoding('utf8')) body += part;
  JSON.parse(body);
  response.end(JSON.stringify(workerData ?? null));
});
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`;

const perCallUs = (calls: number, work: () => void): number => {
  const pass = () => {
    const started = performance.now();
    for (let i = 0; i < calls; i += 1) work();
    return ((performance.now() - started) * 1000) / calls;
  };
  pass();
  return Math.min(...Array.from({ length: ROUNDS }, pass));
};

/** The same for calls that wait, one after another. */
const perWaitUs = async (calls: number, work: () => Promise<unknown>): Promise<number> => {
  let best = Infinity;
  for (let round = 0; round <= ROUNDS; round += 1) {
    const started = performance.now();
    for (let i = 0; i < calls; i += 1) await work();
    best = Math.min(best, ((performance.now() - started) * 1000) / calls);
  }
  return best;
};

const threadUs = async (calls: number, input: unknown, result: unknown): Promise<number> => {
  const worker = new Worker(answerer(result));
  try {
    return await perWaitUs(calls, async () => {
      worker.postMessage(input);
      await once(worker, 'message');
    });
  } finally {
    await worker.terminate();
  }
};

const httpUs = async (calls: number, input: unknown, result: unknown): Promise<number> => {
  const worker = new Worker(HTTP_ANSWERER, { eval: true, workerData: result });
  try {
    const [port] = (await once(worker, 'message')) as [number];
    const url = `http://127.0.0.1:${port}/`;
    return await perWaitUs(calls, async () =>
      (await fetch(url, { method: 'POST', body: JSON.stringify(input) })).json(),
    );
  } finally {
    await worker.terminate();
  }
};

const there = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));

/** Where a function belongs that costs `own` µs, when the nearest place elsewhere is `crossing` µs away and back. */
export const placementOf = (own: number, crossing: number): BoundaryCost['placement'] =>
  own >= WORTH * crossing ? 'elsewhere' : 'in process';

/** The boundary audit: each function of the dialectic, and where it belongs by these figures (W3-5.08). */
export const boundaryCosts = async (calls = 2000): Promise<BoundaryCost[]> => {
  const costs: BoundaryCost[] = [];
  for (const { name, input, run } of FUNCTIONS) {
    const result = run();
    const own = perCallUs(calls, run);
    const json = perCallUs(calls, () => void [there(input), there(result)]);
    const thread = await threadUs(calls, input, result);
    // A tenth of the calls: HTTP is slow enough to be measured with fewer.
    const http = await httpUs(Math.ceil(calls / 10), input, result);
    const placement = placementOf(own, Math.min(thread, http));
    costs.push({ name, 'own µs': own, 'thread µs': thread, 'json µs': json, 'http µs': http, placement });
  }
  return costs;
};
