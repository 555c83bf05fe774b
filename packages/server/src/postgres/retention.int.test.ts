import { describe, expect, it } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { verifies } from '../../testing/verifies.ts';
import { DAY_MS, systemClock } from '../runtime/index.ts';
import type { Database, Queryable } from './database.ts';
import { listPartitions, partitionJob } from './partitions.ts';
import {
  dropDue,
  readRetention,
  retentionJob,
  retentionWatch,
  type KeepOf,
  type RetentionOptions,
} from './retention.ts';

const JANUARY = Date.UTC(2026, 0, 15);
const END_OF_JANUARY = Date.UTC(2026, 1, 1);
const NOTHING: ReadonlyMap<string, KeepOf> = new Map();

/** The database as a clock of the test sees it; waits take as long as they take. */
const at = (now: number, database: Database, keep = NOTHING): RetentionOptions => ({
  database,
  clock: { now: () => now, after: (ms, fn) => systemClock.after(ms / 20, fn) },
  keep,
});

const partitionsOf = async (database: Database) =>
  (await listPartitions(database)).flatMap(({ partitions }) => partitions.map(({ name }) => name));

/** What a run did, by names. */
const drop = async (options: RetentionOptions, stopping?: AbortSignal) => {
  const { dropped, busy } = await dropDue(options, stopping);
  return {
    dropped: dropped.map(({ partition }) => partition.name),
    busy: busy.map(({ partition }) => partition.name),
  };
};

const event = (database: Queryable, ts: string) =>
  database.query({
    text: `INSERT INTO audit.events (ts, event_id, event_type) VALUES ($1, gen_random_uuid(), 'x')`,
    values: [ts],
  });

describe('retention', async () => {
  const { database, open } = await testDatabase({ at: JANUARY });
  await database.query({
    text: `CREATE TABLE audit.other (ts timestamptz NOT NULL) PARTITION BY RANGE (ts);
           CREATE TABLE audit."other ""1""" PARTITION OF audit.other FOR VALUES FROM ('2020-01-01Z') TO ('2020-02-01Z');
           ALTER TABLE audit.tool_usage_2026_01 RENAME TO "tool ""usage"" 1";`,
  });
  const before = await partitionsOf(database);

  it('leaves everything until the last instant of its time', async () => {
    verifies('W3-6.03');
    expect(await drop(at(END_OF_JANUARY + 90 * DAY_MS - 1, database))).toEqual({ dropped: [], busy: [] });
    expect(await partitionsOf(database)).toEqual(before);
  });

  it('drops what is due of the tables with a rule, whatever it is called, and makes nothing', async () => {
    verifies('W3-6.03');
    await database.query({
      text: `INSERT INTO audit.coordination_events (ts, event_id, service, event_type)
             SELECT '2026-01-05Z', gen_random_uuid(), 'vigil', 'coordination_failure.x' FROM generate_series(1, 1000);
             ANALYZE audit.coordination_events`,
    });
    const now = END_OF_JANUARY + 90 * DAY_MS;
    const january = ['coordination_events_2026_01', 'coordination_measurements_2026_01', 'tool "usage" 1'];
    expect(await drop(at(now, database))).toEqual({ dropped: january, busy: [] });
    expect(await partitionsOf(database)).toEqual(before.filter((name) => !january.includes(name)));
    const left = await database.query({ text: `SELECT 1 FROM pg_class WHERE relname = ANY ($1)`, values: [january] });
    expect(left).toEqual([]);
    const [row] = await database.query<Record<string, unknown>>({
      text: `SELECT * FROM audit.dropped_partitions WHERE partition_name = 'coordination_events_2026_01'`,
    });
    expect(row).toMatchObject({
      dropped_at: now,
      table_name: 'coordination_events',
      range_from: Date.UTC(2026, 0, 1),
      range_to: END_OF_JANUARY,
      approx_rows: 1000,
    });
    expect(row?.['bytes']).toBeGreaterThan(100_000);
    expect(await drop(at(now, database))).toEqual({ dropped: [], busy: [] });
  });

  it('drops each partition once when several nodes run at once', async () => {
    verifies('W3-6.03');
    const nodes = [database, open(), open(), open()];
    const now = Date.UTC(2026, 3, 1) + 90 * DAY_MS;
    const due = (await readRetention(database, now)).flatMap((table) => table.due.map(({ name }) => name));
    expect(due.length).toBeGreaterThan(5);
    const runs = await Promise.all(nodes.map((node) => drop(at(now, node))));
    expect(runs.flatMap(({ dropped }) => dropped).sort()).toEqual([...due].sort());
    expect((await partitionsOf(database)).filter((name) => due.includes(name))).toEqual([]);
  });

  it('is told by table: how much there is, and what comes next', async () => {
    const tables = await readRetention(database, JANUARY + 200 * DAY_MS);
    const [events] = tables.filter(({ table }) => table === 'events');
    expect(events).toMatchObject({ days: 180, oldest: Date.UTC(2026, 0, 1), rows: 0 });
    expect(events?.next?.at).toBe(Date.UTC(2026, 2, 1) + 180 * DAY_MS);
    expect(tables.find(({ table }) => table === 'other')).toMatchObject({ days: null, due: [], partitions: [{}] });
  });
});

