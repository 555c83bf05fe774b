import { DAY_MS, HOUR_MS, type Clock, type Job } from '../runtime/index.ts';
import type { Database, Queryable } from './database.ts';
import { classifyError } from './errors.ts';
import { listPartitions } from './partitions.ts';
import {
  crowded,
  DROP_AT_MS,
  retentionOf,
  type PartitionSize,
  type SizedPartition,
  type TableRetention,
} from './retention-rules.ts';

const FIRST_LOOK_MS = 60_000;
/** Nodes that drop at once, and an operator beside them, take turns. */
const LOCK = 7_204_117_003;

/** How long we wait for a lock that others would queue behind, and for a whole statement that takes or holds it. */
const LOCK_WAIT_MS = 100;
const DETACH_MS = 300;
const ATTEMPTS = 5;
const PAUSE_MS = 1_000;
/** How long we wait for a lock behind which nobody queues. */
const QUIET_WAIT_MS = 5_000;

/**
 * Keeps of a partition what must outlive it. Called in the transaction that drops it, while nobody can add a row to it;
 * `partition` is its name as SQL text.
 */
export type KeepOf = (tx: Queryable, partition: string, now: number) => Promise<void>;

/** What {@link dropDue} works with. */
export interface RetentionOptions {
  readonly database: Database;
  readonly clock: Pick<Clock, 'now' | 'after'>;
  /** By the table of schema audit; of one without an entry, nothing has to outlive its rows. */
  readonly keep: ReadonlyMap<string, KeepOf>;
}

/** A partition that was dropped. */
export interface DroppedPartition {
  readonly table: string;
  readonly partition: SizedPartition;
}

/** What one run did. */
export interface RetentionRun {
  readonly dropped: readonly DroppedPartition[];
  /** Due partitions that stay for now: they or their table were in use at every attempt. */
  readonly busy: readonly DroppedPartition[];
}

/** Estimated rows and bytes of every partition of schema audit, by name. */
const sizes = async (database: Queryable): Promise<Map<string, PartitionSize>> => {
  const rows = await database.query<PartitionSize & { name: string }>({
    text: `SELECT relname AS name, coalesce(pg_total_relation_size(oid), 0) AS bytes,
             -- A table that was never analysed has -1 here.
             CASE WHEN reltuples >= 0 THEN reltuples::bigint WHEN pg_relation_size(oid) = 0 THEN 0
                  ELSE nullif(pg_stat_get_live_tuples(oid), 0) END AS rows
           FROM pg_class WHERE relispartition AND relkind = 'r' AND relnamespace = to_regnamespace('audit')`,
  });
  return new Map(rows.map(({ name, bytes, rows }) => [name, { bytes, rows }]));
};

/** Every partitioned audit table under its rule: what it holds, what is due, and what comes next. */
export const readRetention = async (database: Queryable, now: number): Promise<TableRetention[]> => {
  const tables = await listPartitions(database);
  const sized = await sizes(database);
  return tables.map(({ table, partitions }) => {
    const known = partitions.map((one) => ({ ...one, ...(sized.get(one.name) ?? { rows: null, bytes: 0 }) }));
    return retentionOf({ table, partitions: known }, now);
  });
};

/**
 * Drops every audit partition whose rows are all older than their table keeps them, the oldest first, and makes none
 * (W3-6.03). Each goes in a transaction of its own with what must outlive it, so that a crash at any instant leaves it whole
 * or gone. What is in use at every attempt stays for the next run. Ends early, between two partitions, when `stopping`.
 */
export const dropDue = async (options: RetentionOptions, stopping?: AbortSignal): Promise<RetentionRun> => {
  const dropped: DroppedPartition[] = [];
  const busy: DroppedPartition[] = [];
  for (const { table, due } of await readRetention(options.database, options.clock.now())) {
    for (const partition of due) {
      if (stopping?.aborted === true) return { dropped, busy };
      const end = await drop(options, { table, partition }, stopping);
      if (end === 'dropped') dropped.push({ table, partition });
      else if (end === 'busy') busy.push({ table, partition });
    }
  }
  return { dropped, busy };
};

const quoted = (name: string): string => `audit."${name.replaceAll('"', '""')}"`;

/** Takes back what was kept of a partition that could not be dropped. */
class Busy extends Error {}

const unlessBusy = async <T>(work: Promise<T>): Promise<T> => {
  try {
    return await work;
  } catch (error) {
    if (classifyError(error) === 'conflict') throw new Busy();
    throw error;
  }
};

/**
 * Drops one partition. `gone`: somebody else has.
 *
 * Plain DETACH, not DETACH … CONCURRENTLY. That one cannot be part of a transaction, so that what must outlive the
 * partition could not be kept with it as one step; broken off, it leaves a partition that belongs to nobody until somebody
 * says FINALIZE; and while it waits for a long reader it keeps a lock that making partitions needs. Plain DETACH locks
 * readers and writers of the whole table out, but needs only milliseconds once it has the lock. The danger is the wait for
 * it: whoever comes meanwhile queues behind us. So we never wait for long, give way, and try again: no attempt keeps a
 * writer waiting for more than two statements of at most DETACH_MS, waits of LOCK_WAIT_MS for table and partition
 * included, and one commit (BW-channel.04). Everything that takes long happens before, under a lock that only writers of
 * the old month meet (they wait for all attempts, and it is them we give way to); the files are removed after the
 * commit has given the locks back.
 */
