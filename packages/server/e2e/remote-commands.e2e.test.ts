import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { driftingWork } from '../demo/story.ts';
import { openDatabase, type Database } from '../src/postgres/index.ts';
import { callTool } from '../testing/rest.ts';
import {
  freePort,
  removeDataDir,
  runCommand,
  spawnServer,
  temporaryDataDir,
  until,
  type ServerProcess,
} from '../testing/server.ts';
import { verifies } from '../testing/verifies.ts';

type Json = Record<string, unknown>;

const folder = temporaryDataDir();
let server: ServerProcess;
let url: string;
let database: Database;
const agents = new Map<string, { id: string; session: string }>();
let secret: string;
let reader: string;

/** An environment as on the server's own machine: its data directory is at hand, and nothing is set up. */
const here = (): Record<string, string> => ({ BREAKWATER_URL: url, BREAKWATER_DATA_DIR: folder });
/** As on another machine: the address and a secret are all there is. */
const away = (operator = secret): Record<string, string> => ({
  BREAKWATER_URL: url,
  BREAKWATER_OPERATOR: operator,
  BREAKWATER_DATA_DIR: join(folder, 'nothing', 'here'),
});

const run = (args: readonly string[], env: Record<string, string> = here()) => runCommand(args, { env, cwd: folder });
const said = async (args: readonly string[], env?: Record<string, string>): Promise<string> => {
  const { code, stdout, stderr } = await run(args, env);
  expect({ code, stderr }, args.join(' ')).toEqual({ code: 0, stderr: '' });
  return stdout;
};
const told = async <T = Json>(args: readonly string[], env?: Record<string, string>): Promise<T> =>
  JSON.parse(await said([...args, '--json'], env)) as T;
const refused = async (args: readonly string[], env?: Record<string, string>) => {
  const { code, stdout, stderr } = await run(args, env);
  expect(stdout, args.join(' ')).toBe('');
  expect(stderr).not.toMatch(/\n\s+at /);
  return { code, stderr };
};

/** Calls a tool as an agent would, with the bearer token that this server asks for. */
const call = async (tool: string, args: Json): Promise<Json> =>
  (await callTool(url, tool, args, { authorization: 'Bearer door' })).result;

beforeAll(async () => {
  server = spawnServer(folder, { env: { BREAKWATER_LOG_LEVEL: 'silent', BREAKWATER_TOKENS: 'door' } });
  url = await server.ready();
  database = openDatabase({
    target: { socketDir: join(folder, 'run'), database: 'breakwater' },
    onError: () => undefined,
  });
  const create = async (name: string, scope: string) =>
    (await told<{ secret: string }>(['operator', 'create', '--name', name, '--scope', scope])).secret;
  secret = await create('ann', 'act');
  reader = await create('rex', 'read');
  for (const name of ['Ada', 'Grace']) {
    const { uuid, client_session_id: session } = await call('onboard', { name });
    // Nobody knows the risk of an agent that has not said anything, and it could not be resumed.
    await call('sync_state', { client_session_id: session, response_text: 'began', confidence: 0.5, complexity: 0.2 });
    agents.set(name, { id: uuid as string, session: session as string });
  }
});
afterAll(async () => {
  await database.close();
  await server.stop();
  await removeDataDir(folder);
});

const idOf = (name: string): string => agents.get(name)?.id ?? '';
const sessionOf = (name: string): string => agents.get(name)?.session ?? '';

/** What the audit trail says of credentials that commands made for themselves, and how many of them there are now. */
const ownCredentials = async () => {
  const trail = await database.query<{ event: string; name: string; scopes: string | null }>({
    text: `SELECT event_type AS event, payload->>'name' AS name, payload->>'scopes' AS scopes FROM audit.events
           WHERE payload->>'name' LIKE '% cli %' AND event_type LIKE 'operator%' ORDER BY ts`,
  });
  const [left] = await database.query<{ n: number }>({
    text: `SELECT count(*)::int AS n FROM core.bindings WHERE kind = 'operator' AND name LIKE '% cli %'`,
  });
  return { trail, left: left?.n };
};