describe('a partition that is due', async () => {
  const { database, open } = await testDatabase({ at: JANUARY });
  const NOW = END_OF_JANUARY + 180 * DAY_MS;
  // Everything else that is due by then is out of the way.
  await dropDue(at(NOW - 1, database));

  const kept = new Map<string, KeepOf>([
    [
      'events',
      async (tx) => void (await tx.query({ text: `INSERT INTO audit.chain_anchors VALUES ('a', 1, 'h', 1, now())` })),
    ],
  ]);
  const untouched = async () => {
    expect(await partitionsOf(database)).toContain('events_2026_01');
    expect(await database.query({ text: 'SELECT 1 FROM audit.chain_anchors' })).toEqual([]);
    const recorded = `SELECT 1 FROM audit.dropped_partitions WHERE table_name = 'events'`;
    expect(await database.query({ text: recorded })).toEqual([]);
  };

  it('stays, with all of it, while somebody reads the table, and no writer waits long for that', async () => {
    verifies('BW-channel.04');
    const reader = await database.connect();
    await reader.query({ text: 'BEGIN' });
    await reader.query({ text: 'SELECT count(*) FROM audit.events' });
    const running = drop(at(NOW, database, kept));
    const writer = open();
    const end = new AbortController();
    void running.finally(() => end.abort());
    let written = 0;
    while (!end.signal.aborted) {
      await writer.transaction(async (tx) => {
        // PostgreSQL itself ends a write that waits longer for a lock than a writer may.
        await tx.query({ text: `SET LOCAL lock_timeout = '1s'` });
        await event(tx, '2026-04-15Z');
      });
      written += 1;
    }
    expect(await running).toEqual({ dropped: [], busy: ['events_2026_01'] });
    expect(written).toBeGreaterThan(5);
    await untouched();
    await reader.query({ text: 'COMMIT' });
    await reader.close();
  });

  it('stays whole when the process or PostgreSQL ends in the middle', async () => {
    const dying = new Map<string, KeepOf>([
      [
        'events',
        async (tx, ...rest) => {
          await kept.get('events')?.(tx, ...rest);
          await tx.query({ text: 'SELECT pg_terminate_backend(pg_backend_pid())' });
        },
      ],
    ]);
    await expect(dropDue(at(NOW, database, dying))).rejects.toMatchObject({ code: '57P01' });
    await untouched();
  });

  it('stays when the server stops meanwhile, which does not wait for it', async () => {
    const reader = await database.connect();
    await reader.query({ text: 'BEGIN' });
    await reader.query({ text: 'SELECT count(*) FROM audit.events' });
    const stop = new AbortController();
    const waits: number[] = [];
    const options: RetentionOptions = {
      ...at(NOW, database, kept),
      clock: {
        now: () => NOW,
        after: (ms) => {
          waits.push(ms);
          queueMicrotask(() => stop.abort());
          return { cancel: () => undefined };
        },
      },
    };
    expect(await drop(options, stop.signal)).toEqual({ dropped: [], busy: ['events_2026_01'] });
    expect(waits).toEqual([1_000]);
    await reader.query({ text: 'COMMIT' });
    await reader.close();
    expect(await drop(options, stop.signal)).toEqual({ dropped: [], busy: [] });
    await untouched();
  });

  it('takes no row more once its contents are kept: a late one comes first', async () => {
    const late = open();
    const waits = async (tx: Queryable, partition: string) => {
      const text = `SELECT 1 FROM pg_locks WHERE NOT granted AND relation = '${partition}'::regclass`;
      return (await tx.query({ text })).length > 0;
    };
    let insert: Promise<unknown> | undefined;
    const seen: unknown[] = [];
    const counting = new Map<string, KeepOf>([
      [
        'events',
        async (tx, partition) => {
          if (insert === undefined) {
            insert = event(late, '2026-01-15Z');
            while (!(await waits(tx, partition)));
          }
          seen.push(...(await tx.query({ text: `SELECT count(*) AS rows FROM ${partition}` })));
        },
      ],
    ]);
    expect(await drop(at(NOW, database, counting))).toEqual({ dropped: [], busy: ['events_2026_01'] });
    await insert;
    expect(await drop(at(NOW, database, counting))).toEqual({ dropped: ['events_2026_01'], busy: [] });
    expect(seen).toEqual([{ rows: 0 }, { rows: 1 }]);
    // What comes when the month is gone is refused, and not lost.
    await expect(event(late, '2026-01-15Z')).rejects.toMatchObject({ code: '23514' });
  });
});