const drop = async (
  { database, clock, keep }: RetentionOptions,
  { table, partition }: DroppedPartition,
  stopping: AbortSignal | undefined,
): Promise<'dropped' | 'busy' | 'gone'> => {
  const name = quoted(partition.name);
  try {
    return await database.transaction(async (tx) => {
      await tx.query({ text: `SET LOCAL lock_timeout = ${QUIET_WAIT_MS}` });
      await unlessBusy(tx.query({ text: 'SELECT pg_advisory_xact_lock($1)', values: [LOCK] }));
      const attached = await tx.query({
        text: 'SELECT 1 FROM pg_inherits WHERE inhrelid = to_regclass($1) AND inhparent = to_regclass($2)',
        values: [name, quoted(table)],
      });
      if (attached.length === 0) return 'gone';
      // What must be kept may take a full read of the partition.
      await tx.query({ text: 'SET LOCAL statement_timeout = 0' });
      await unlessBusy(tx.query({ text: `LOCK TABLE ${name} IN SHARE MODE` }));
      const now = clock.now();
      await keep.get(table)?.(tx, name, now);
      await tx.query(recordDrop(table, partition, now));
      await detachAndDrop(tx, quoted(table), name, (ms) => pause(clock, ms, stopping));
      return 'dropped';
    });
  } catch (error) {
    if (error instanceof Busy) return 'busy';
    throw error;
  }
};

const detachAndDrop = async (
  tx: Queryable,
  table: string,
  partition: string,
  wait: (ms: number) => Promise<'go on' | 'stop'>,
): Promise<void> => {
  for (let attempt = 1; ; attempt += 1) {
    await tx.query({ text: 'SAVEPOINT attempt' });
    try {
      await tx.query({ text: `SET LOCAL lock_timeout = ${LOCK_WAIT_MS}; SET LOCAL statement_timeout = ${DETACH_MS}` });
      await tx.query({ text: `ALTER TABLE ${table} DETACH PARTITION ${partition}` });
      await tx.query({ text: `DROP TABLE ${partition}` });
      return;
    } catch (error) {
      if (classifyError(error) !== 'conflict') throw error;
      // Gives the locks of this attempt back, so that those behind us go on.
      await tx.query({ text: 'ROLLBACK TO SAVEPOINT attempt' });
      if (attempt === ATTEMPTS || (await wait(PAUSE_MS)) === 'stop') throw new Busy();
    }
  }
};

const pause = (clock: RetentionOptions['clock'], ms: number, stopping?: AbortSignal): Promise<'go on' | 'stop'> =>
  new Promise((resolve) => {
    if (stopping?.aborted === true) {
      resolve('stop');
      return;
    }
    const stop = () => {
      timer.cancel();
      resolve('stop');
    };
    const timer = clock.after(ms, () => {
      stopping?.removeEventListener('abort', stop);
      resolve('go on');
    });
    stopping?.addEventListener('abort', stop, { once: true });
  });

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

const recordDrop = (table: string, { name, from, to, rows, bytes }: SizedPartition, now: number) => ({
  text: `INSERT INTO audit.dropped_partitions
           (partition_name, dropped_at, table_name, range_from, range_to, approx_rows, bytes)
         VALUES ($1, $2::timestamptz, $3, $4::timestamptz, $5::timestamptz, $6, $7)`,
  values: [name, iso(now), table, iso(from), iso(to), rows, bytes],
});

/** What the jobs tell whoever put them together. */
export interface RetentionNews {
  /** After each look: every table and what is due. */
  onLook(tables: readonly TableRetention[]): void;
  /** A table that needs somebody: a partition that holds too much, one that stays beyond its time, no month ahead. */
  onWarning(warning: { readonly table: string; readonly partitions: readonly string[]; readonly what: string }): void;
  onDropped(dropped: DroppedPartition): void;
}

/** Drops what is due, daily at 02:00 UTC, on one node (W3-6.03). */
export const retentionJob = (options: RetentionOptions & Pick<RetentionNews, 'onDropped'>): Job => ({
  name: 'postgres.retention',
  everyMs: DAY_MS,
  atUtcMs: DROP_AT_MS,
  singleton: true,
  run: async (stopping) => {
    for (const one of (await dropDue(options, stopping)).dropped) options.onDropped(one);
  },
});

/**
 * Looks at the audit tables a minute after the start and then every hour, on every node: how much they hold, and whether
 * the other jobs did their work. What the run at 02:00 left, or missed because no server ran, is dropped now: there is no
 * memory of runs, since what is due follows from the partitions alone.
 */
export const retentionWatch = (options: RetentionOptions & RetentionNews): Job => ({
  name: 'postgres.retention_watch',
  everyMs: HOUR_MS,
  firstMs: FIRST_LOOK_MS,
  singleton: false,
  run: async (stopping) => {
    const { database, clock } = options;
    let tables = await readRetention(database, clock.now());
    if (tables.some(({ overdue }) => overdue.length > 0)) {
      for (const one of (await dropDue(options, stopping)).dropped) options.onDropped(one);
      tables = await readRetention(database, clock.now());
    }
    options.onLook(tables);
    for (const { table, partitions, overdue, ahead } of tables) {
      const warn = (what: string, about: readonly SizedPartition[]) =>
        options.onWarning({ table, what, partitions: about.map(({ name }) => name) });
      if (crowded(partitions).length > 0) warn('holds very many rows', crowded(partitions));
      if (overdue.length > 0) warn('is kept beyond its time: its table is in use all the time', overdue);
      if (ahead === 0) warn('has no partition for the next month', []);
    }
  },
});
