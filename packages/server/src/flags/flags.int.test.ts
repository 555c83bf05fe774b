import { beforeEach, describe, expect, it } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { verifies } from '../../testing/verifies.ts';
import { createNotifier, type Database, type Queryable } from '../postgres/index.ts';
import { COLD, systemClock, type Divergence } from '../runtime/index.ts';
import type { StoredFlag } from './flag.ts';
import { createFlags } from './service.ts';

const KEY = 'identity_strict_mode';
const node = await testDatabase();
const { database } = node;
/** Nothing in it but what the migrations put there. */
const untouched = await testDatabase();

interface HistoryRow {
  readonly old_value: unknown;
  readonly new_value: unknown;
  readonly changed_by: string;
  readonly reason: string;
}
const history = (key = KEY) =>
  database.query<HistoryRow>({
    text: `SELECT old_value, new_value, changed_by, reason FROM core.feature_flag_history WHERE key = $1 ORDER BY id`,
    values: [key],
  });
const storedValue = async (key = KEY) =>
  (
    await database.query<{ value: unknown }>({
      text: 'SELECT value FROM core.feature_flags WHERE key = $1',
      values: [key],
    })
  )[0]?.value;

const createFixture = async (over: { database?: Database; env?: Record<string, string> } = {}) => {
  const divergences: [string, Divergence<StoredFlag>][] = [];
  const flags = createFlags({
    database: over.database ?? database,
    env: over.env ?? {},
    onDivergence: (store, divergence) => divergences.push([store, divergence]),
  });
  await flags.load();
  return { flags, divergences };
};

/** The real database, but with each transaction's last statement replaced by a failure of the server. */
const failingAtTheEnd: Database = {
  ...database,
  transaction: (work) =>
    database.transaction(async (tx: Queryable) => {
      const value = await work(tx);
      await tx.query({ text: 'SELECT 1 / 0' });
      return value;
    }),
};

beforeEach(async () => {
  await database.query({ text: 'TRUNCATE core.feature_flag_history' });
  await database.query({ text: `UPDATE core.feature_flags SET value = '"observe"', updated_by = 'migration'` });
});

