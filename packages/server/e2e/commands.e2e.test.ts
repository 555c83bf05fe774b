import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { SETTINGS } from '../src/cli/settings.ts';
import { openDatabase, startEmbedded } from '../src/postgres/index.ts';
import { migrations } from '../src/postgres/migrate.ts';
import { freePort, postmasterPid, removeDataDir, runCommand, temporaryDataDir } from '../testing/server.ts';
import { verifies } from '../testing/verifies.ts';

const folder = temporaryDataDir({ empty: true });
afterAll(() => removeDataDir(folder));

describe('--help', () => {
  test.each(['', 'serve', 'db plan'])('of breakwater %s', async (words) => {
    const command = words.split(' ').filter((word) => word !== '');
    const { code, stdout, stderr } = await runCommand([...command, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`Usage: ${['breakwater', ...command].join(' ')}`);
  });

  test('of serve names every setting with its variable', async () => {
    const { stdout } = await runCommand(['serve', '--help']);
    const text = stdout.replaceAll(/\s+/g, ' ');
    for (const setting of Object.values(SETTINGS)) {
      if ('flag' in setting) expect(text).toContain(`${setting.description} (${setting.env}`);
    }
  });

  test('--version prints the version', async () => {
    expect(await runCommand(['--version'])).toMatchObject({ code: 0, stdout: '0.1.0\n' });
  });

  test.each([
    [['srve'], 'serve'],
    [['serve', '--prot', '1'], '--port'],
    [['db', 'plann'], 'plan'],
  ])('a misspelt word (%j) ends with 64 and the nearest one', async (args, nearest) => {
    const { code, stderr } = await runCommand(args);
    expect(code).toBe(64);
    expect(stderr).toContain(`Did you mean ${nearest}?`);
  });
});

describe('breakwater db', () => {
  const db = (...args: string[]) => runCommand(['db', ...args, '--data-dir', folder]);

  test('plan, migrate and drift tell their result by their exit code, and leave no PostgreSQL behind', async () => {
    verifies('W3-3.18');
    expect(await db('plan'), 'nothing is begun by looking').toMatchObject({ code: 2 });
    expect(await db('migrate', '--to', '0')).toMatchObject({ code: 0, stderr: '' });
    const planned = await db('plan', '--json');
    expect(planned).toMatchObject({ code: 0, stderr: '' });
    const plan = JSON.parse(planned.stdout) as { current: number; steps: unknown[] };
    expect(plan).toMatchObject({ current: 0 });
    expect(plan.steps).toHaveLength(migrations().length);

    expect(await db('drift')).toMatchObject({ code: 1 });
    const migrated = await db('migrate');
    expect(migrated).toMatchObject({ code: 0, stderr: '' });
    const steps = migrations().map(({ version, name }) => `${version} ${name}`);
    const spoken = (text: string) => text.split('\n').map((line) => line.replace(/ +/, ' '));
    expect(spoken(migrated.stdout).slice(0, steps.length)).toEqual(steps.map((step) => `up ${step}`));
    expect((await db('plan')).stdout).toMatch(/nothing to do/);
    expect(await db('drift')).toMatchObject({ code: 0, stdout: 'The schema is as the manifest says.\n' });

    const embedded = await startEmbedded({ dataDir: folder });
    const database = openDatabase({ target: embedded.target, onError: () => undefined });
    await database.query({ text: 'ALTER TABLE core.agents ADD COLUMN stray int' });
    await database.close();
    await embedded.stop();
    const drifted = await db('drift', '--json');
    expect(drifted.code).toBe(1);
    expect(JSON.parse(drifted.stdout)).toEqual({ same: false, differences: [expect.stringContaining('stray')] });

    const back = (await db('migrate', '--to', '0')).stdout;
    expect(spoken(back).slice(0, steps.length)).toEqual(steps.toReversed().map((step) => `down ${step}`));
    expect(postmasterPid(folder)).toBeUndefined();
  });

  test.each([
    'db plan',
    'db drift',
    'db backup --out /nonexistent/backup',
    'audit verify',
    'export',
    'console',
    'operator list',
    'operator create --name x',
    'operator revoke x --reason y',
    'flags list',
    'flags get dispatcher_mode',
    'saga list',
    'retention status',
    'retention run --dry-run',
    'channel report',
    'calibration report',
    'substrate list',
  ])('%s on a mistyped data directory exits 2, says where it looked, and makes nothing', async (words) => {
    const mistyped = join(folder, 'brakewater');
    const { code, stdout, stderr } = await runCommand([...words.split(' '), '--data-dir', mistyped]);
    expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(mistyped);
    expect(existsSync(mistyped)).toBe(false);
  });

  test('a wrong --to ends with 64 and says what it must be', async () => {
    const { code, stderr } = await db('plan', '--to', 'new');
    expect({ code, stderr }).toEqual({
      code: 64,
      stderr: 'breakwater: --to must be the number of a migration; given "new"\n',
    });
    const beyond = await db('plan', '--to', '999');
    expect(beyond.code).toBe(1);
    expect(beyond.stderr).toContain('There is no migration 999.');
  });

  test('no database: drift ends with 2, plan and migrate with 1 and the way out', async () => {
    const url = `postgres://127.0.0.1:${await freePort()}/x`;
    expect(await db('drift', '--database-url', url)).toMatchObject({ code: 2 });
    for (const word of ['plan', 'migrate']) {
      const { code, stderr } = await db(word, '--database-url', url);
      expect(code).toBe(1);
      expect(stderr).toContain('does not answer');
      expect(stderr).toContain('DATABASE_URL');
    }
  });
});
