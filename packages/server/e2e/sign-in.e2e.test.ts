import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openDatabase, type Database } from '../src/postgres/index.ts';
import { NotLetIn, watch } from '../src/serve/testing/watcher.ts';
import { callTool, type Json } from '../testing/rest.ts';
import {
  removeDataDir,
  runCommand,
  spawnServer,
  temporaryDataDir,
  until,
  type CommandOptions,
  type ServerProcess,
} from '../testing/server.ts';
import { verifies } from '../testing/verifies.ts';

const HOUR_MS = 3_600_000;
const NAME = /^.+ console [0-9a-f]{6}$/;

interface SignIn {
  readonly name: string;
  readonly link: string;
  readonly can_act: boolean;
  readonly expires_at: string;
}

const secretOf = (link: string): string => {
  const secret = /#sign-in=(bwo_[\w-]{43})$/.exec(link)?.[1];
  if (secret === undefined) throw new Error(`no link that signs in: ${link}`);
  return secret;
};

const sessionOf = async (url: string, secret: string) => {
  const answer = await fetch(`${url}/api/session`, { headers: { authorization: `Bearer ${secret}` } });
  return { status: answer.status, body: (await answer.json()) as Json };
};

describe('breakwater console', () => {
  const folder = temporaryDataDir();
  let server: ServerProcess;
  let url: string;
  let database: Database;

  beforeAll(async () => {
    server = spawnServer(folder, { env: { BREAKWATER_LOG_LEVEL: 'trace', BREAKWATER_TOKENS: 'door' } });
    url = await server.ready();
    database = openDatabase({
      target: { socketDir: join(folder, 'run'), database: 'breakwater' },
      onError: () => undefined,
    });
  });
  afterAll(async () => {
    await database.close();
    await server.stop();
    await removeDataDir(folder);
  });

  const run = (args: readonly string[], options?: CommandOptions) =>
    runCommand(['console', '--data-dir', folder, ...args], options);
  const signIn = async (args: readonly string[] = [], options?: CommandOptions): Promise<SignIn> => {
    const { code, stdout, stderr } = await run([...args, '--json'], options);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout) as SignIn;
  };

  test('prints a link that signs in to act, for twelve hours, past the token of the server', async () => {
    verifies('BW-console.02');
    const before = Date.now();
    const made = await signIn(['--server', url]);
    expect(made).toMatchObject({ name: expect.stringMatching(NAME) as string, can_act: true });
    expect(made.link.startsWith(`${url}/dashboard/#sign-in=`)).toBe(true);
    const hours = (Date.parse(made.expires_at) - before) / HOUR_MS;
    expect(hours).toBeGreaterThan(11.99);
    expect(hours).toBeLessThan(12.1);
    const secret = secretOf(made.link);
    expect((await fetch(made.link)).status, 'the page is for everybody').not.toBe(401);

    const { status, body } = await sessionOf(url, secret);
    expect([status, body['operator']]).toEqual([200, { name: made.name, can_act: true }]);
    expect(await sessionOf(url, 'door')).toMatchObject({ status: 200, body: { operator: null } });
    expect((await fetch(`${url}/api/session`)).status).toBe(401);
    const rows = await database.query<{ payload: Json }>({
      text: `SELECT payload FROM audit.events WHERE event_type = 'operator_created' AND payload->>'name' = $1`,
      values: [made.name],
    });
    expect(rows).toMatchObject([{ payload: { by: made.name.replace(/ console .*/, ''), scopes: { length: 2 } } }]);
  });

  test('with it a page watches, acts, and signs itself out', async () => {
    verifies('BW-console.02');
    const made = await signIn(['--server', url]);
    const secret = secretOf(made.link);
    const { result } = await callTool(url, 'onboard', { name: 'Max' }, { authorization: 'Bearer door' });
    const agentId = result['uuid'];

    const watcher = await watch(url, { protocols: ['breakwater', secret] });
    onTestFinished(() => watcher.socket.terminate());
    expect(watcher.socket.protocol, 'the secret is not sent back').toBe('breakwater');
    expect(watcher.messages[0]).toMatchObject({ type: 'feed_ready', ids: 'visible' });
    const act = (tool: string, args: Json) => callTool(url, tool, args, { authorization: `Bearer ${secret}` });
    const pause = { action: 'pause', target_agent_id: agentId, reason: 'it runs wild', hours: 1 };
    expect((await act('agent', pause)).result).toMatchObject({ success: true, lifecycle_status: 'paused' });
    const told = await watcher.next(({ type }) => type === 'lifecycle_paused');
    expect(told).toMatchObject({ agent_id: agentId, sub_action: 'operator_pause', reason: 'it runs wild' });
    const resume = { target_agent_id: agentId, reason: 'it was a drill', force: true };
    expect((await act('operator_resume_agent', resume)).result).toMatchObject({ success: true });

    const revoke = { action: 'revoke', name: made.name, reason: 'signed out' };
    expect((await act('operators', revoke)).result).toMatchObject({ success: true });
    const refused = await until(async () => {
      const session = await sessionOf(url, secret);
      return session.status === 401 ? session : undefined;
    }, 'the credential is refused');
    expect(refused.body).toMatchObject({
      error_code: 'UNAUTHORIZED',
    });
    await expect(watch(url, { protocols: ['breakwater', secret] })).rejects.toMatchObject({
      constructor: NotLetIn,
      status: 401,
    });
  });

  test('--read is to look only, for the hours that are given', async () => {
    verifies('BW-console.02');
    const before = Date.now();
    const made = await signIn(['--server', url, '--read', '--hours', '1']);
    expect(made.can_act).toBe(false);
    expect(Math.round((Date.parse(made.expires_at) - before) / HOUR_MS)).toBe(1);
    const authorization = `Bearer ${secretOf(made.link)}`;
    expect((await sessionOf(url, secretOf(made.link))).body['operator']).toEqual({ name: made.name, can_act: false });
    expect((await fetch(`${url}/api/agents`, { headers: { authorization } })).status).toBe(200);
    const revoke = { action: 'revoke', name: made.name, reason: 'x' };
    const { result } = await callTool(url, 'operators', revoke, { authorization });
    expect(result).toMatchObject({ success: false, error_code: 'OPERATOR_REQUIRED' });
    expect((await sessionOf(url, secretOf(made.link))).status).toBe(200);
  });

  test('the link leads where the settings say, or where it is told', async () => {
    const linkOf = async (args: readonly string[], env: Record<string, string> = {}) =>
      (await signIn(args, { env })).link.replace(/bwo_.*/, '');
    expect(await linkOf([])).toBe('http://127.0.0.1:8767/dashboard/#sign-in=');
    expect(await linkOf([], { BREAKWATER_PORT: '9123', BREAKWATER_HOST: '::1' })).toBe(
      'http://[::1]:9123/dashboard/#sign-in=',
    );
    // Nobody can call a wildcard, and this server answers to no such name.
    expect(await linkOf([], { BREAKWATER_HOST: '0.0.0.0' })).toBe('http://127.0.0.1:8767/dashboard/#sign-in=');
    expect(await linkOf(['--server', 'https://bw.example/'])).toBe('https://bw.example/dashboard/#sign-in=');
    const text = await run(['--server', url]);
    expect(text.stdout).toMatch(new RegExp(`until .*:\n\n  ${url}/dashboard/#sign-in=bwo_[\\w-]{43}\n`));
  });

  test.each([
    [['--hours', '0'], '--hours'],
    [['--hours', '721'], '1 to 720'],
    [['--hours', '1.5'], '"1.5"'],
    [['--server', 'ftp://x'], '--server'],
    [['--server', 'nowhere'], '"nowhere"'],
    [['--server', 'http://x?y=1'], 'without user and query'],
    [['--server', 'http://me:hush@x'], 'without user and query'],
  ])('%s is misuse', async (args, why) => {
    verifies('BW-cli.01');
    const before = await operators();
    const { code, stdout, stderr } = await run(args);
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toContain(why);
    expect(stderr).not.toContain('hush');
    expect(await operators()).toBe(before);
  });
  const operators = async (): Promise<number> =>
    (await database.query({ text: `SELECT 1 FROM core.bindings WHERE kind = 'operator'` })).length;

  test('no secret stands in what the server says, and its banner says how to sign in', () => {
    expect(server.stdout()).toContain(`${url}/dashboard/   (sign in with: npm run breakwater -- console)`);
    expect(server.stderr(), 'it logs requests').toContain('"request"');
    expect(server.stdout() + server.stderr()).not.toMatch(/bwo_|sign-in=/);
  });
});

