import { describe, expect, inject, test } from 'vitest';
import { ensurePartitions, type Database } from '../src/postgres/index.ts';
import { systemClock } from '../src/runtime/index.ts';
import { ManualClock } from '../src/runtime/testing/manual-clock.ts';
import { testDatabase } from '../testing/database.ts';
import { born, testNode } from '../testing/node.ts';
import { runCommand } from '../testing/server.ts';
import { verifies } from '../testing/verifies.ts';

const MONTHS = [13, 8, 1] as const;

/** The middle of the month that was so many months ago. */
const ago = (months: number): number => {
  const now = new Date(systemClock.now());
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months, 15);
};
const partOf = (months: number): string => new Date(ago(months)).toISOString().slice(0, 7).replace('-', '_');

/** What was shown, without the estimates of rows, which autovacuum renews when it likes. */
const withoutEstimates = (shown: unknown): unknown =>
  JSON.parse(JSON.stringify(shown, (key, value: unknown) => (key === 'approx_rows' ? undefined : value)));

/** The command line that works on a database. */
const commandsOn = async (database: Database) => {
  const [row] = await database.query<{ name: string }>({ text: 'SELECT current_database() AS name' });
  const there = ['--database-url', `postgres://breakwater@/${row?.name ?? ''}?host=${inject('postgres').socketDir}`];
  const run = (...args: string[]) => runCommand([...args, ...there]);
  /** Runs a command that must end with this code, and gives the JSON that it printed. */
  const json = async <T = Record<string, unknown>>(code: number, ...args: string[]): Promise<T> => {
    const ended = await run(...args, '--json');
    expect({ code: ended.code, stderr: ended.stderr }, args.join(' ')).toEqual({ code, stderr: '' });
    return JSON.parse(ended.stdout) as T;
  };
  return { run, json };
};

/** An agent that wrote a row in each of {@link MONTHS}. */
const agentOverMonths = async (database: Database): Promise<string> => {
  const clock = new ManualClock(ago(MONTHS[0]));
  for (const months of MONTHS) await ensurePartitions(database, ago(months));
  const node = await testNode(database, { clock });
  const { agentId } = await born(node);
  for (const months of MONTHS.slice(1)) {
    clock.advance(ago(months) - clock.now());
    const renamed = await node.identity.rename(agentId, `Ada ${months}`, clock.now() + 10_000);
    if (!renamed.ok) throw new Error(renamed.refusal.message);
  }
  await node.stop();
  return agentId;
};

interface Status {
  readonly tables: readonly {
    readonly table: string;
    readonly retention_days: number | null;
    readonly overdue: readonly string[];
    readonly next_due: { readonly partition: string; readonly at: string } | null;
    readonly months_ahead: number;
    readonly partitions: readonly { readonly name: string; readonly bytes: number }[];
  }[];
}

