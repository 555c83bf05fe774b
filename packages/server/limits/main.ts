/**
 * `npm run limits`: what a crowd and a flood do to a server by its default settings, with many agents in memory. Prints each
 * figure beside its bound, and exits 1 when one is beyond it; `--json FILE` keeps the figures.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { startServer, stopAll, type BenchServer } from '../bench/server.ts';
import { programOptions } from '../testing/program.ts';
import { populate, type Fleet } from './population.ts';

const usage = `Usage: npm run limits -- [--agents 50000] [--json FILE]

Holds a server with default settings to its bounds: starts by name, lists, a fleet that starts, an operator in an emergency,
a flood of requests whose senders leave, and a crowd of watchers.`;

const { values, whole } = programOptions(usage, {
  agents: { type: 'string', default: '50000' },
  json: { type: 'string' },
});
const count = whole('agents', values.agents, 1);

type Json = Record<string, unknown>;
interface Figure {
  readonly what: string;
  readonly value: number;
  readonly most: number;
  readonly unit: string;
  readonly note?: string | undefined;
}
const figures: Figure[] = [];
const report = (what: string, value: number, most: number, unit: string, note?: string): void => {
  figures.push({ what, value, most, unit, note });
  const shown = `${value >= 100 ? Math.round(value) : value.toFixed(1)} ${unit}`;
  console.log(
    `  ${value <= most ? 'ok  ' : 'OVER'} ${what.padEnd(52)} ${shown.padStart(12)}   at most ${most} ${unit}${note === undefined ? '' : `   ${note}`}`,
  );
};

const quantile = (numbers: readonly number[], share: number): number => {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
};

const connections = new Agent({ keepAlive: true, maxSockets: 64 });
const ask = (
  server: BenchServer,
  path: string,
  { body, headers }: { readonly body?: Json; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<{ readonly status: number; readonly body: Json; readonly ms: number }> =>
  new Promise((resolve, reject) => {
    const started = performance.now();
    const sent = request(
      `${server.url}${path}`,
      {
        method: body === undefined ? 'GET' : 'POST',
        agent: connections,
        headers: { 'content-type': 'application/json', ...headers },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            body: text.startsWith('{') ? (JSON.parse(text) as Json) : {},
            ms: performance.now() - started,
          }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });

const call = async (server: BenchServer, name: string, args: Json, headers: Readonly<Record<string, string>> = {}) => {
  const { body, ms } = await ask(server, '/v1/tools/call', { body: { name, arguments: args }, headers });
  return { result: (body['result'] ?? body) as Json, ms };
};

/** Highest resident memory of the server's process so far, in MB; of it alone, without its PostgreSQL. */
const residentMb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

const timed = async (times: number, one: (i: number) => Promise<{ readonly ms: number }>): Promise<number[]> => {
  const taken: number[] = [];
  // The first ones compile the code and open the connections.
  for (let i = -3; i < times; i += 1) {
    const { ms } = await one(i + 3);
    if (i >= 0) taken.push(ms);
  }
  return taken;
};

const lists = async (server: BenchServer, { operator }: Fleet): Promise<void> => {
  const headers = { 'x-breakwater-operator': operator };
  const starts = await timed(30, (i) => call(server, 'start_session', { name: `newcomer-${i}`, force_new: true }));
  report('start_session with a name, p50', quantile(starts, 0.5), 10, 'ms');
  const taken = await timed(30, (i) => call(server, 'start_session', { name: `worker-${i + 100}`, force_new: true }));
  report('start_session with a name that is taken, p50', quantile(taken, 0.5), 10, 'ms');
  // Times of one kind are a second apart and more: what is kept for a second must not answer.
  const apart = async (path: () => Promise<{ readonly ms: number; readonly status?: number }>, times = 5) => {
    const all: number[] = [];
    for (let i = 0; i < times + 1; i += 1) {
      const { ms, status } = await path();
      if (status !== undefined && status !== 200) throw new Error(`status ${status}`);
      if (i > 0) all.push(ms);
      await new Promise((resolve) => setTimeout(resolve, 1100));
    }
    return quantile(all, 0.5);
  };
  for (const path of [
    '/api/agents',
    '/api/agents?sort=risk&offset=1000',
    '/api/agents?search=part%2012%20of',
    '/api/now',
    '/api/agents/worker-31000',
  ]) {
    report(`GET ${path}, p50`, await apart(() => ask(server, path, { headers })), 20, 'ms');
  }
  report('agent(action=list), p50', await apart(() => call(server, 'agent', { action: 'list' }, headers)), 20, 'ms');
};

const emergency = async (server: BenchServer, { operator, active }: Fleet): Promise<void> => {
  const headers = { 'x-breakwater-operator': operator };
  const started = performance.now();
  const done = await Promise.all(
    active.map((id) =>
      call(server, 'agent', { action: 'pause', target_agent_id: id, reason: 'an emergency', confirm: true }, headers),
    ),
  );
  const refused = done.filter(({ result }) => result['success'] !== true);
  const why = refused[0] && JSON.stringify(refused[0].result).slice(0, 200);
  report(`${active.length} pauses by an operator at once, refused`, refused.length, 0, '', why);
  report(`${active.length} pauses by an operator at once`, performance.now() - started, 1000, 'ms');
};

