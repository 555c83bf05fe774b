import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../src/runtime/index.ts';
import { until } from '../testing/server.ts';
import { Cluster } from './cluster.ts';
import { findInOrder, findInReadiness, isDisturbed, type DoneFault, type StoredCheckIn } from './history.ts';
import { Load, NEWS_MS } from './load.ts';
import { planFaults, type Fault } from './plan.ts';

/** Readiness says within this time that nothing can commit: asked each second, answered within two, and room for a busy machine. */
const READY_MS = 4_500;

export interface RunOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly seconds: number;
  readonly faults: readonly Fault[];
  readonly agents: number;
  readonly writers: number;
  /** Hears of each fault as it begins. */
  readonly tell?: (line: string) => void;
}

/** What a seed came to. */
export interface RunResult {
  readonly seed: number;
  readonly nodes: number;
  readonly faults: number;
  readonly sent: number;
  readonly acknowledged: number;
  readonly unknown: number;
  readonly unknownStored: number;
  readonly acts: number;
  readonly shown: number;
  readonly slowestNewsMs: number;
  readonly latestReadyMs: number;
  readonly slowestStopMs: number;
  readonly findings: readonly string[];
}

/** Runs one seed: servers, faults and clients at once, then the record against what everybody was told. */
export const runSeed = async (options: RunOptions): Promise<RunResult> => {
  const random = seededRandom(options.seed);
  const plan = planFaults({ ...options, random });
  const cluster = await Cluster.start(options.nodes);
  try {
    const load = new Load(cluster, random);
    await load.begin(options.agents, options.writers);
    const faults: DoneFault[] = [];
    await sleep(500);
    for (const planned of plan) {
      options.tell?.(`${planned.fault} on node ${planned.node} for ${planned.forMs} ms`);
      const from = performance.now();
      await cluster.suffer(planned);
      faults.push({ fault: planned.fault, node: planned.node, from, to: performance.now() });
      await sleep(planned.thenMs);
    }
    const findings: string[] = [];
    // When all is well again, every node says so, and serves every agent.
    for (const url of cluster.urls) {
      const isReady = async () => ((await fetch(new URL('/health/ready', url))).status === 200 ? true : undefined);
      await until(isReady, `${url} is ready again`).catch((error: unknown) => findings.push(`READY: ${String(error)}`));
    }
    await load.end();
    for (const agent of load.agents) {
      for (const node of cluster.urls.keys()) {
        const { code } = await load.checkIn(agent, node);
        if (code !== 'ok') findings.push(`AFTER: node ${node} answers ${code} although all is well`);
      }
    }
    await cluster.stopServers();
    const stored = await cluster.database.query<StoredCheckIn>({
      text: `SELECT i.agent_id AS "agentId", s.state_json -> 'context' ->> 'task_label' AS mark, s.update_index AS update
             FROM core.agent_state s JOIN core.identities i USING (identity_id) WHERE NOT s.synthetic`,
    });
    const [divergences] = await cluster.database.query<{ n: number }>({
      text: `SELECT count(*) AS n FROM audit.coordination_events WHERE event_type LIKE '%ets_pg_divergence'`,
    });
    if ((divergences?.n ?? 0) > 0) findings.push(`DIVERGENCE: ${divergences?.n} were told of ordinary commits`);
    const readiness = findInReadiness(load.readings, faults, load.sent, READY_MS);
    const news = load.news.filter(({ node, from, to }) => !isDisturbed(faults, node, from - READY_MS, to));
    for (const { from, to, what } of news) {
      if (to - from > NEWS_MS)
        findings.push(`NEWS: ${what} was seen on another node after ${Math.round(to - from)} ms`);
    }
    const marks = new Set(stored.map(({ mark }) => mark));
    const unknown = load.sent.filter(({ end }) => end === 'unknown');
    return {
      seed: options.seed,
      nodes: options.nodes,
      faults: faults.length,
      sent: load.sent.length,
      acknowledged: load.sent.filter(({ end }) => end === 'ok').length,
      unknown: unknown.length,
      unknownStored: unknown.filter(({ mark }) => marks.has(mark)).length,
      acts: load.acts.acts,
      shown: load.acts.shown,
      slowestNewsMs: Math.round(Math.max(0, ...news.map(({ from, to }) => to - from))),
      latestReadyMs: Math.round(readiness.latestMs),
      slowestStopMs: Math.round(cluster.slowestStopMs),
      findings: [
        ...findings,
        ...findInOrder(load.sent, stored),
        ...readiness.findings,
        ...load.findings,
        ...cluster.findings,
      ],
    };
  } finally {
    await cluster.stop();
  }
};
