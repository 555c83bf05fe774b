import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { verifies } from '../../testing/verifies.ts';
import { compareShadows, compareWithManifest } from './drift.ts';

const MAIN = fileURLToPath(new URL('../cli/main.ts', import.meta.url));

/** Runs the drift check as an operator does; gives its exit code and what it printed. */
const driftCheck = async (url: string): Promise<{ code: number; output: string }> => {
  const child = spawn(process.execPath, [MAIN, 'db', 'drift'], {
    env: { PATH: process.env['PATH'], DATABASE_URL: url },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (output += bytes.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, output };
};

describe('the drift check', async () => {
  const { database, target } = await testDatabase();
  if (!('socketDir' in target)) throw new Error('tests run on the embedded server');
  const url = `postgres://breakwater@localhost/${target.database}?host=${encodeURIComponent(target.socketDir)}`;
  const sql = (text: string) => database.query({ text });

  it('finds the migrated schema as the manifest says, and exits 0', async () => {
    verifies('W3-8.02');
    expect(await compareWithManifest(database)).toEqual([]);
    expect(await compareShadows(database)).toEqual([]);
    expect(await driftCheck(url)).toMatchObject({ code: 0 });
  });

  it.each([
    [
      'a column more',
      'ALTER TABLE core.agents ADD extra int',
      'DROP COLUMN extra',
      '+ core.agents column extra integer',
    ],
    [
      'another type',
      'ALTER TABLE core.agents ALTER purpose TYPE varchar(80)',
      'ALTER purpose TYPE text',
      '- core.agents column purpose text',
    ],
    [
      'another default',
      `ALTER TABLE core.agents ALTER status SET DEFAULT 'paused'`,
      `ALTER status SET DEFAULT 'active'`,
      `+ core.agents column status text not null default 'paused'::text`,
    ],
    [
      'a null allowed',
      'ALTER TABLE core.agents ALTER updated_at DROP NOT NULL',
      'ALTER updated_at SET NOT NULL',
      '- core.agents column updated_at timestamp with time zone not null default now()',
    ],
    [
      'a constraint lost',
      'ALTER TABLE core.agents DROP CONSTRAINT agents_status_check',
      `ADD CONSTRAINT agents_status_check CHECK (status IN ('active', 'paused', 'archived'))`,
      '- core.agents constraint agents_status_check',
    ],
  ])('finds %s', async (_, change, undo, line) => {
    verifies('W3-8.02');
    await sql(change);
    const differences = await compareWithManifest(database);
    expect(differences.some((difference) => difference.startsWith(line))).toBe(true);
    await sql(`ALTER TABLE core.agents ${undo}`);
    expect(await compareWithManifest(database)).toEqual([]);
  });

  it('finds a lost index, a table more and a partitioned table that is none', async () => {
    verifies('W3-8.02');
    await sql('DROP INDEX core.agents_created');
    await sql('CREATE TABLE core.extra (id int)');
    await sql('DROP TABLE audit.tool_usage');
    const differences = (await compareWithManifest(database)).join('\n');
    expect(differences).toContain('- core.agents index CREATE INDEX agents_created');
    expect(differences).toContain('+ core.extra column id integer');
    expect(differences).toContain('- audit.tool_usage partitioned by RANGE (ts)');
    const { code, output } = await driftCheck(url);
    expect(code).toBe(1);
    expect(output).toContain('- core.agents index CREATE INDEX agents_created');
  });

  it('exits 2 when there is no database', async () => {
    verifies('W3-8.02');
    expect(await driftCheck('postgres://nobody@127.0.0.1:1/none')).toMatchObject({ code: 2 });
  });
});

describe('the drift check of shadow tables', async () => {
  const { database } = await testDatabase();

  it('finds a shadow whose columns differ from its canonical table, to the length of a type', async () => {
    verifies('W3-8.02');
    await database.query({ text: 'CREATE TABLE core.agents_shadow (LIKE core.agents)' });
    await database.query({
      text: 'ALTER TABLE core.agents_shadow ADD shadow_write_at timestamptz NOT NULL DEFAULT now()',
    });
    expect(await compareShadows(database)).toEqual([]);
    await database.query({ text: 'ALTER TABLE core.agents_shadow ALTER created_at TYPE timestamp' });
    await database.query({ text: 'ALTER TABLE core.agents_shadow DROP COLUMN notes' });
    await database.query({ text: 'CREATE TABLE core.lonely_shadow (id int)' });
    expect(await compareShadows(database)).toEqual([
      '+ core.agents_shadow column created_at timestamp without time zone (as in core.agents)',
      '- core.agents_shadow column created_at timestamp with time zone (as in core.agents)',
      '- core.agents_shadow column notes text (as in core.agents)',
      '+ core.lonely_shadow has no canonical table core.lonely',
    ]);
  });
});