describe('flags on PostgreSQL', () => {
  it('are refreshed with one question for all, and the next refresh asks anew', async () => {
    let questions = 0;
    const counting: Database = {
      ...database,
      query: (statement) => {
        questions += 1;
        return database.query(statement);
      },
    };
    const { flags } = await createFixture({ database: counting });
    const { flags: elsewhere } = await createFixture();
    questions = 0;
    await flags.refresh();
    expect(questions).toBe(1);
    await elsewhere.set(KEY, 'enforce', 'ann', 'because');
    await flags.refresh();
    expect([questions, flags.get(KEY).value]).toEqual([2, 'enforce']);
  });

  it('start with the rows of the first migration', async () => {
    verifies('W3-10.09');
    const columns = await database.query<{ name: string }>({
      text: `SELECT column_name AS name FROM information_schema.columns
             WHERE table_schema = 'core' AND table_name = 'feature_flags' ORDER BY ordinal_position`,
    });
    expect(columns.map(({ name }) => name)).toEqual(['key', 'value', 'updated_at', 'updated_by']);
    const rows = await untouched.database.query({
      text: 'SELECT key, value, updated_by FROM core.feature_flags ORDER BY key',
    });
    expect(rows).toEqual([
      { key: 'identity_strict_mode', value: 'observe', updated_by: 'migration' },
      { key: 'ipua_pin_check_mode', value: 'enforce', updated_by: 'migration' },
    ]);
  });

  it('are cold before they are loaded and for keys that no flag has', async () => {
    verifies('W3-10.01', 'W3-10.06');
    const flags = createFlags({ database, env: {}, onDivergence: () => undefined });
    expect(flags.read(KEY)).toBe(COLD);
    await flags.load();
    expect(flags.read(KEY)).toEqual({ ok: true, value: { key: KEY, value: 'observe', origin: 'postgres' } });
    expect(flags.read('toString')).toBe(COLD);
  });

  it('are durable before they are visible, with who and why in the same transaction', async () => {
    verifies('W3-10.02', 'W3-10.10');
    const { flags } = await createFixture();
    const setting = flags.set(KEY, 'enforce', 'ops@example.org', 'drill 12');
    expect(flags.get(KEY).value).toBe('observe');
    expect(await setting).toEqual({ ok: true, value: { key: KEY, value: 'enforce', origin: 'postgres' } });
    expect(await storedValue()).toBe('enforce');
    expect(await history()).toEqual([
      { old_value: 'observe', new_value: 'enforce', changed_by: 'ops@example.org', reason: 'drill 12' },
    ]);
    const restarted = await createFixture();
    expect(restarted.flags.all()[0]).toMatchObject({
      value: 'enforce',
      origin: 'postgres',
      values: ['off', 'observe', 'enforce'],
      stored: { by: 'ops@example.org', reason: 'drill 12' },
    });
  });

  it('change nothing, in PostgreSQL or in memory, when the transaction fails', async () => {
    verifies('W3-10.02', 'W3-10.10');
    const { flags } = await createFixture({ database: failingAtTheEnd });
    await expect(flags.set(KEY, 'enforce', 'ops', 'drill')).rejects.toThrow('division by zero');
    expect(flags.get(KEY)).toEqual({ key: KEY, value: 'observe', origin: 'postgres' });
    expect(await storedValue()).toBe('observe');
    expect(await history()).toEqual([]);
  });

  it('are set one after the other, here and on other nodes: the history is one unbroken chain', async () => {
    verifies('W3-10.10');
    const nodes = [await createFixture(), await createFixture({ database: node.open() })];
    const values = ['off', 'observe', 'enforce'];
    await Promise.all(
      Array.from({ length: 30 }, (_, i) => nodes[i % 2]!.flags.set(KEY, values[i % 3], 'ops', `change ${i}`)),
    );
    const rows = await history();
    expect(rows).toHaveLength(30);
    expect(rows.map((row) => row.old_value)).toEqual(['observe', ...rows.slice(0, -1).map((row) => row.new_value)]);
    expect(await storedValue()).toBe(rows.at(-1)!.new_value);
    for (const { flags } of nodes) await flags.reconcile();
    for (const { flags } of nodes) expect(flags.get(KEY).value).toBe(rows.at(-1)!.new_value);
  });

  it('refuse an illegal value without touching PostgreSQL', async () => {
    verifies('BW-flags.01');
    const { flags } = await createFixture();
    expect(await flags.set(KEY, 'strict', 'ops', 'drill')).toMatchObject({
      ok: false,
      refusal: { code: 'PARAMETER_ERROR', details: { legal: ['off', 'observe', 'enforce'] } },
    });
    expect(await history()).toEqual([]);
  });

  it('stay under the environment, which says so, and refuse to start with an illegal one', async () => {
    verifies('BW-flags.01');
    const env = { BREAKWATER_FLAG_IDENTITY_STRICT_MODE: 'off' };
    const { flags } = await createFixture({ env });
    const forced = { key: KEY, value: 'off', origin: 'environment' };
    expect(await flags.set(KEY, 'enforce', 'ops', 'drill')).toEqual({ ok: true, value: forced });
    expect(await storedValue()).toBe('enforce');
    expect(flags.all()[0]).toMatchObject({ ...forced, default: 'observe', stored: { value: 'enforce' } });
    await expect(createFixture({ env: { BREAKWATER_FLAG_IDENTITY_STRICT_MODE: 'on' } })).rejects.toThrow(
      'off, observe, enforce',
    );
  });

  it('report and repair a row that was changed behind them, and do not obey an illegal one', async () => {
    verifies('W3-10.08', 'BW-flags.01');
    const { flags, divergences } = await createFixture();
    await database.query({ text: `UPDATE core.feature_flags SET value = '"enforced"' WHERE key = $1`, values: [KEY] });
    expect(await flags.reconcile()).toBe(1);
    expect(divergences).toMatchObject([
      ['feature_flags', { key: KEY, live: { value: 'observe' }, stored: { value: 'enforced' } }],
    ]);
    expect(flags.all()[0]).toMatchObject({ value: 'observe', origin: 'default', illegal: true });
    expect(await flags.reconcile()).toBe(0);
  });

  it('show their newest changes first, of one flag or of all', async () => {
    verifies('W3-10.10');
    const { flags } = await createFixture();
    await flags.set(KEY, 'off', 'ann', 'first');
    await flags.set('ipua_pin_check_mode', 'off', 'ben', 'second');
    await flags.set(KEY, 'enforce', 'cat', 'third');
    const newest = {
      key: KEY,
      from: 'off',
      to: 'enforce',
      by: 'cat',
      reason: 'third',
      at: expect.any(Number) as number,
    };
    expect(await flags.history(KEY, 20)).toMatchObject({ ok: true, value: [newest, { reason: 'first' }] });
    expect(await flags.history(undefined, 2)).toMatchObject({ ok: true, value: [newest, { reason: 'second' }] });
    expect(await flags.history('strict', 20)).toMatchObject({ ok: false, refusal: { code: 'PARAMETER_ERROR' } });
  });

  it('follow a change of another node within a second', async () => {
    verifies('W3-10.13');
    const nodes = ['a', 'b'].map((nodeId) => {
      const own = node.open();
      const notifier = createNotifier({ database: own, nodeId, clock: systemClock, onError: () => undefined });
      return { notifier, flags: createFlags({ database: own, env: {}, notifier, onDivergence: () => undefined }) };
    });
    for (const { notifier, flags } of nodes) {
      await notifier.start();
      await flags.load();
    }
    try {
      await nodes[0]!.flags.set(KEY, 'off', 'ops', 'drill');
      await expect.poll(() => nodes[1]!.flags.get(KEY).value, { timeout: 1000, interval: 5 }).toBe('off');
    } finally {
      for (const { notifier } of nodes) await notifier.stop();
    }
  });
});