describe('retention, by hand', async () => {
  const { database } = await testDatabase();
  const { run, json } = await commandsOn(database);
  await agentOverMonths(database);
  const events = async () =>
    (await json<Status>(0, 'retention', 'status')).tables.find(({ table }) => table === 'audit.events');

  test('shows what is due, drops it when told to, and nothing when only asked', async () => {
    verifies('W3-6.03');
    const gone = [`events_${partOf(13)}`, `events_${partOf(8)}`];
    const before = await events();
    expect(before).toMatchObject({ retention_days: 180, months_ahead: 3 });
    expect(before?.overdue).toEqual(expect.arrayContaining(gone));
    const text = (await run('retention', 'status')).stdout;
    expect(text).toMatch(/audit\.events +180 d/);
    expect(text).toMatch(/audit\.r1_score_audit +for ever/);
    expect(text).toMatch(/core\.agent_state +90 d/);

    const would = await json<{ dry_run: boolean; dropped: { name: string }[] }>(0, 'retention', 'run', '--dry-run');
    expect(would).toMatchObject({ dry_run: true, busy: [] });
    expect((await run('retention', 'run', '--dry-run')).stdout).toContain('Would be dropped:');
    expect(withoutEstimates(await events())).toEqual(withoutEstimates(before));

    const did = await json<typeof would>(0, 'retention', 'run');
    expect(did).toMatchObject({ dry_run: false, busy: [] });
    expect(withoutEstimates(did.dropped)).toEqual(withoutEstimates(would.dropped));
    expect(did.dropped.map(({ name }) => name)).toEqual(expect.arrayContaining(gone));
    const after = await events();
    expect(after?.overdue).toEqual([]);
    expect(after?.partitions.map(({ name }) => name)).toContain(`events_${partOf(1)}`);
    expect(Date.parse(after?.next_due?.at ?? '')).toBeGreaterThan(systemClock.now());
    expect((await run('retention', 'run')).stdout).toContain('No partition is due.');
  });

  test('says what it could not drop, and ends with 1', async () => {
    await ensurePartitions(database, ago(13));
    const reader = await database.connect();
    await reader.query({ text: 'BEGIN' });
    await reader.query({ text: 'SELECT count(*) FROM audit.tool_usage' });
    const { busy } = await json<{ busy: { table: string }[] }>(1, 'retention', 'run');
    expect(new Set(busy.map(({ table }) => table))).toEqual(new Set(['audit.tool_usage']));
    await reader.query({ text: 'ROLLBACK' });
    await reader.close();
  });
});

describe('audit verify', async () => {
  const { database } = await testDatabase();
  const { run, json } = await commandsOn(database);
  const agentId = await agentOverMonths(database);

  test('ends well on a trail that nobody touched, before and after retention, and says what it cannot show', async () => {
    verifies('BW-channel.03');
    expect(await json(0, 'audit', 'verify')).toMatchObject({ ok: true, agents: 1, rows: 3, faults: [], since: null });
    await json(0, 'retention', 'run');
    expect(await json(0, 'audit', 'verify')).toMatchObject({
      ok: true,
      rows: 1,
      dropped_by_retention: { agents: 1, rows: 2 },
    });
    const { code, stdout } = await run('audit', 'verify', '--agent', agentId, '--since', '90d');
    expect(code).toBe(0);
    expect(stdout).toContain('Verified 1 agent, 1 row in');
    expect(stdout).toContain('no fault');
    expect(stdout).toContain('What this cannot show:');
    expect(stdout).toContain('Retention has dropped 2 rows');
  });

  test('names the row that was changed, and ends with 1', async () => {
    verifies('BW-channel.03');
    const [row] = await database.query<{ id: string }>({
      text: `UPDATE audit.events SET payload = payload || '{"to": "Eve"}' WHERE chain_index = 3 RETURNING event_id AS id`,
    });
    const fault = { agent_id: agentId, kind: 'altered', index: 3, event_id: row?.id };
    expect(await json(1, 'audit', 'verify')).toMatchObject({ ok: false, agents_with_fault: 1, faults: [fault] });
    const { code, stdout } = await run('audit', 'verify', '--agent', agentId);
    expect(code).toBe(1);
    expect(stdout).toMatch(new RegExp(`${agentId} +3 +${row?.id ?? ''} +altered`));
  });

  test('lists rows that no chain proves, by type', async () => {
    await database.query({
      text: `INSERT INTO audit.events (ts, event_id, event_type) VALUES (now(), gen_random_uuid(), 'loose')`,
    });
    expect(await json(1, 'audit', 'verify')).toMatchObject({
      outside_of_chains: [{ event_type: 'loose', rows: 1, also_in_chains: false }],
    });
  });

  test('refuses an agent that never was and a time that is none', async () => {
    const nobody = await run('audit', 'verify', '--agent', 'nobody');
    expect(nobody).toMatchObject({ code: 1, stdout: '' });
    expect(nobody.stderr).toContain('There is no agent "nobody"');
    const never = await run('audit', 'verify', '--since', 'never');
    expect(never).toMatchObject({ code: 64, stdout: '' });
    expect(never.stderr).toContain('--since');
  });
});
