import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { withDatabase } from '../src/cli/with-database.ts';
import { openDatabase, type Database } from '../src/postgres/index.ts';
import { testDatabase } from '../testing/database.ts';
import { postJson } from '../testing/rest.ts';
import {
  freePort,
  postmasterPid,
  removeDataDir,
  runCommand,
  spawnServer,
  temporaryDataDir,
  until,
  type ServerProcess,
} from '../testing/server.ts';
import { verifies } from '../testing/verifies.ts';

const NOBODY = '00000000-0000-4000-8000-000000000000';

/** Runs a command that must end well, and gives what it said. */
const said = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await runCommand(args);
  expect({ code, stderr }, args.join(' ')).toEqual({ code: 0, stderr: '' });
  return stdout;
};

/** Runs a command that must be refused, and gives what it said; a known cause needs no stack. */
const endsWith =
  (expected: number) =>
  async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runCommand(args);
    expect({ code, stdout }, args.join(' ')).toEqual({ code: expected, stdout: '' });
    expect(stderr).not.toMatch(/\n\s+at /);
    return stderr;
  };
const refused = endsWith(1);
/** A command line that cannot be understood. */
const misused = endsWith(64);

describe('while the server runs', () => {
  const folder = temporaryDataDir();
  let server: ServerProcess;
  let url: string;
  let database: Database;
  let postmaster: number | undefined;
  const here = ['--data-dir', folder];

  beforeAll(async () => {
    server = spawnServer(folder, { env: { BREAKWATER_LOG_LEVEL: 'trace' } });
    url = await server.ready();
    postmaster = postmasterPid(folder);
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

  /** Tables that have a row with this text in any of its columns. */
  const tablesWith = async (text: string): Promise<string[]> => {
    const tables = await database.query<{ name: string }>({
      text: `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
             WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
    });
    const found: string[] = [];
    for (const { name } of tables) {
      const rows = await database.query({
        text: `SELECT 1 FROM ${name} AS t WHERE strpos(t::text, $1) > 0 LIMIT 1`,
        values: [text],
      });
      if (rows.length > 0) found.push(name);
    }
    return found;
  };

  test('an operator is made and ended; the server and its PostgreSQL go on', async () => {
    expect(await said('operator', 'list', ...here)).toContain('breakwater operator create --name');
    const text = await said('operator', 'create', '--name', 'ann', ...here);
    const secrets = text.match(/bwo_[\w-]{43}/g);
    expect(secrets, 'the secret is printed once').toHaveLength(1);
    expect(text).toContain('Authorization: Bearer bwo_…');
    expect(text).toContain('X-Breakwater-Operator: bwo_…');
    const [row] = await database.query<{ scopes: string[]; days: number }>({
      text: `SELECT scopes, extract(day FROM expires_at - created_at)::int AS days
             FROM core.bindings WHERE kind = 'operator' AND name = 'ann' AND revoked_at IS NULL`,
    });
    expect(row).toEqual({ scopes: ['operator:read', 'operator:act'], days: 365 });

    expect(await refused('operator', 'create', '--name', 'ann', ...here)).toMatch(
      /An operator "ann" is in force already\.\n.*operator revoke "ann"/,
    );
    expect(await said('operator', 'list', ...here)).toMatch(/^ann +operator:read operator:act .* never .* in force$/m);
    expect(await said('operator', 'revoke', 'ann', '--reason', 'she left', ...here)).toContain('revoked');
    expect(await said('operator', 'list', ...here)).toMatch(/^ann .* revoked$/m);
    expect(await refused('operator', 'revoke', 'ann', '--reason', 'she left', ...here)).toContain('operator list');
    expect(await misused('operator', 'revoke', 'ann', ...here)).toContain('--reason');
    expect(
      await database.query({
        text: `SELECT payload ->> 'reason' AS reason FROM audit.events WHERE event_type = 'operator_revoked' AND payload ->> 'name' = 'ann'`,
      }),
    ).toEqual([{ reason: 'she left' }]);

    expect(postmasterPid(folder)).toBe(postmaster);
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  });

  test('the secret of an operator is in no table and in no log', async () => {
    const made = JSON.parse(
      await said('operator', 'create', '--name', 'ben', '--scope', 'read', '--expires-days', '7', '--json', ...here),
    ) as { name: string; scopes: string[]; secret: string };
    expect(made).toMatchObject({ name: 'ben', scopes: ['operator:read'] });
    for (const headers of [{ authorization: `Bearer ${made.secret}` }, { 'x-breakwater-operator': made.secret }]) {
      await postJson(url, '/v1/tools/call', { name: 'health_check', arguments: {} }, headers);
    }
    const random = made.secret.slice('bwo_'.length);
    expect(await tablesWith(random)).toEqual([]);
    expect(await tablesWith('ben'), 'the search finds what is there').toContain('core.bindings');
    expect(server.stdout() + server.stderr()).not.toContain(random);
    expect(await said('operator', 'list', '--json', ...here)).not.toContain(random);
  });

  test('a flag that is set is in force within a second, with who and why on record', async () => {
    verifies('W3-10.10', 'W3-10.13', 'BW-flags.01');
    const inForce = async () => (await postJson(url, '/v1/feature_flag/get', { name: 'identity_strict_mode' })).body;
    expect(await inForce()).toMatchObject({ value: 'observe' });
    const text = await said(
      ...['flags', 'set', 'identity_strict_mode', 'strict', '--reason', 'drill 7', '--as', 'ann', ...here],
    );
    expect(text).toBe('identity_strict_mode is enforce, which is what "strict" means here.\n');
    await expect.poll(inForce, { timeout: 1000, interval: 5 }).toMatchObject({ value: 'enforce' });

    const listed = JSON.parse(await said('flags', 'list', '--json', ...here)) as unknown[];
    expect(listed[0]).toMatchObject({
      key: 'identity_strict_mode',
      value: 'enforce',
      origin: 'postgres',
      values: ['off', 'observe', 'enforce'],
      stored: { by: 'ann', reason: 'drill 7' },
    });
    expect(await said('flags', 'list', ...here)).toMatch(
      /^identity_strict_mode +enforce +postgres +observe +off, observe, enforce +ann +drill 7$/m,
    );
    await said('flags', 'set', 'identity_strict_mode', 'false', '--reason', 'drill over', ...here);
    await expect.poll(inForce, { timeout: 1000, interval: 5 }).toMatchObject({ value: 'observe' });
    expect(await said('flags', 'history', 'identity_strict_mode', ...here)).toMatch(
      /^WHEN.*\n\S+ +identity_strict_mode +enforce +observe +\S+ +drill over\n\S+ +\S+ +observe +enforce +ann +drill 7\n$/,
    );
  });

  test('the options of earlier releases still set a flag, and say what they are called now', async () => {
    const { code, stderr } = await runCommand([
      ...['flags', 'set', 'identity_strict_mode', 'observe', '--why', 'old words', '--who', 'cleo', ...here],
    ]);
    expect(code).toBe(0);
    expect(stderr).toBe('breakwater: --why is deprecated; use --reason\nbreakwater: --who is deprecated; use --as\n');
    const [newest] = JSON.parse(await said('flags', 'history', '--json', ...here)) as unknown[];
    expect(newest).toMatchObject({ by: 'cleo', reason: 'old words' });
  });

  test('what is not legal for a flag is refused with what is', async () => {
    verifies('BW-flags.01');
    const set = (key: string, value: string) => refused('flags', 'set', key, value, '--reason', 'x', ...here);
    expect(await set('identity_strict_mode', 'on')).toContain('off, observe, enforce');
    expect(await set('strict', 'off')).toContain('identity_strict_mode, ipua_pin_check_mode');
    expect(await refused('flags', 'history', 'strict', ...here)).toContain('identity_strict_mode, ipua_pin_check_mode');
    expect(await misused('flags', 'set', 'identity_strict_mode', 'off', ...here)).toContain('--reason');
  });

  test('a flag that the environment sets says so', async () => {
    verifies('BW-flags.01');
    const env = { BREAKWATER_FLAG_IPUA_PIN_CHECK_MODE: 'observe' };
    const set = ['flags', 'set', 'ipua_pin_check_mode', 'enforce', '--reason', 'as before', ...here];
    const { code, stdout } = await runCommand(set, { env });
    expect(code).toBe(0);
    expect(stdout).toContain('with BREAKWATER_FLAG_IPUA_PIN_CHECK_MODE it is observe');
  });

  test('an agent is enrolled, shown, and released', async () => {
    await database.query({ text: `INSERT INTO core.agents (id, label) VALUES ($1, 'resident')`, values: [NOBODY] });
    await database.query({ text: 'INSERT INTO core.identities (agent_id) VALUES ($1)', values: [NOBODY] });
    expect(await said('substrate', 'list', ...here)).toContain('breakwater substrate enrol --agent');
    const enrol = ['substrate', 'enrol', '--agent', NOBODY, '--reason', 'one host', ...here];
    const file = '/proc/self/exe';
    expect(await said(...enrol, '--executable', file)).toContain(`${file} is a link`);
    expect(await said(...enrol, '--executable', '/no/such', '--unit', 'a.service')).toMatch(
      /enrolled anew: only \/no\/such in a\.service may.*\n.*not on this machine/,
    );
    expect(await said('substrate', 'list', ...here)).toMatch(
      /^AGENT.*\n0{8}-\S+ +resident +active +\/no\/such +a\.service +\S+ +-\n$/,
    );
    expect(await refused(...enrol, '--executable', 'relative')).toContain('must be an absolute path');
    expect(await refused(...enrol, '--executable', '/x', '--unit', 'a')).toContain('agent.service');
    expect(await said('substrate', 'remove', '--agent', NOBODY, '--reason', 'it moves', ...here)).toContain(
      'no longer enrolled',
    );
    expect(await refused('substrate', 'remove', '--agent', NOBODY, '--reason', 'it moves', ...here)).toContain(
      'substrate list',
    );
    // A name, or the beginning of an id, will do wherever an agent is meant.
    await said('substrate', 'enrol', '--agent', 'resident', '--executable', '/no/such', '--reason', 'by name', ...here);
    await said('substrate', 'remove', '--agent', '00000000', '--reason', 'by its first letters', ...here);
    expect(
      await database.query({
        text: `SELECT payload ->> 'reason' AS reason FROM audit.events WHERE agent_id = $1 AND event_type LIKE 'substrate_%'
               ORDER BY chain_index DESC LIMIT 2`,
        values: [NOBODY],
      }),
    ).toEqual([{ reason: 'by its first letters' }, { reason: 'by name' }]);
    expect(await misused('substrate', 'remove', '--agent', 'resident', '--reason', ' ', ...here)).toContain(
      'must say why',
    );
  });

  test('the schema can be looked at and moved up, but not down', async () => {
    expect(await said('db', 'plan', ...here)).toContain('nothing to do');
    expect(await said('db', 'migrate', ...here)).toContain('nothing to do');
    expect(await refused('db', 'migrate', '--to', '0', ...here)).toMatch(/server uses this database.*\n.*Stop every/);
    expect(postmasterPid(folder)).toBe(postmaster);
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  });

  test('many commands at once do not disturb each other', async () => {
    const names = ['c1', 'c2', 'c3', 'c4'];
    await Promise.all(names.map((name) => said('operator', 'create', '--name', name, ...here)));
    const rows = await database.query({
      text: `SELECT 1 FROM core.bindings WHERE kind = 'operator' AND name = ANY($1::text[])`,
      values: [names],
    });
    expect(rows).toHaveLength(names.length);
  });
});

describe('without a server', () => {
  test('commands take turns on a PostgreSQL of their own, and leave none behind', async () => {
    const folder = temporaryDataDir();
    onTestFinished(() => removeDataDir(folder));
    const here = ['--data-dir', folder];
    await said('db', 'migrate', ...here);
    await Promise.all(['a', 'b', 'c'].map((name) => said('operator', 'create', '--name', name, ...here)));
    expect(postmasterPid(folder)).toBeUndefined();
    expect(JSON.parse(await said('operator', 'list', '--json', ...here))).toHaveLength(3);
    expect(postmasterPid(folder)).toBeUndefined();
  });

  test('a server whose start meets a command starts after it', async () => {
    const folder = temporaryDataDir();
    onTestFinished(() => removeDataDir(folder));
    const port = await freePort();
    const health = (path: string) =>
      fetch(`http://127.0.0.1:${port}/health/${path}`).then(
        ({ status }) => status,
        () => undefined,
      );
    const whileAlone = async (_: unknown, { isAlone }: { isAlone: boolean }) => {
      expect(isAlone).toBe(true);
      const starting = spawnServer(folder, { port });
      await until(() => health('live'), 'the server has begun');
      expect(await health('ready')).toBe(503);
      return starting;
    };
    const server = await withDatabase({ dataDir: folder }, whileAlone, { mayCreate: true });
    await server.ready();
    await server.stop();
  });

  test('a command under which the server stops says what happened', async () => {
    const folder = temporaryDataDir();
    onTestFinished(() => removeDataDir(folder));
    const server = spawnServer(folder);
    await server.ready();
    const work = withDatabase({ dataDir: folder }, async (database) => {
      await database.query({ text: 'SELECT 1' });
      await server.stop();
      await database.query({ text: 'SELECT 1' });
    });
    await expect(work).rejects.toMatchObject({
      name: 'StartupError',
      message: expect.stringContaining(`The server (process ${server.pid}) stopped`) as string,
    });
  });
});

describe('on a database of the operator', async () => {
  const { target, open } = await testDatabase({ empty: true });
  const { socketDir } = inject('postgres');
  const name = 'database' in target ? target.database : '';
  const there = ['--database-url', `postgres://breakwater@/${name}?host=${socketDir}`];

  test('tables of another version are left to the server, or to "db migrate"', async () => {
    expect(await refused('operator', 'list', ...there)).toMatch(/schema is at version 0.*\n.*breakwater db migrate/);
    await said('db', 'migrate', ...there);
    expect(await said('operator', 'list', ...there)).toContain('There are no operators.');
  });

  test('the schema goes down only when nobody uses it', async () => {
    const server = await open().connect();
    expect(await refused('db', 'migrate', '--to', '0', ...there)).toContain('server uses this database');
    await server.close();
    const elsewhere = openDatabase({ target: { socketDir, database: 'postgres' }, onError: () => undefined });
    onTestFinished(() => elsewhere.close());
    const users = () => elsewhere.query({ text: 'SELECT 1 FROM pg_stat_activity WHERE datname = $1', values: [name] });
    await expect.poll(users).toEqual([]);
    expect(await said('db', 'migrate', '--to', '0', ...there)).toContain('down');
  });
});
