import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { openDatabase, type Database } from '../src/postgres/index.ts';
import { postgresProxy, type PostgresProxy } from '../testing/postgres-proxy.ts';
import { testDatabase } from '../testing/database.ts';
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

interface Finding {
  readonly check: string;
  readonly state: string;
  readonly what: string;
  readonly evidence: readonly string[];
  readonly mend: { readonly what: string; readonly commands: readonly string[] } | null;
}
interface Diagnosis {
  readonly code: number | null;
  readonly state: string;
  readonly findings: readonly Finding[];
  of(check: string): Finding;
}

const folder = temporaryDataDir();
const { database, target, open } = await testDatabase({ empty: true });
let proxy: PostgresProxy;
let server: ServerProcess;
let url: string;
let direct: string;

beforeAll(async () => {
  if (!('database' in target)) throw new Error('tests run on a socket');
  direct = `postgres://breakwater@/${target.database}?host=${inject('postgres').socketDir}`;
  proxy = await postgresProxy(target, 'pass');
  server = spawnServer(folder, { env: { DATABASE_URL: proxy.url, BREAKWATER_LOG_LEVEL: 'silent' } });
  url = await server.ready();
});
afterAll(async () => {
  await server.stop();
  await proxy.close();
  await removeDataDir(folder);
});

const command = (args: readonly string[], env: Record<string, string> = {}) =>
  runCommand(args, { env: { DATABASE_URL: direct, BREAKWATER_URL: url, ...env }, cwd: folder });

const doctor = async (args: readonly string[] = [], env: Record<string, string> = {}): Promise<Diagnosis> => {
  const { code, stdout, stderr } = await command(['doctor', '--json', ...args], env);
  expect(stderr).toBe('');
  const said = JSON.parse(stdout) as Omit<Diagnosis, 'code' | 'of'>;
  return {
    code,
    ...said,
    of: (check) => {
      const found = said.findings.find((one) => one.check === check);
      if (found === undefined) throw new Error(`the doctor says nothing about ${check}`);
      return found;
    },
  };
};

/** Carries out what a finding says: SQL on the database, a command as a person would type it. */
const mend = async (finding: Finding, on: Database = database): Promise<void> => {
  for (const text of finding.mend?.commands ?? []) {
    if (/^[A-Z].*;$/s.test(text)) await on.query({ text });
    else if (!text.startsWith('breakwater db drift')) {
      const [program, ...args] = text.split(' ');
      expect(program).toBe('breakwater');
      expect(await command(args)).toMatchObject({ code: 0, stderr: '' });
    }
  }
};

const month = (offset: number): string => {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset, 1)).toISOString().slice(0, 7);
};

test('where all is well it ends with 0, also when it is strict', async () => {
  verifies('BW-cli.01');
  const { code, state, findings } = await doctor(['--strict']);
  expect(findings.filter((one) => one.state === 'failure' || one.state === 'warning')).toEqual([]);
  expect({ code, state }).toEqual({ code: 0, state: 'ok' });
  for (const finding of findings) {
    expect(Object.keys(finding)).toEqual(['check', 'state', 'what', 'evidence', 'mend']);
  }
  const spoken = await command(['doctor']);
  expect(spoken).toMatchObject({ code: 0, stderr: '' });
  expect(spoken.stdout).toMatch(/^ok +readiness +The server is ready\.$/m);
  expect(spoken.stdout.trimEnd()).toMatch(/All is well\.$/);
});