const fleetStarts = async (server: BenchServer): Promise<void> => {
  const started = performance.now();
  let waiting = 500;
  let refused = 0;
  let why: string | undefined;
  while (waiting > 0 && performance.now() - started < 60_000) {
    const batch = await Promise.all(
      Array.from({ length: Math.min(50, waiting) }, async (_, i) => {
        const name = `fleet-${waiting}-${i}`;
        const { result } = await call(server, 'start_session', { name, force_new: true }, { 'user-agent': 'fleet/1' });
        if (result['success'] !== true) return result;
        const text = `${name} has read its task and begins.`;
        const first = { client_session_id: result['client_session_id'], response_text: text, confidence: 0.8 };
        return (await call(server, 'sync_state', first, { 'user-agent': 'fleet/1' })).result;
      }),
    );
    const up = batch.filter(({ success }) => success === true).length;
    const failed = batch.find(({ success }) => success !== true);
    why ??= failed && JSON.stringify(failed).slice(0, 200);
    refused += batch.length - up;
    waiting -= up;
    if (up === 0) await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  report('500 agents of one host, not up after a minute', waiting, 0, '', why && `${refused} refusals: ${why}`);
  report('500 agents of one host are up', (performance.now() - started) / 1000, 60, 's');
};

const CONNECTIONS = 400;
const PIPELINED = 20;

const flood = async (server: BenchServer): Promise<void> => {
  const before = residentMb(server.pid);
  let most = before;
  const watch = setInterval(() => (most = Math.max(most, residentMb(server.pid))), 20);
  const get = `GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`.repeat(PIPELINED);
  await Promise.all(
    Array.from(
      { length: CONNECTIONS },
      () =>
        new Promise<void>((resolve) => {
          const socket = connect({ port: server.port, host: '127.0.0.1' }, () =>
            socket.write(get, () => {
              socket.destroy();
              resolve();
            }),
          );
          socket.on('error', () => resolve());
        }),
    ),
  );
  const { ms, status } = await ask(server, '/health/live');
  await new Promise((resolve) => setTimeout(resolve, 3000));
  clearInterval(watch);
  report(`${CONNECTIONS} × ${PIPELINED} GET /metrics dropped: next answer`, ms, 1000, 'ms', `status ${status}`);
  report('resident memory at its highest, then', most, 400, 'MB', `${Math.round(before)} MB before`);
};

const watchers = async (server: BenchServer, { operator }: Fleet): Promise<void> => {
  const open = (headers: Readonly<Record<string, string>>) =>
    new Promise<{ readonly socket: WebSocket; readonly admitted: boolean }>((resolve) => {
      const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/eisv`, { headers });
      socket.on('open', () => resolve({ socket, admitted: true }));
      socket.on('error', () => resolve({ socket, admitted: false }));
    });
  const crowd = [];
  for (let i = 0; i < 100; i += 1) crowd.push(await open({}));
  const console_ = await open({ 'x-breakwater-operator': operator });
  report('an operator locked out by 100 watchers', console_.admitted ? 0 : 1, 0, '');
  for (const { socket } of [...crowd, console_]) socket.terminate();
};

const run = async (home: string): Promise<void> => {
  const data = join(home, 'data');
  const first = await startServer(data);
  const born = await call(first, 'start_session', { name: 'first' });
  const secret = born.result['client_session_id'];
  await call(first, 'sync_state', { client_session_id: secret, response_text: 'It works.', confidence: 0.8 });
  await first.stop();
  const fleet = await populate(data, count, 70);
  // Taken back what the bench sets: the server has its default limits.
  const unset = ['CALLS_PER_MINUTE', 'CALLS_PER_HOUR', 'LOOP_UPDATES_PER_MINUTE'];
  const defaults = Object.fromEntries(unset.map((name) => [`BREAKWATER_${name}`, undefined]));
  const fresh = async (part: (server: BenchServer) => Promise<void>) => {
    const server = await startServer(data, defaults);
    await part(server);
    await server.stop();
  };
  console.log(`\nWith ${count.toLocaleString('en')} agents in memory, default settings`);
  await fresh((server) => lists(server, fleet));
  await fresh((server) => emergency(server, fleet));
  await fresh(fleetStarts);
  await fresh(flood);
  await fresh((server) => watchers(server, fleet));
};

const home = mkdtempSync(join(tmpdir(), 'breakwater-limits-'));
try {
  await run(home);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`);
  if (figures.some(({ value, most }) => value > most)) process.exitCode = 1;
} finally {
  connections.destroy();
  await stopAll();
  rmSync(home, { recursive: true, force: true });
}
