import { processAgentUpdate } from '@breakwater/contract/tools';
import { describe, expect, it } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { born, testNode, type TestNode } from '../../testing/node.ts';
import { verifies } from '../../testing/verifies.ts';
import { anchorChains, deleteOldStates, verifyAudit } from '../agents/index.ts';
import { HOUR_MS, systemClock, Ticker } from '../runtime/index.ts';
import { ManualClock } from '../runtime/testing/manual-clock.ts';
import { createTryLock } from './advisory.ts';
import type { Database } from './database.ts';
import { migrate } from './migrate.ts';
import { ensurePartitions, listPartitions, partitionJob } from './partitions.ts';
import { readRetention, retentionJob, retentionWatch } from './retention.ts';

const DAY = 24 * HOUR_MS;
/** What stands in the tables from before, so that something becomes due in every month of the run. */
const OLDEST = Date.UTC(2025, 6, 15);
const BEGIN = Date.UTC(2026, 0, 20);
const END = BEGIN + 110 * DAY;
/** No writer or reader may wait longer than this for a lock; PostgreSQL ends the one that does, and the test fails. */
const BOUND = '1s';
const ACKNOWLEDGED_PER_STEP = 20;
const STEP = 3 * HOUR_MS;

/** Tables that take plain rows, each with a statement for ids `$1` and a time `$2`. */
const ROWS: Readonly<Record<string, string>> = {
  events: `INSERT INTO audit.events (event_id, ts, event_type) SELECT id, $2::timestamptz, 'loose' FROM unnest($1::uuid[]) AS id`,
  coordination_events: `INSERT INTO audit.coordination_events (event_id, ts, service, event_type)
    SELECT id, $2::timestamptz, 'vigil', 'coordination_failure.x' FROM unnest($1::uuid[]) AS id`,
  coordination_measurements: `INSERT INTO audit.coordination_measurements (event_id, ts, service, event_type)
    SELECT id, $2::timestamptz, 'vigil', 'measurement.x' FROM unnest($1::uuid[]) AS id`,
  tool_usage: `INSERT INTO audit.tool_usage (usage_id, ts, tool_name) SELECT id, $2::timestamptz, 't' FROM unnest($1::uuid[]) AS id`,
};
const KEYS: Readonly<Record<string, string>> = { tool_usage: 'usage_id' };