describe('the jobs', async () => {
  const { database } = await testDatabase({ at: JANUARY });
  const DUE = END_OF_JANUARY + 90 * DAY_MS;
  const news = () => {
    const heard = { looks: 0, warnings: [] as string[], dropped: [] as string[] };
    return {
      heard,
      on: {
        onLook: () => void (heard.looks += 1),
        onWarning: ({ table, what }: { table: string; what: string }) => void heard.warnings.push(`${table} ${what}`),
        onDropped: ({ partition }: { partition: { name: string } }) => void heard.dropped.push(partition.name),
      },
    };
  };

  it('are two: one drops daily at 02:00 UTC on one node, the other makes partitions, and neither does both', async () => {
    verifies('W3-6.03');
    const { heard, on } = news();
    const dropping = retentionJob({ ...at(DUE, database), ...on });
    expect(dropping).toMatchObject({ everyMs: DAY_MS, atUtcMs: 2 * 3_600_000, singleton: true });
    const before = await partitionsOf(database);
    await dropping.run();
    const after = await partitionsOf(database);
    expect(heard.dropped).toHaveLength(3);
    expect(after).toEqual(before.filter((name) => !heard.dropped.includes(name)));
    await partitionJob(database, () => DUE + 400 * DAY_MS).run();
    expect((await partitionsOf(database)).filter((name) => after.includes(name))).toEqual(after);
  });

  it('leave nothing behind: what no server dropped at 02:00 is dropped an hour later, or after the next start', async () => {
    verifies('W3-6.03');
    const due = Date.UTC(2026, 2, 1) + 90 * DAY_MS;
    const early = news();
    const watch = retentionWatch({ ...at(due, database), ...early.on });
    expect(watch).toMatchObject({ everyMs: 3_600_000, firstMs: 60_000 });
    await watch.run();
    expect(early.heard).toMatchObject({ looks: 1, dropped: [] });
    const late = news();
    await retentionWatch({ ...at(due + 2 * 3_600_000, database), ...late.on }).run();
    expect(late.heard).toMatchObject({ looks: 1 });
    expect(late.heard.dropped).toHaveLength(3);
  });

  it('warn of a month that nothing is ready for, and of a partition that nothing could drop', async () => {
    const now = END_OF_JANUARY + 365 * DAY_MS + 2 * 3_600_000;
    const reader = await database.connect();
    await reader.query({ text: 'BEGIN' });
    await reader.query({ text: 'SELECT count(*) FROM audit.outcome_events' });
    const { heard, on } = news();
    await retentionWatch({ ...at(now, database), ...on }).run();
    await reader.query({ text: 'COMMIT' });
    await reader.close();
    expect(heard.warnings).toContain('outcome_events is kept beyond its time: its table is in use all the time');
    expect(heard.warnings).toContain('r1_score_audit has no partition for the next month');
  });
});
