/**
 * `npm run fuzz`: starts a server and sends it calls that chance makes, over every tool, route, transport and header. Exits 1
 * when an answer, the log or the record shows what must not happen (BW-dispatch.09), 2 on a wrong argument.
 */
import { programOptions } from '../testing/program.ts';
import { callTool, onboard } from '../testing/rest.ts';
import { NO_LIMITS, removeDataDir, runCommand, spawnServer, temporaryDataDir } from '../testing/server.ts';
import type { Credentials } from './plan.ts';
import { fuzz, type Finding } from './run.ts';

const HELP = `npm run fuzz -- [options]

Starts a server on an empty database and sends it calls made by chance: every tool and alias over REST and both generations
of MCP, every route, with values, names, headers and bytes that somebody might send by mistake or on purpose. Ends with 1
when an answer is a 5xx other than the documented 503, says INTERNAL_ERROR or has no code, when PostgreSQL had to refuse a
value, when the log holds an error, when a well-behaved agent beside it is refused, when /health/ready is not 200
afterwards, or when "audit verify" finds a fault.

  --calls N      how many calls (default 20000)
  --seed S       decides all of them; printed, so that a run can be repeated (default: from the time)
  --clients N    calls at once (default 8)
  --json         figures and findings as JSON on standard output
  --help         this text`;

const { values, whole } = programOptions(HELP, {
  calls: { type: 'string', default: '20000' },
  seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  clients: { type: 'string', default: '8' },
  json: { type: 'boolean', default: false },
});

const AGENTS = 30;
const MCP_SESSIONS = 3;

/** What the server hands out to those who ask in order. */
const credentialsOf = async (url: string, operator: string): Promise<Credentials> => {
  const minted = [];
  for (let i = 0; i < AGENTS; i += 1) {
    const { result } = await callTool(url, 'onboard', { name: `Fuzz ${i}`, force_new: true });
    minted.push(result);
  }
  const mcpSessions = [];
  for (let i = 0; i < MCP_SESSIONS; i += 1) {
    const begun = await fetch(`${url}/mcp/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'fuzz', version: '1' } },
      }),
    });
    await begun.text();
    mcpSessions.push(begun.headers.get('mcp-session-id') ?? '');
  }
  return {
    sessions: minted.map((one) => String(one['client_session_id'])),
    tokens: minted.map((one) => String(one['continuity_token'])),
    agents: [...minted.map((one) => String(one['uuid'])), 'Fuzz 0'],
    operator,
    mcpSessions,
  };
};

const finding = (what: string, problem: string, answer = ''): Finding => ({ what, problem, request: '', answer });

/** Sends the calls to a server of its own, and gives the figures and everything that must not have happened. */
const session = async (calls: number, seed: number, clients: number, onProgress?: (sent: number) => void) => {
  const dataDir = temporaryDataDir();
  const server = spawnServer(dataDir, { env: NO_LIMITS });
  try {
    const url = await server.ready();
    const here = ['--data-dir', dataDir];
    const made = await runCommand(['operator', 'create', '--name', 'fuzz', '--scope', 'act', '--json', ...here]);
    if (made.code !== 0) throw new Error(`No operator could be made: ${made.stderr}`);
    const { secret } = JSON.parse(made.stdout) as { secret: string };
    const known = await credentialsOf(url, secret);
    const control = await onboard(url, 'Control');
    const { figures, findings } = await fuzz({
      url,
      calls,
      seed,
      clients,
      known,
      ...(onProgress !== undefined && { onProgress }),
    });
    const ready = await fetch(`${url}/health/ready`);
    if (ready.status !== 200) findings.push(finding('/health/ready', `status ${ready.status}`, await ready.text()));
    const work = { client_session_id: control.secret, response_text: 'Work beside the noise.', confidence: 0.8 };
    const { result } = await callTool(url, 'sync_state', work);
    if (result['success'] !== true) findings.push(finding('a good agent', 'was refused', JSON.stringify(result)));
    const verified = await runCommand(['audit', 'verify', ...here]);
    if (verified.code !== 0)
      findings.push(finding('audit verify', `exit ${verified.code}`, verified.stdout + verified.stderr));
    const errors = `${server.stdout()}\n${server.stderr()}`.split('\n').filter((line) => /"level":(50|60)/.test(line));
    for (const line of errors.slice(0, 50)) findings.push(finding('the log', 'holds an error', line.slice(0, 1500)));
    const { code, signal } = await server.stop();
    if (code !== 0) findings.push(finding('the server', `ended with ${code ?? signal}`));
    return { figures, findings };
  } finally {
    await removeDataDir(dataDir);
  }
};

const show = (findings: readonly Finding[]): void => {
  for (const { what, problem, request, answer } of findings.slice(0, 20)) {
    console.log(`\n${what}: ${problem}\n  asked: ${request}\n  answer: ${answer}`);
  }
  if (findings.length > 20) console.log(`\nand ${findings.length - 20} more`);
};

const main = async (): Promise<void> => {
  const { json } = values;
  const [calls, seed] = [whole('calls', values.calls, 1), whole('seed', values.seed)];
  const clients = whole('clients', values.clients, 1);
  const started = performance.now();
  if (!json) console.log(`Seed ${seed}: ${calls} calls, ${clients} at once`);
  const tell = json ? undefined : (sent: number) => console.log(`  ${sent} sent`);
  const { figures, findings } = await session(calls, seed, clients, tell);
  const seconds = Math.round((performance.now() - started) / 1000);
  if (json) console.log(JSON.stringify({ seed, calls, clients, seconds, figures, findings }));
  else {
    const { accepted, refused, unavailable, statuses, codes } = figures;
    console.log(`\n${accepted} accepted, ${refused} refused, ${unavailable} unavailable (503), in ${seconds} s`);
    console.log(`statuses: ${JSON.stringify(statuses)}\ncodes: ${JSON.stringify(codes)}`);
    show(findings);
    console.log(`\n${findings.length} findings. Repeat with: npm run fuzz -- --calls ${calls} --seed ${seed}`);
  }
  if (findings.length > 0) process.exitCode = 1;
};

await main();