describe('three months under load', async () => {
  const { database, open } = await testDatabase({ empty: true });
  await migrate(database);
  const [row] = await database.query<{ name: string }>({ text: 'SELECT current_database() AS name' });
  await database.query({ text: `ALTER DATABASE ${row?.name ?? ''} SET lock_timeout = '${BOUND}'` });

  /** Everything that was acknowledged. */
  const acknowledged = {
    writes: 0,
    rows: new Map(Object.keys(ROWS).map((table) => [table, [] as { ids: string[]; at: number }[]])),
    checkIns: new Map<string, number>(),
  };
  const clock = new ManualClock(OLDEST);
  const errors: unknown[] = [];
  let serial = 0;
  let heard = (): void => undefined;

  const counted = async <T>(write: Promise<T>): Promise<T> => {
    const result = await write;
    acknowledged.writes += 1;
    heard();
    return result;
  };
  const writeRows = async (db: Database, table: string): Promise<void> => {
    const ids = Array.from({ length: 5 }, () => crypto.randomUUID());
    const at = clock.now();
    await counted(db.query({ text: ROWS[table] ?? '', values: [ids, new Date(at).toISOString()] }));
    acknowledged.rows.get(table)?.push({ ids, at });
  };
  const checkIn = async (node: TestNode, agentId: string): Promise<void> => {
    const args = processAgentUpdate.input.parse({ response_text: `Item ${(serial += 1)} done.`, confidence: 0.8 });
    const done = await counted(
      node.checkIns.checkIn({
        args,
        agentId,
        assurance: 'strong',
        sessionKey: 's',
        deadline: Number.MAX_SAFE_INTEGER,
      }),
    );
    if (!done.ok) throw new Error(done.refusal.message);
    acknowledged.checkIns.set(agentId, (acknowledged.checkIns.get(agentId) ?? 0) + 1);
  };

  it('lose no row, block nobody, and drop what the rule says, while partitions come and go', async () => {
    verifies('BW-channel.04', 'W3-6.03');
    const load = open({ poolSize: 12 });
    const node = await testNode(open(), { clock });
    for (let month = 0; month < 7; month += 1) await ensurePartitions(load, Date.UTC(2025, 6 + month, 1));
    const agents = await Promise.all(Array.from({ length: 12 }, async () => (await born(node)).agentId));
    while (clock.now() < BEGIN) {
      clock.advance(10 * DAY);
      await Promise.all([
        ...agents.slice(0, 6).map((agentId) => checkIn(node, agentId)),
        ...Object.keys(ROWS).map((table) => writeRows(load, table)),
      ]);
    }

    const locks = createTryLock(open());
    const onError = (_: string, error: unknown) => {
      errors.push(error);
      heard();
    };
    const ticker = new Ticker({ clock, tryLock: locks.tryLock, onError });
    let statesDeleted = 0;
    const jobs = open();
    const retention = {
      database: jobs,
      clock,
      keep: new Map([['events', anchorChains]]),
      onLook: () => undefined,
      onWarning: () => undefined,
      onDropped: () => undefined,
    };
    ticker.add(partitionJob(jobs, () => clock.now()));
    ticker.add(retentionJob(retention));
    ticker.add(retentionWatch(retention));
    ticker.add({
      name: 'states',
      everyMs: DAY,
      singleton: true,
      run: async () => void (statesDeleted += await deleteOldStates(jobs, clock.now())),
    });
    ticker.start();

    const over = new AbortController();
    const waiting = new Set<() => void>();
    heard = () => {
      for (const look of waiting) look();
    };
    over.signal.addEventListener('abort', () => heard());
    /** Waits until so many writes were acknowledged, or nothing more will be. */
    const until = (writes: number): Promise<void> =>
      new Promise((resolve) => {
        const look = () => {
          if (acknowledged.writes < writes && errors.length === 0 && !over.signal.aborted) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      });
    const again = async (work: (turn: number) => Promise<void>): Promise<void> => {
      try {
        for (let turn = 0; !over.signal.aborted && errors.length === 0; turn += 1) await work(turn);
      } catch (error) {
        errors.push(error);
        heard();
      }
    };
    const readAll = `SELECT (SELECT count(*) FROM audit.events) + (SELECT count(*) FROM audit.coordination_measurements)
      + (SELECT count(*) FROM audit.tool_usage) + (SELECT count(*) FROM audit.coordination_events) AS rows`;
    const running = [
      ...[0, 1, 2, 3].map((writer) =>
        again((turn) => checkIn(node, agents[(writer * 3 + (turn % 3)) % agents.length] ?? '')),
      ),
      ...Object.keys(ROWS).map((table) => again(() => writeRows(load, table))),
      again(async (turn) => {
        await load.query({
          text: 'SELECT event_type, payload FROM audit.events WHERE agent_id = $1 ORDER BY ts DESC LIMIT 50',
          values: [agents[turn % agents.length]],
        });
      }),
      again(async () => {
        await load.query({
          text: 'SELECT count(*) FROM audit.coordination_measurements WHERE ts > $1::timestamptz',
          values: [new Date(clock.now() - 30 * DAY).toISOString()],
        });
      }),
      // One that keeps every table for longer than anybody may wait: a report, or a backup.
      again(async () => {
        await load.transaction(async (tx) => {
          await tx.query({ text: readAll });
          await tx.query({ text: 'SELECT pg_sleep(1.5)' });
        });
        await until(acknowledged.writes + 500);
      }),
    ];
    while (clock.now() < END && errors.length === 0) {
      await until(acknowledged.writes + ACKNOWLEDGED_PER_STEP);
      clock.advance(STEP);
    }
    over.abort();
    await Promise.all(running);
    await ticker.stop();
    expect(errors).toEqual([]);
    await retentionWatch({ ...retention, clock: { now: () => clock.now(), after: systemClock.after } }).run();

    // What the rule says is gone, nothing else, and the months to come are ready.
    for (const table of await readRetention(database, clock.now())) {
      expect({ table: table.table, overdue: table.overdue, ahead: table.ahead }).toEqual({
        table: table.table,
        overdue: [],
        ahead: 3,
      });
    }
    const dropped = await database.query<{ partition_name: string; table_name: string; early: boolean; to: number }>({
      text: `SELECT partition_name, table_name, range_to AS to,
               dropped_at < range_to + (CASE table_name WHEN 'events' THEN 180 ELSE 90 END) * interval '1 day' AS early
             FROM audit.dropped_partitions ORDER BY 1`,
    });
    expect(dropped.filter(({ early }) => early)).toEqual([]);
    const last: Readonly<Record<string, string>> = { events: '2025_10' };
    for (const table of Object.keys(ROWS)) {
      const names = dropped
        .filter(({ table_name }) => table_name === table)
        .map(({ partition_name }) => partition_name);
      expect(names.at(-1)).toBe(`${table}_${last[table] ?? '2026_01'}`);
      expect(names.length).toBeGreaterThanOrEqual(4);
      expect(new Set(names).size).toBe(names.length);
    }
    const kept = await listPartitions(database);

    // Every acknowledged row is there, unless its partition was dropped.
    for (const [table, batches] of acknowledged.rows) {
      const missing = await database.query<{ at: number }>({
        text: `SELECT DISTINCT w.at FROM unnest($1::uuid[], $2::timestamptz[]) AS w (id, at)
               WHERE NOT EXISTS (SELECT 1 FROM audit.${table} t WHERE t.ts = w.at AND t.${KEYS[table] ?? 'event_id'} = w.id)`,
        values: [
          batches.flatMap(({ ids }) => ids),
          batches.flatMap(({ ids, at }) => ids.map(() => new Date(at).toISOString())),
        ],
      });
      const first = Math.min(
        ...(kept.find((one) => one.table === table)?.partitions ?? []).map(({ from }) => from ?? 0),
      );
      expect(first).toBe(Math.max(...dropped.filter((one) => one.table_name === table).map(({ to }) => to)));
      const goneBatches = new Set(batches.map(({ at }) => at).filter((at) => at < first));
      expect(new Set(missing.map(({ at }) => at))).toEqual(goneBatches);
      expect(goneBatches.size).toBeGreaterThan(0);
    }

    // So is every check-in, in its agent's chain.
    const heads = await database.query<{ agent_id: string; updates: number; rows: number }>({
      text: 'SELECT agent_id, update_count AS updates, audit_count AS rows FROM core.identities',
    });
    expect(new Map(heads.map(({ agent_id, updates }) => [agent_id, updates]))).toEqual(acknowledged.checkIns);
    const report = await verifyAudit(database, {}, systemClock);
    expect(report).toMatchObject({ agents: agents.length, faulty: 0, faults: [] });
    expect((report?.rows ?? 0) + (report?.dropped.rows ?? 0)).toBe(heads.reduce((sum, { rows }) => sum + rows, 0));
    expect(report?.dropped.rows).toBeGreaterThan(0);
    const [states] = await database.query<{ rows: number }>({ text: 'SELECT count(*) AS rows FROM core.agent_state' });
    const checkIns = [...acknowledged.checkIns.values()].reduce((sum, count) => sum + count, 0);
    expect((states?.rows ?? 0) + statesDeleted).toBe(checkIns);
    expect(statesDeleted).toBeGreaterThan(0);
    expect(checkIns).toBeGreaterThan(1_000);
    await node.stop();
    await locks.close();
  });
});
