import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { SETTINGS } from '../src/cli/settings.ts';
import {
  freePort,
  postmasterPid,
  removeDataDir,
  runCommand,
  spawnServer,
  temporaryDataDir,
  type CommandOptions,
} from '../testing/server.ts';
import { verifies } from '../testing/verifies.ts';

const folder = temporaryDataDir();
afterAll(() => removeDataDir(folder));

/** Runs `serve` where it must not start; gives what it said. It leaves no PostgreSQL behind. */
const refusedStart = async (options: CommandOptions & { args?: string[] } = {}): Promise<string> => {
  const { args = [], ...command } = options;
  const result = await runCommand(['serve', '--port', '0', '--data-dir', folder, ...args], command);
  expect(result.code, result.stderr).toBe(1);
  expect(result.stdout).toBe('');
  expect(result.stderr, 'a known cause needs no stack').not.toMatch(/\n\s+at /);
  expect(postmasterPid(folder)).toBeUndefined();
  return result.stderr;
};

test('a taken port: the message names it and the way out, and nothing was started', async () => {
  verifies('BW-postgres.02');
  const port = await freePort();
  const other = createServer().listen(port, '127.0.0.1');
  try {
    const said = await refusedStart({ args: ['--port', String(port)] });
    expect(said).toContain(`Port ${port} on 127.0.0.1 is in use`);
    expect(said).toContain('--port or BREAKWATER_PORT');
  } finally {
    other.close();
  }
});

test.skipIf(process.getuid?.() !== 0)('an unwritable data directory', async () => {
  verifies('BW-postgres.02');
  const locked = join(folder, 'locked');
  mkdirSync(locked);
  chownSync(locked, 0, 0);
  chmodSync(locked, 0o755);
  const said = await refusedStart({ args: ['--data-dir', join(locked, 'data')], uid: 65534, gid: 65534 });
  expect(said).toContain(`The data directory ${join(locked, 'data')} cannot be written`);
  expect(said).toContain('BREAKWATER_DATA_DIR');
});

test('a second server on a data directory in use is refused, and the first goes on', async () => {
  verifies('BW-postgres.02');
  const used = temporaryDataDir();
  const first = spawnServer(used);
  try {
    const url = await first.ready();
    const said = await refusedStart({ args: ['--data-dir', used] });
    expect(said).toContain(`Another Breakwater server (process ${first.pid}) uses this data directory.`);
    expect(said).toContain('DATABASE_URL');
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  } finally {
    await first.stop();
    await removeDataDir(used);
  }
});

test('a DATABASE_URL where nothing listens, and one that is no URL', async () => {
  verifies('BW-postgres.02');
  const port = await freePort();
  const away = await refusedStart({ env: { DATABASE_URL: `postgres://u:topsecret@127.0.0.1:${port}/x` } });
  expect(away).toContain('DATABASE_URL');
  expect(away).toContain(String(port));
  expect(away).not.toContain('topsecret');
  const wrong = await refusedStart({ env: { DATABASE_URL: 'mysql://127.0.0.1/x' } });
  expect(wrong).toContain('not the URL of a PostgreSQL database');
});

test('an unknown variable with our prefix is named with its nearest neighbour', async () => {
  const said = await refusedStart({ env: { BREAKWATER_PROT: '9000' } });
  expect(said).toContain('BREAKWATER_PROT is unknown; did you mean BREAKWATER_PORT?');
});

test('all problems are told at once, one a line', async () => {
  const said = await refusedStart({ env: { BREAKWATER_HOSTS: 'x', BREAKWATER_LOG_LEVEL: 'loud' } });
  expect(said.trim().split('\n')).toEqual([
    expect.stringContaining('BREAKWATER_HOSTS is unknown'),
    expect.stringContaining('BREAKWATER_LOG_LEVEL="loud" must be one of trace, debug'),
  ]);
});

describe('a value that breaks its rule', () => {
  /** By setting; those that take any text have no wrong one. */
  const WRONG: Partial<Record<keyof typeof SETTINGS, string>> = {
    port: '65536',
    host: ' ',
    dataDir: '',
    callsPerMinute: '-1',
    callsPerHour: 'many',
    readsPerMinute: '-1',
    readsPerHour: '1.5',
    startsPerMinute: 'x',
    startsPerHour: '-2',
    loopUpdatesPerMinute: '21',
    pauseHours: '0.5',
    compute: 'ftp://127.0.0.1',
    otlpEndpoint: 'ftp://127.0.0.1',
    traceRatio: '1.5',
    logLevel: 'loud',
    checkAnswers: 'maybe',
  };
  /** What they hold is not to be seen. */
  const WRONG_SECRETS: Partial<Record<keyof typeof SETTINGS, string>> = { computeToken: 'top secret' };
  test('every setting with a rule is tried', () => {
    const anyText = ['databaseUrl', 'directUrl', 'socket', 'tokens', 'allowedHosts', 'allowedOrigins', 'residents'];
    expect([...Object.keys(WRONG), ...anyText, ...Object.keys(WRONG_SECRETS)].sort()).toEqual(
      Object.keys(SETTINGS).sort(),
    );
  });
  test.each(Object.entries(WRONG) as [keyof typeof SETTINGS, string][])('%s = "%s"', async (name, value) => {
    const { env } = SETTINGS[name];
    // Without the flags that refusedStart gives, which would win over the environment.
    const result = await runCommand(['serve'], { env: { [env]: value }, cwd: folder });
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(new RegExp(`^breakwater: ${env}="${value}" must `));
  });
  test.each([
    ...(Object.entries(WRONG_SECRETS) as [keyof typeof SETTINGS, string][]),
    ['compute', 'https://me:top secret@remote'] as const,
  ])('%s does not show its secret', async (name, value) => {
    const { env } = SETTINGS[name];
    const said = await refusedStart({ env: { [env]: value } });
    expect(said).toMatch(new RegExp(`^breakwater: ${env}.* must `));
    expect(said).not.toContain('secret');
  });
});

describe('beyond loopback', () => {
  test('without a token the server refuses to start', async () => {
    verifies('BW-serve.10');
    const said = await refusedStart({ env: { BREAKWATER_HOST: '0.0.0.0' } });
    expect(said).toContain('BREAKWATER_TOKENS');
  });

  test('with a token it starts, and asks for it', async () => {
    verifies('BW-serve.10', 'BW-serve.01');
    const own = temporaryDataDir();
    const server = spawnServer(own, { env: { BREAKWATER_HOST: '0.0.0.0', BREAKWATER_TOKENS: 'one,two' } });
    try {
      const { hostname, port } = new URL(await server.ready());
      expect(hostname, 'an address that can be called').toBe('127.0.0.1');
      const call = (headers: Record<string, string>) =>
        fetch(`http://127.0.0.1:${port}/v1/tools/call`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify({ name: 'health_check', arguments: {} }),
        });
      const without = await call({});
      expect(without.status).toBe(401);
      expect(without.headers.get('www-authenticate')).toContain('Bearer');
      expect(await without.json()).toMatchObject({
        success: false,
        error_code: 'UNAUTHORIZED',
        hint: 'Send "Authorization: Bearer <token>".',
      });
      expect((await call({ authorization: 'Bearer three' })).status).toBe(401);
      expect((await call({ authorization: 'Bearer two' })).status).toBe(200);
      expect(server.stdout(), 'the banner shows how to send a token, never a token').not.toMatch(/Bearer (one|two)/);
    } finally {
      await server.stop();
      await removeDataDir(own);
    }
  });
});
