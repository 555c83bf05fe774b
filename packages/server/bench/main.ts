/**
 * `npm run bench`: what a check-in costs, from socket to fsync and back, with the baselines that say what the machine
 * could do measured in the same run. Prints a table; `--json FILE` keeps the figures.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { BaselineResult, BaselineTask } from './baseline.ts';
import { boundaryCosts } from './boundary.ts';
import { inChild } from './child.ts';
import { compare, inTurns, onePair, type Pair } from './in-turns.ts';
import { liveReadNs } from './live-read.ts';
import type { LoadResult, LoadTask } from './load.ts';
import { startEmbedded } from '../src/postgres/index.ts';
import { checkOut } from './other-commit.ts';
import { resolutionMs } from './resolution.ts';
import { resolveNs } from './resolve.ts';
import { searchMs } from './search.ts';
import { analyse, populate, type Sessions } from './population.ts';
import { startServer, stopAll, type BenchServer } from './server.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'string' },
    seconds: { type: 'string', default: '4' },
    agents: { type: 'string', default: '100,10000,100000' },
    pairs: { type: 'string', default: '12' },
    against: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const usage = `Usage: npm run bench -- [--seconds 4] [--agents 100,10000,100000] [--pairs 12] [--json FILE]
       npm run bench -- --against COMMIT [--seconds 4] [--pairs 12] [--json FILE]

Measures durable check-ins over REST and MCP, with the machine's own limits beside them. Limits on callers are off.

  --seconds  how long each load runs
  --agents   how many agents are in memory for the last table
  --pairs    how many times two sides are compared, in turns
  --against  compares check-ins with those of another commit, and measures nothing else
  --json     also write the figures to FILE`;

const seconds = Number(values.seconds);
const pairs = Number(values.pairs);
const counts = values.agents.split(',').map(Number);
if (![seconds, pairs, ...counts].every((number) => Number.isFinite(number) && number > 0)) {
  throw new Error('--seconds, --agents and --pairs take numbers above 0');
}

const REST = '/v1/tools/call';
/** Distinct in every run: an agent that repeats itself is refused, and rightly so. */
const text = `Refactored module $RUN-$N and ran its tests; they pass. ${'The change is small and reviewed. '.repeat(8)}`;
const args = { client_session_id: '$SESSION', response_text: text, confidence: 0.8, complexity: 0.4 };
/** A key of its own with every check-in, as the SDK sends one. */
const keyedArgs = { ...args, idempotency_key: '$RUN-$N' };
const restBody = (given: object) => JSON.stringify({ name: 'sync_state', arguments: given });
const MODERN = '2026-07-28';
const mcpBody = (given: object) =>
  JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: {
      name: 'sync_state',
      arguments: given,
      _meta: {
        'io.modelcontextprotocol/protocolVersion': MODERN,
        'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  });
const mcpHeaders = {
  Accept: 'application/json, text/event-stream',
  'MCP-Protocol-Version': MODERN,
  'Mcp-Method': 'tools/call',
  'Mcp-Name': 'sync_state',
};

type Json = Record<string, unknown>;
const call = async (server: BenchServer, tool: string, given: Json): Promise<{ result: Json; bytes: number }> => {
  const response = await fetch(`${server.url}${REST}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: tool, arguments: given }),
  });
  const body = await response.text();
  return { result: (JSON.parse(body) as { result: Json }).result, bytes: Buffer.byteLength(body) };
};

const load = (
  server: BenchServer,
  sessions: Sessions,
  clients: number,
  over: 'rest' | 'mcp',
  seconds: number,
  keys: 'with keys' | 'without keys' = 'with keys',
) =>
  inChild<LoadResult>('./load.ts', {
    port: server.port,
    path: over === 'rest' ? REST : '/mcp/',
    headers: over === 'rest' ? {} : mcpHeaders,
    clients,
    seconds,
    body: (over === 'rest' ? restBody : mcpBody)(keys === 'with keys' ? keyedArgs : args),
    sessions,
    expect: over === 'rest' ? '"success":true,"server_time"' : '\\"success\\":true',
  } satisfies LoadTask);

const rows: Json[] = [];
const report = (what: string, figures: Json): void => {
  rows.push({ what, ...figures });
  const shown = Object.entries(figures).map(
    ([name, value]) => `${name} ${typeof value === 'number' ? pretty(value) : String(value)}`,
  );
  console.log(`  ${what.padEnd(34)} ${shown.join('   ')}`);
};
const pretty = (value: number): string => (value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2));

const perSecond = ({ completed, failed, seconds, firstFailure }: LoadResult): number => {
  // Refusals are quick: a side that refuses must not win.
  if (failed > 0) throw new Error(`${failed} calls failed under load: ${firstFailure ?? 'no answer'}`);
  return completed / seconds;
};

const loaded = (what: string, { completed, failed, seconds, p50, p99, firstFailure }: LoadResult): void => {
  report(what, {
    'per s': completed / seconds,
    'p50 ms': p50,
    'p99 ms': p99,
    ...(failed > 0 && { failed, firstFailure }),
  });
};

/**
 * What the channel costs a check-in: two servers alike but for it, loaded in turns so that a slow moment of the machine
 * meets both, `pairs` times. `cost` is the share of throughput it takes, with the standard error of the mean.
 */
const channelCost = async (home: string, seconds: number): Promise<Json> => {
  const off = { NODE_OPTIONS: `--import=${new URL('./without-channel.ts', import.meta.url).href}` };
  const side = async (name: string, env: Readonly<Record<string, string>>) => {
    const folder = join(home, `channel-${name}`);
    await (await startServer(folder)).stop();
    const sessions = await populate(folder, 4096);
    return { server: await startServer(folder, env), sessions };
  };
  const on = await side('on', {});
  const without = await side('off', off);
  const rateOf =
    ({ server, sessions }: typeof on) =>
    async () =>
      perSecond(await load(server, sessions, 64, 'rest', seconds));
  const { first, second, cost, error } = await inTurns({ first: rateOf(on), second: rateOf(without) }, pairs);
  await on.server.stop();
  await without.server.stop();
  return { 'on per s': first, 'off per s': second, 'cost %': cost, '± %': error, pairs };
};

/** One server, loaded by turns with and without idempotency keys, and over MCP and REST: a slow moment meets both sides. */
const inTurnsOf = async (server: BenchServer, sessions: Sessions): Promise<void> => {
  const rateOf = (over: 'rest' | 'mcp', keys: 'with keys' | 'without keys') => async (): Promise<number> =>
    perSecond(await load(server, sessions, 64, over, seconds, keys));
  const plain = rateOf('rest', 'with keys');
  const keys = await inTurns({ first: plain, second: rateOf('rest', 'without keys') }, pairs);
  report('64 clients, with keys and without', {
    'with per s': keys.first,
    'without per s': keys.second,
    share: 1 - keys.cost / 100,
    '± %': keys.error,
    pairs,
  });
  const faces = await inTurns({ first: rateOf('mcp', 'with keys'), second: plain }, pairs);
  report(`64 clients, MCP ${MODERN} and REST`, {
    'MCP per s': faces.first,
    'REST per s': faces.second,
    share: 1 - faces.cost / 100,
    '± %': faces.error,
    pairs,
  });
};

/**
 * Check-ins of this commit and of another one, in turns. Each side has a database of its own, made by its own migrations,
 * and every pair has servers of its own: two processes of one and the same commit differ by up to a quarter, by what they
 * happened to compile and to plan, and a comparison within one pair of processes takes that for a difference of the commits.
 */
const against = async (home: string, ref: string): Promise<void> => {
  const other = checkOut(ref, join(home, 'other'));
  try {
    const side = async (name: string, cli?: string) => {
      const folder = join(home, `against-${name}`);
      await (await startServer(folder, {}, cli)).stop();
      const sessions = await populate(folder, 4096);
      const start = () => startServer(folder, {}, cli);
      const first = await start();
      await load(first, sessions, 64, 'rest', 3);
      await first.stop();
      await analyse(folder);
      return { start, sessions };
    };
    const here = await side('here');
    const there = await side('other', other.cli);
    const loads = [
      { over: 'rest', clients: 64, seen: [] as Pair[] },
      { over: 'rest', clients: 1, seen: [] as Pair[] },
      { over: 'mcp', clients: 64, seen: [] as Pair[] },
    ] as const;
    for (let pair = 0; pair < pairs; pair += 1) {
      const servers = { here: await here.start(), there: await there.start() };
      // Every agent once: an agent's first check-in loads it.
      await load(servers.here, here.sessions, 64, 'rest', 4);
      await load(servers.there, there.sessions, 64, 'rest', 4);
      for (const { over, clients, seen } of loads) {
        const first = async () => perSecond(await load(servers.here, here.sessions, clients, over, seconds));
        const second = async () => perSecond(await load(servers.there, there.sessions, clients, over, seconds));
        seen.push(await onePair(pair, { first, second }));
      }
      await servers.here.stop();
      await servers.there.stop();
    }
    console.log(`\nCheck-ins of this checkout beside ${ref} (${other.name}), in turns`);
    for (const { over, clients, seen } of loads) {
      const { first, second, cost, error } = compare(seen);
      const figures = { 'here per s': first, 'other per s': second, 'slower by %': cost, '± %': error, pairs };
      report(`${over === 'rest' ? 'REST' : `MCP ${MODERN}`}, ${clients} client${clients === 1 ? '' : 's'}`, figures);
    }
  } finally {
    other.remove();
  }
};

const bench = async (home: string): Promise<void> => {
  console.log(`\nBreakwater on ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}`);
  console.log('Load generator, server and PostgreSQL share these cores.\n');

  console.log('Start to ready');
  const data = join(home, 'main');
  let server = await startServer(data);
  report('cold (initialises PostgreSQL)', { ms: server.startMs });
  await server.stop();
  server = await startServer(data);
  report('warm', { ms: server.startMs });
  await server.stop();
  server = await startServer(data);
  report('warm, again', { ms: server.startMs });

  console.log('\nSizes');
  const tools = await (await fetch(`${server.url}/v1/tools`)).text();
  const born = (await call(server, 'start_session', {})).result;
  const reply = await call(server, 'sync_state', { ...args, client_session_id: born['client_session_id'] });
  report('default tools list', { bytes: Buffer.byteLength(tools) });
  report('default check-in reply', { bytes: Buffer.byteLength(JSON.stringify(reply.result)) });
  await server.stop();

  console.log('\nLive read, through the public face');
  for (const count of [100, 10_000]) report(`${count.toLocaleString('en')} rows`, { ns: liveReadNs(count) });

  console.log('\nDialectic functions, and what it would cost to have each computed elsewhere');
  for (const { name, ...costs } of await boundaryCosts()) report(name, costs);

  console.log('\nWho is calling, from memory');
  for (const count of [100, 10_000]) {
    const { bySecret, byToken } = await resolveNs(count);
    report(`${count.toLocaleString('en')} agents, by session secret`, { ns: bySecret });
    report(`${count.toLocaleString('en')} agents, by token beside its uuid`, { ns: byToken });
  }

  // Before the loads, whose last writes would still be under way, and on a database of its own.
  console.log('\nAn agreed resolution, from reservation to commit: four transactions');
  const resolving = join(home, 'resolution');
  await (await startServer(resolving)).stop();
  const cost = await resolutionMs(resolving);
  report('one after another', { 'p50 ms': cost.p50, 'p90 ms': cost.p90, 'p99 ms': cost.p99, 'max ms': cost.max });

  console.log('\nDurable check-ins (every answer waited for its fsync)');
  const sessions = await populate(data, 4096);
  server = await startServer(data);
  // Every agent once: an agent's first check-in loads it.
  await load(server, sessions, 64, 'rest', Math.max(2, seconds));
  await server.stop();
  await analyse(data);
  server = await startServer(data);
  await load(server, sessions, 64, 'rest', Math.max(2, seconds));
  for (const clients of [1, 16, 64, 256]) {
    loaded(`REST, ${clients} clients`, await load(server, sessions, clients, 'rest', seconds));
  }
  for (const clients of [1, 64]) {
    loaded(`MCP ${MODERN}, ${clients} clients`, await load(server, sessions, clients, 'mcp', seconds));
  }
  await inTurnsOf(server, sessions);
  await server.stop();

  console.log('\nMeasuring requests into the channel, on against off (REST, 64 clients, in turns)');
  report('check-ins', await channelCost(home, 2));

  console.log('\nSearch among 100,000 findings, with its row in the audit trail');
  for (const { kind, searches, ...cost } of await searchMs(join(home, 'search'))) {
    report(`${kind}, ${searches} searches`, {
      'p50 ms': cost.p50,
      'p95 ms': cost.p95,
      'p99 ms': cost.p99,
      'max ms': cost.max,
    });
  }

  console.log('\nThe same PostgreSQL without us');
  const postgres = await startEmbedded({ dataDir: data });
  try {
    for (const connections of [1, 32]) {
      const task = { target: postgres.target, dataDir: data, connections, seconds };
      const bare = await inChild<BaselineResult>('./baseline.ts', task satisfies BaselineTask);
      report(`${connections} connections, one tx each`, {
        'same statement per s': bare.checkIns,
        'small statement per s': bare.small,
        'fdatasync per s': bare.fsyncs,
      });
    }
  } finally {
    await postgres.stop();
  }

  console.log('\nCheck-ins with many agents in memory (REST, 64 clients)');
  for (const count of counts) {
    const folder = join(home, `agents-${count}`);
    // The schema must be there before agents can be written.
    await (await startServer(folder)).stop();
    const population = await populate(folder, count);
    const busy = await startServer(folder);
    // Until every agent has checked in: only then is its state in memory. A load walks its sessions in order, so the next
    // one begins where it ended; clients that were cut short may have left out one agent each.
    const clients = 64;
    let warmed = 0;
    while (warmed < count) {
      const { completed } = await load(busy, population.slice(warmed), clients, 'rest', Math.min(15, 1 + count / 4000));
      warmed += Math.max(1, completed - clients);
    }
    loaded(`${count.toLocaleString('en')} agents`, await load(busy, population, clients, 'rest', seconds));
    await busy.stop();
    rmSync(folder, { recursive: true, force: true });
  }
};

if (values.help) console.log(usage);
else {
  const home = mkdtempSync(join(tmpdir(), 'breakwater-bench-'));
  try {
    if (values.against !== undefined) {
      await against(home, values.against);
    } else await bench(home);
    if (values.json !== undefined) {
      const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.version };
      writeFileSync(values.json, `${JSON.stringify({ at: new Date().toISOString(), machine, rows }, null, 2)}\n`);
    }
  } finally {
    await stopAll();
    rmSync(home, { recursive: true, force: true });
  }
}