describe('who a command is', () => {
  test('on the server’s machine nothing needs setting up: an operator is made for the command, and ends with it', async () => {
    await said(['status']);
    await said(['agents', 'note', 'Ada', 'seen', '--reason', 'r']);
    const { trail, left } = await ownCredentials();
    expect(left).toBe(0);
    expect(trail).toHaveLength(4);
    expect(trail.map(({ scopes }) => scopes)).toEqual([
      '["operator:read"]',
      null,
      '["operator:read", "operator:act"]',
      null,
    ]);
    expect(trail.map(({ name }) => name)).toEqual([0, 0, 2, 2].map((i) => trail[i]?.name));
    await refused(['agents', 'show', 'Nobody']);
    expect(await ownCredentials()).toMatchObject({ left: 0, trail: { length: 6 } });
  });

  test('the secret that a command made for itself opens the server while it works, and not afterwards', async () => {
    let seen = '';
    let during = 0;
    const ask = async () => (await fetch(`${url}/api/now`, { headers: { authorization: seen } })).status;
    const gate = createServer((request, response) => {
      if (request.url === '/health/live') {
        response.end('{}');
        return;
      }
      seen = request.headers.authorization ?? '';
      void ask().then((status) => {
        during = status;
        response.end('{"rows": [], "matching": 0, "total": 0, "counts": {}, "offset": 0, "limit": 50}');
      });
    });
    await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void gate.close());
    const { port } = gate.address() as AddressInfo;
    await said(['agents', 'list', '--server', `http://127.0.0.1:${port}`]);
    expect(seen).toMatch(/^Bearer bwo_/);
    expect(during).toBe(200);
    expect(await until(async () => ((await ask()) === 401 ? 401 : undefined), 'the server refuses it')).toBe(401);
  });

  test('from elsewhere a secret in the environment is all it needs; without one it says how to get one', async () => {
    const before = (await ownCredentials()).trail.length;
    expect(await told(['agents', 'show', 'Ada'], away())).toMatchObject({ name: 'Ada' });
    expect((await ownCredentials()).trail.length).toBe(before);
    const missing = await refused(['agents', 'list'], { BREAKWATER_URL: 'https://breakwater.example.org' });
    expect(missing).toMatchObject({ code: 1 });
    expect(missing.stderr).toMatch(/needs an operator’s secret[^]*breakwater operator create[^]*BREAKWATER_OPERATOR/);
    const { BREAKWATER_OPERATOR: _, ...nobody } = away();
    expect((await refused(['agents', 'list'], nobody)).stderr).toContain('--data-dir');
    const unknown = await refused(['agents', 'list'], away('bwo_unknown'));
    expect(unknown.stderr).toMatch(/BREAKWATER_OPERATOR[^]*BREAKWATER_TOKEN/);
  });

  test('the bearer token of what stands before the server goes along', async () => {
    const seen: (string | undefined)[] = [];
    const gate = createServer((request, response) => {
      seen.push(request.headers.authorization, request.headers['x-breakwater-operator'] as string | undefined);
      response.end('{"rows": [], "matching": 0, "total": 0, "counts": {}, "offset": 0, "limit": 50}');
    });
    await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void gate.close());
    const { port } = gate.address() as AddressInfo;
    const env = { ...away(), BREAKWATER_URL: `http://127.0.0.1:${port}`, BREAKWATER_TOKEN: 'gate' };
    await said(['agents', 'list'], env);
    expect(seen).toEqual(['Bearer gate', secret]);
    expect(await told(['agents', 'list'], { ...away(), BREAKWATER_TOKEN: 'door' })).toMatchObject({ total: 2 });
  });

  test('an operator who may only look is told so when it acts', async () => {
    expect(await told(['agents', 'show', 'Ada'], away(reader))).toMatchObject({ name: 'Ada' });
    const { code, stderr } = await refused(['agents', 'pause', 'Ada', '--reason', 'x'], away(reader));
    expect(code).toBe(1);
    expect(stderr).toMatch(/operator/i);
    expect(await told(['agents', 'show', 'Ada'])).toMatchObject({ status: 'active' });
  });

  test('where no server answers, it says so and ends with 2', async () => {
    verifies('BW-cli.01');
    const port = await freePort();
    for (const env of [away(), here()]) {
      const { code, stderr } = await refused(['status', '--server', `http://127.0.0.1:${port}`], env);
      expect(code).toBe(2);
      expect(stderr).toMatch(
        /No server answers at http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\)\.\n.*breakwater serve.*--server/,
      );
    }
    expect((await refused(['status', '--server', 'ftp://x'])).code).toBe(64);
  });
});