describe('finds, and what it says mends', () => {
  test('drift: what was added and what was taken away', async () => {
    verifies('BW-cli.02');
    await database.query({ text: 'ALTER TABLE core.agents ADD COLUMN stray int; CREATE TABLE core.odd (x int)' });
    await database.query({ text: 'DROP INDEX core.agents_label' });
    const sick = await doctor();
    expect(sick.code).toBe(2);
    const drift = sick.of('drift');
    expect(drift).toMatchObject({ state: 'failure', what: expect.stringContaining('differs') as string });
    expect(drift.evidence).toContain('+ core.agents column stray integer');
    expect(drift.mend?.commands).toContain('ALTER TABLE core.agents DROP COLUMN stray;');
    expect(drift.mend?.commands.at(-1)).toBe('breakwater db drift');
    await mend(drift);
    expect((await doctor()).of('drift').state).toBe('ok');
  });

  test('a missing partition of this month and of the next', async () => {
    verifies('BW-cli.02');
    const names = [0, 1].map((offset) => `tool_usage_${month(offset).replace('-', '_')}`);
    for (const name of names) await database.query({ text: `DROP TABLE audit.${name}` });
    const sick = await doctor();
    expect(sick.code).toBe(2);
    const found = sick.of('partitions');
    expect(found).toMatchObject({
      state: 'failure',
      evidence: [`audit.tool_usage has none for ${month(0)}`, `audit.tool_usage has none for ${month(1)}`],
      mend: { commands: ['breakwater db migrate'] },
    });
    await mend(found);
    expect((await doctor()).of('partitions').state).toBe('ok');
  });

  test('what retention should have dropped long ago', async () => {
    await database.query({
      text: `CREATE TABLE audit.tool_usage_2020_01 PARTITION OF audit.tool_usage
             FOR VALUES FROM ('2020-01-01T00:00Z') TO ('2020-02-01T00:00Z')`,
    });
    const sick = await doctor(['--strict']);
    expect(sick.code).toBe(1);
    const found = sick.of('retention');
    expect(found).toMatchObject({ state: 'warning', evidence: ['audit.tool_usage_2020_01 of audit.tool_usage'] });
    await mend(found);
    expect((await doctor(['--strict'])).code).toBe(0);
  });

  test('pending migrations, and a schema that is newer', async () => {
    verifies('BW-cli.02');
    const other = await testPostgres();
    const env = { DATABASE_URL: other.url };
    const empty = await doctor([], env);
    expect(empty.of('migrations')).toMatchObject({ state: 'warning', mend: { commands: ['breakwater db migrate'] } });
    expect(await command(['db', 'migrate', '--to', '3'], env)).toMatchObject({ code: 0 });
    const sick = await doctor([], env);
    expect(sick.code).toBe(2);
    const found = sick.of('migrations');
    expect(found).toMatchObject({ state: 'failure', what: expect.stringContaining('version 3') as string });
    expect(found.evidence[0]).toBe('4 dialectic');
    expect(sick.of('drift').state).toBe('unknown');
    expect(found.mend?.commands).toEqual(['breakwater db migrate']);
    expect(await command(['db', 'migrate'], env)).toMatchObject({ code: 0 });
    expect((await doctor([], env)).of('migrations').state).toBe('ok');

    await other.database.query({
      text: `INSERT INTO breakwater.schema_migrations (version, name, checksum) VALUES (9000, 'later', 'x')`,
    });
    const newer = (await doctor([], env)).of('migrations');
    expect(newer).toMatchObject({ state: 'failure', what: expect.stringContaining('9000') as string });
    expect(newer.mend?.what).toContain('upgrade');
  });

  test('an unreachable database, without showing the password', async () => {
    verifies('BW-cli.02');
    const port = await freePort();
    const sick = await doctor([], { DATABASE_URL: `postgres://u:topsecret@127.0.0.1:${port}/x` });
    expect(sick.code).toBe(2);
    const found = sick.of('database');
    expect(found).toMatchObject({ state: 'failure', what: expect.stringContaining(`127.0.0.1:${port}`) as string });
    expect(found.mend?.what).toContain('Start it');
    expect(sick.of('partitions').state).toBe('unknown');
    expect(JSON.stringify(sick.findings)).not.toContain('topsecret');
  });

  test('a server that is not ready for long, and since when', async () => {
    verifies('BW-cli.02');
    proxy.become('refuse');
    onTestFinished(() => proxy.become('pass'));
    const began = Date.now();
    const sick = await until(async () => {
      const found = await doctor();
      return found.of('readiness').state === 'failure' ? found : undefined;
    }, 'the server counts as stale');
    expect(sick.code).toBe(2);
    const found = sick.of('readiness');
    expect(found.what).toMatch(/^The server is not ready for \d\d(\.\d)? s: postgres\. Callers get 503\.$/);
    const since = Date.parse(found.evidence[0]?.replace('not ready since ', '') ?? '');
    expect(Math.abs(since - began)).toBeLessThan(5_000);
    expect(found.mend?.what).toContain('PostgreSQL does not answer the server');
    expect(sick.of('database').state).toBe('ok');
    proxy.become('pass');
    await until(async () => ((await doctor()).of('readiness').state === 'ok' ? true : undefined), 'it is ready again');
  });

  test('settings that are wrong, all at once and with the nearest known name', async () => {
    verifies('BW-cli.03');
    const sick = await doctor([], {
      BREAKWATER_PROT: '1',
      BREAKWATER_LOG_LEVEL: 'loud',
      BREAKWATER_FLAG_IDENTITY_STRCT_MODE: 'off',
    });
    expect(sick.code).toBe(2);
    expect(sick.of('configuration').evidence).toEqual([
      expect.stringContaining('did you mean BREAKWATER_FLAG_IDENTITY_STRICT_MODE?'),
      expect.stringContaining('did you mean BREAKWATER_PORT?'),
      expect.stringContaining('BREAKWATER_LOG_LEVEL="loud"'),
    ]);
  });

  test('another program on the port, and nothing where a server was named', async () => {
    const stranger = createServer((_request, response) => response.end('hello'));
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void stranger.close());
    const { port } = stranger.address() as AddressInfo;
    const taken = await doctor([], { BREAKWATER_URL: `http://127.0.0.1:${port}` });
    expect(taken.of('server').mend?.commands).toEqual([`breakwater serve --port ${port + 1}`]);
    const away = await doctor(['--server', `127.0.0.1:${await freePort()}`]);
    expect(away).toMatchObject({ code: 2 });
    expect(away.of('server').what).toMatch(/^No server answers at http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\)\.$/);
  });
});

test('on a machine with nothing yet it makes nothing', async () => {
  const nowhere = temporaryDataDir({ empty: true });
  onTestFinished(() => removeDataDir(nowhere));
  const { code, stdout } = await runCommand(['doctor', '--json', '--data-dir', `${nowhere}/data`], { cwd: nowhere });
  expect(code).toBe(0);
  const { findings } = JSON.parse(stdout) as { findings: Finding[] };
  expect(findings.find(({ check }) => check === 'database')?.what).toContain('breakwater serve');
  expect(readdirSync(nowhere)).toEqual([]);
});

test('called wrongly it ends with 64, which no finding does', async () => {
  verifies('BW-cli.01');
  const wrong = await command(['doctor', '--strct']);
  expect(wrong).toMatchObject({ code: 64, stdout: '' });
  expect(wrong.stderr).toContain('--strict');
});

/** A second database, empty. */
const testPostgres = async (): Promise<{ url: string; database: Database }> => {
  const { socketDir } = inject('postgres');
  const name = `doctor_${process.pid}`;
  await database.query({ text: `CREATE DATABASE ${name} TEMPLATE template0` });
  const second = openDatabase({ target: { socketDir, database: name }, onError: () => undefined });
  onTestFinished(async () => {
    await second.close();
    await open().query({ text: `DROP DATABASE IF EXISTS ${name} WITH (FORCE)` });
  });
  return { url: `postgres://breakwater@/${name}?host=${socketDir}`, database: second };
};