// A terminal is made by script of util-linux; that of other systems takes other arguments.
describe.runIf(process.platform === 'linux')('breakwater serve on a terminal', () => {
  test('prints a link that signs in, which works', async () => {
    const folder = temporaryDataDir();
    onTestFinished(() => removeDataDir(folder));
    const main = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('BREAKWATER_')));
    const command = `echo "pid $$ "; exec '${process.execPath}' '${main}' serve --port 0 --data-dir '${folder}'`;
    const terminal = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
      env: { ...env, SHELL: '/bin/sh' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    terminal.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
    const ended = new Promise<void>((resolve, reject) => {
      terminal.once('error', reject);
      terminal.once('close', () => resolve());
    });
    const pid = await until(() => /pid (\d+) /.exec(out)?.[1], 'the terminal is there');
    try {
      const link = await until(() => /Console +(http:\S+#sign-in=bwo_[\w-]{43})\s/.exec(out)?.[1], 'the link is there');
      const { status, body } = await sessionOf(new URL(link).origin, secretOf(link));
      expect(status).toBe(200);
      expect(body['operator']).toMatchObject({ name: expect.stringMatching(NAME) as string, can_act: true });
    } finally {
      process.kill(Number(pid), 'SIGTERM');
      await ended;
    }
  });
});