describe('on a terminal of 80 columns', () => {
  /** What a command shows there; `script` gives it a terminal. */
  const shown = (...args: string[]): string[] => {
    const command = [process.execPath, 'packages/server/src/cli/main.ts', ...args].map((word) => `'${word}'`).join(' ');
    const { stdout, status } = spawnSync('script', ['-qec', `stty cols 80; ${command}`, '/dev/null'], {
      env: { PATH: process.env['PATH'], NO_COLOR: '1', ...here() },
      encoding: 'utf8',
    });
    expect(status, stdout).toBe(0);
    return stdout.split(/\r?\n/);
  };

  test.each([
    ['agents', 'list'],
    ['reviews', 'list', '--status', 'all'],
    ['operator', 'list', '--data-dir', folder],
    ['flags', 'history'],
    ['flags', 'list'],
    ['knowledge', 'list'],
  ])('%s %s keeps ids whole, and tells times from now', (...args) => {
    const lines = shown(...args);
    // What stands under a table is prose, which the terminal wraps.
    const table = lines.slice(0, lines.indexOf(''));
    for (const line of table) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(lines.join('\n')).not.toMatch(/\d{4}-\d\d-\d\dT\d*…|[0-9a-f]{8}-[0-9a-f-]{0,26}…/);
    if (args[0] === 'agents') expect(lines.join('\n')).toMatch(new RegExp(`${idOf('Ada')}.* (s|min) ago`));
    if (args[0] === 'operator') expect(lines.join('\n')).toMatch(/^ann .* in 36\d d/m);
  });
});

describe('status', () => {
  test('is one screen, and a pause that an operator meant rings nobody', async () => {
    verifies('BW-cli.01');
    await said(['agents', 'pause', 'Ada', '--reason', 'drill']);
    onTestFinished(async () => void (await said(['agents', 'resume', 'Ada', '--reason', 'over'])));
    const { code, stdout } = await run(['status', '--check']);
    expect(code).toBe(0);
    expect(stdout).toContain(`Breakwater 0.1.0 at ${url}: ready`);
    expect(stdout).toMatch(/^Agents +1 active, 1 paused$/m);
    expect(stdout).toContain(`→ breakwater agents show ${idOf('Ada')}`);
    expect(stdout.split('\n').length).toBeLessThan(24);
    expect(await run(['status'])).toMatchObject({ code: 0 });
    const view = await told(['status']);
    expect(Object.keys(view)).toEqual(
      expect.arrayContaining(['url', 'server', 'ready', 'needs', 'agents', 'requests']),
    );
  });
});

describe('agents', () => {
  test('are listed with filters, sorted and in pages', async () => {
    const page = await told<{ rows: Json[]; matching: number }>(['agents', 'list', '--sort', 'name', '--limit', '1']);
    expect(page).toMatchObject({ matching: 2, rows: [{ name: 'Ada' }] });
    const text = await said(['agents', 'list', '--sort', 'name', '--limit', '1']);
    expect(text).toMatch(/^AGENT +NAME +STATUS/);
    expect(text).toContain('1 to 1 of 2; for more:  --offset 1');
    expect(await told(['agents', 'list', '--search', 'grac'])).toMatchObject({ rows: [{ name: 'Grace' }] });
    expect(await said(['agents', 'list', '--status', 'archived'])).toBe('No agent matches.\n');
    expect((await refused(['agents', 'list', '--limit', '0'])).stderr).toContain(
      '--limit must be a whole number from 1',
    );
    expect((await refused(['agents', 'list', '--sort', 'size'])).code).toBe(64);
  });

  test('are paused, resumed, noted and archived, with who and why in the audit trail', async () => {
    const paused = await told(['agents', 'pause', 'Ada', '--reason', 'freeze', '--hours', '2'], away());
    expect(paused).toEqual({ agent_id: idOf('Ada'), status: 'paused', message: expect.any(String) as string });
    const shown = await said(['agents', 'show', 'Ada']);
    expect(shown).toMatch(/^paused +.*freeze.* \(operator_pause\)/m);
    expect(await told(['agents', 'resume', 'Ada', '--reason', 'thaw'], away())).toMatchObject({
      status: 'active',
      message: 'Ada is active again.',
    });
    await said(['agents', 'note', 'Ada', 'first', '--replace', '--reason', 'r']);
    expect(await told(['agents', 'note', 'Ada', 'second', '--reason', 'why it is noted'])).toEqual({
      agent_id: idOf('Ada'),
      notes: 'first\nsecond',
    });
    const { uuid } = await call('onboard', { name: 'Lin' });
    const done = await told(['agents', 'archive', 'Lin', '--reason', 'its work is done', '--force'], away());
    expect(done).toMatchObject({ agent_id: uuid, status: 'archived' });
    const events = await database.query<{ payload: string }>({
      text: `SELECT payload::text FROM audit.events WHERE agent_id = ANY($1) AND payload::text LIKE '%ann%'`,
      values: [[idOf('Ada'), uuid]],
    });
    for (const reason of ['freeze', 'thaw', 'its work is done']) {
      expect(
        events.some(({ payload }) => payload.includes(reason)),
        reason,
      ).toBe(true);
    }
  });

  test('are meant by the beginning of an id too, by whatever command', async () => {
    const short = idOf('Ada').slice(0, 8);
    expect(await told(['agents', 'show', short], away())).toMatchObject({ agent_id: idOf('Ada') });
    expect(await told(['agents', 'pause', short.toUpperCase(), '--reason', 'drill'])).toMatchObject({
      status: 'paused',
    });
    expect(await told(['agents', 'resume', short, '--reason', 'over'])).toMatchObject({ status: 'active' });
    expect(await told(['agents', 'note', short, '', '--replace', '--reason', 'r'])).toMatchObject({
      agent_id: idOf('Ada'),
    });
    expect(await told(['reviews', 'list', '--agent', short])).toMatchObject({ matching: 0 });
    expect((await refused(['agents', 'show', '00000000'])).stderr).toContain('breakwater agents list');
  });

  test('that there are not are refused with the way to find them', async () => {
    const { code, stderr } = await refused(['agents', 'resume', 'Nobody', '--reason', 'x']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/Nobody[^]*breakwater agents list/);
    expect((await refused(['agents', 'pause', 'Ada'])).stderr).toContain('--reason');
    const again = await refused(['agents', 'resume', 'Ada', '--reason', 'x']);
    expect(again.stderr).not.toContain('force=true');
  });
});

test('reviews are listed, shown, and given a reviewer', async () => {
  const asked = await call('dialectic', {
    client_session_id: sessionOf('Ada'),
    action: 'request',
    reason: 'Look at my last results',
    reviewer_mode: 'manual',
  });
  expect(asked['error']).toBeUndefined();
  const review = String(asked['session_id']);
  const { rows } = await told<{ rows: Json[] }>(['reviews', 'list', '--status', 'open', '--agent', 'Ada']);
  expect(rows).toMatchObject([{ review_id: review, agent: { name: 'Ada' } }]);
  expect(await said(['reviews', 'list'])).toMatch(new RegExp(`^${review} +Ada +`, 'm'));
  const assigned = await told(['reviews', 'assign', review, '--reviewer', 'Grace', '--reason', 'she knows']);
  expect(assigned).toMatchObject({ review_id: review, reviewer: { name: 'Grace', agent_id: idOf('Grace') } });
  const shown = await said(['reviews', 'show', review]);
  expect(shown).toMatch(/^reviewer +Grace/m);
  expect(shown).toMatch(/^assigned by +operator /m);
  const early = await refused(['reviews', 'confirm', review, '--reason', 'nobody has agreed yet']);
  expect(early.stderr).toContain('Nothing of this review waits for an operator.');
  const none = await refused(['reviews', 'show', '0c4f6a0e-8a55-4a5e-9d0a-0d3b1d6f7c21']);
  expect(none.stderr).toContain('breakwater reviews list');
});

test('knowledge is searched, listed and shown whole', async () => {
  const details = Array.from({ length: 3000 }, (_, i) => `line ${i} 🧭`).join('\n');
  await call('knowledge', {
    client_session_id: sessionOf('Ada'),
    action: 'store',
    summary: 'The nightly job deadlocks',
    details,
    discovery_type: 'bug_found',
    tags: ['scheduler'],
  });
  const [found] = await told<Json[]>(['knowledge', 'search', 'nightly', 'deadlock', '--type', 'bug_found']);
  expect(found).toMatchObject({ summary: 'The nightly job deadlocks', by: 'Ada' });
  expect(await told(['knowledge', 'list'], away())).toMatchObject({ rows: [{ id: found!['id'] }], has_more: false });
  const whole = await told(['knowledge', 'show', String(found!['id'])]);
  expect(whole['details'] === details, 'every piece, in order').toBe(true);
  expect(await said(['knowledge', 'search', 'unheardof'])).toContain('breakwater knowledge list');
  expect((await refused(['knowledge', 'show', '2020-01-01T00:00:00.000000Z'])).stderr).toContain('knowledge list');
});

test('flags, channel and calibration are asked of a server that is named, with the answers of the database', async () => {
  const elsewhere = away();
  await said(['flags', 'set', 'identity_strict_mode', 'strict', '--reason', 'drill', '--server', url], elsewhere);
  const named = await told<Json[]>(['flags', 'list', '--server', url], elsewhere);
  const stored = await told<Json[]>(['flags', 'list', '--data-dir', folder], {});
  expect(named).toEqual(stored);
  expect(named[0]).toMatchObject({ value: 'enforce', stored: { by: 'ann', reason: 'drill' } });
  await said(['flags', 'set', 'identity_strict_mode', 'observe', '--reason', 'over', '--server', url], elsewhere);
  expect(await told(['flags', 'history', '--server', url], elsewhere)).toEqual(
    await told(['flags', 'history', '--data-dir', folder], {}),
  );
  const wrong = await refused(['flags', 'get', 'identity_strct_mode'], elsewhere);
  expect(wrong.stderr).toContain('did you mean identity_strict_mode?');

  const shape = (value: unknown): unknown =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, shape(one)]))
      : Array.isArray(value)
        ? value.slice(0, 1).map(shape)
        : typeof value;
  for (const report of ['channel', 'calibration']) {
    const there = await told([report, 'report'], elsewhere);
    const local = await told([report, 'report', '--data-dir', folder], {});
    expect(Object.keys(there)).toEqual(Object.keys(local));
    expect(shape(there)).toEqual(shape(local));
    expect(await said([report, 'report'], elsewhere)).not.toBe('');
  }
});

describe('export', () => {
  test('writes whole files while the server runs, and says what', async () => {
    verifies('BW-cli.01');
    const out = join(folder, 'out');
    const done = await told<{ files: Json[] }>(['export', '--out', out, '--since', '1h', '--data-dir', folder], {});
    expect(done.files.map(({ what }) => what)).toEqual([
      'agents',
      'states',
      'outcomes',
      'audit',
      'reviews',
      'knowledge',
    ]);
    expect(readdirSync(out).sort()).toEqual(done.files.map(({ what }) => `${String(what)}.jsonl`).sort());
    const names = readFileSync(join(out, 'agents.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as Json)['name']);
    expect(names).toEqual(expect.arrayContaining(['Ada', 'Grace']));
    const all = readdirSync(out).map((file) => readFileSync(join(out, file), 'utf8'));
    for (const { session } of agents.values()) expect(all.join('')).not.toContain(session);
    expect(all.join('')).not.toContain(secret);
  });

  test('goes to standard output, also when the reader has soon had enough', async () => {
    const text = await said(['export', '--what', 'audit,agents', '--data-dir', folder], {});
    expect(text).toMatch(/^\{"kind":"agents"/);
    expect(text).toContain('{"kind":"audit"');
    const csv = await said(['export', '--what', 'agents', '--format', 'csv', '--data-dir', folder], {});
    expect(csv).toMatch(/^agent_id,name,/);
    const main = new URL('../src/cli/main.ts', import.meta.url).pathname;
    const piped = spawnSync(
      'bash',
      ['--norc', '-c', `set -o pipefail; "$0" ${main} export --data-dir "${folder}" | head -c 10`, process.execPath],
      {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'] },
      },
    );
    expect(piped).toMatchObject({ status: 0, stderr: '' });
  });

  test.each([
    [['--what', 'agent'], 'did you mean agents?'],
    [['--what', ''], 'agents,states,outcomes'],
    [['--format', 'csv'], '--out'],
    [['--json'], '--out'],
    [['--format', 'xml'], 'jsonl'],
    [['--since', 'yesterday'], '--since'],
  ])('refuses %j and says what it may be', async (args, hint) => {
    const { stderr } = await refused(['export', '--data-dir', folder, ...args], {});
    expect(stderr).toContain(hint);
  });
});

test('doctor looks at a server elsewhere by its address alone', async () => {
  const { findings } = await told<{ findings: { check: string; state: string }[] }>(['doctor']);
  expect(findings.find(({ check }) => check === 'server')).toMatchObject({ state: 'ok' });
  await until(async () => (await run(['doctor', '--strict'])).code === 0 || undefined, 'all is well');
});

test('status ends with 3 when it is asked to check and something waits for a person', async () => {
  verifies('BW-cli.01');
  expect(await run(['status', '--check'])).toMatchObject({ code: 0 });
  const { client_session_id } = await call('start_session', { name: 'Drift', force_new: true });
  for (const { work, confidence, complexity, passes } of driftingWork) {
    const args = { client_session_id, response_text: work, confidence, complexity };
    const { prediction_id, success } = await call('sync_state', args);
    if (success !== true) break;
    const detail = { command: 'npm test', exit_code: passes ? 0 : 1 };
    const outcome_type = passes ? 'test_passed' : 'test_failed';
    await call('record_result', { client_session_id, prediction_id, outcome_type, detail });
  }
  const { code, stdout } = await run(['status', '--check']);
  expect(stdout).toContain('Drift is paused: it claims more than its results show');
  expect(code).toBe(3);
  expect(await run(['status'])).toMatchObject({ code: 0 });
});
