import { DAY_MS, iso, type Job } from '../runtime/index.ts';
import type { Database, Queryable } from './database.ts';

const MONTHS_AHEAD = 3;
/** Nodes that start at once take turns. */
const LOCK = 7_204_117_002;

/** First instant of the month that lies `offset` months after the one of `now`, in UTC; ms since the epoch. */
const monthStart = (now: number, offset: number): number => {
  const date = new Date(now);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + offset, 1);
};

/** One partition: rows from `from` up to, and without, `to`; ms since the epoch, null where it has no bound. */
export interface Partition {
  readonly name: string;
  readonly from: number | null;
  readonly to: number | null;
}

/** A range-partitioned table of schema audit and the partitions it has, in order of their names. */
export interface PartitionedTable {
  readonly table: string;
  readonly partitions: readonly Partition[];
}

/** Every such table; a DEFAULT partition, which has no end, is left out. */
export const listPartitions = (database: Queryable): Promise<PartitionedTable[]> =>
  database.query<PartitionedTable>({
    text: `SELECT parent.relname AS table,
             coalesce(json_agg(json_build_object(
               'name', child.relname,
               'from', extract(epoch FROM substring(bound.text FROM $1)::timestamptz) * 1000,
               'to', extract(epoch FROM substring(bound.text FROM $2)::timestamptz) * 1000
             ) ORDER BY child.relname) FILTER (WHERE child.oid IS NOT NULL AND bound.text <> 'DEFAULT'), '[]') AS partitions
           FROM pg_class parent
           LEFT JOIN pg_inherits i ON i.inhparent = parent.oid
           LEFT JOIN pg_class child ON child.oid = i.inhrelid
           LEFT JOIN LATERAL (SELECT pg_get_expr(child.relpartbound, child.oid) AS text) bound ON true
           WHERE parent.relkind = 'p' AND parent.relnamespace = to_regnamespace('audit')
             AND (SELECT partstrat FROM pg_partitioned_table WHERE partrelid = parent.oid) = 'r'
           GROUP BY parent.relname ORDER BY parent.relname`,
    values: ["FROM \\('([^']+)'\\)", "TO \\('([^']+)'\\)"],
  });

const covers = ({ from, to }: Partition, start: number, end: number): boolean =>
  (from ?? Number.NEGATIVE_INFINITY) <= start && (to ?? Number.POSITIVE_INFINITY) >= end;

/** How many whole months after the one of `now` have a partition, without a gap. */
export const monthsAhead = ({ partitions }: PartitionedTable, now: number): number => {
  let months = 0;
  while (partitions.some((one) => covers(one, monthStart(now, months + 1), monthStart(now, months + 2)))) {
    // A partition without an end covers every month to come.
    if (months === MONTHS_AHEAD * 4) break;
    months += 1;
  }
  return months;
};

/** A month that no partition of the table covers yet. */
interface Gap {
  readonly table: string;
  readonly from: number;
  readonly to: number;
}

const gapsOf = (tables: readonly PartitionedTable[], now: number): Gap[] =>
  tables.flatMap(({ table, partitions }) =>
    Array.from({ length: MONTHS_AHEAD + 1 }, (_, offset) => ({
      table,
      from: monthStart(now, offset),
      to: monthStart(now, offset + 1),
    })).filter(({ from, to }) => !partitions.some((partition) => covers(partition, from, to))),
  );

/**
 * Sees to it that every audit table has a partition for the month of `now` and the next three. Months are bounded in
 * UTC: bounds in a session's time zone would leave holes at their edges. Returns the names of what it created; one query
 * when nothing is missing.
 *
 * A partition is made beside its table and then attached, which lets readers and writers of the table go on; CREATE TABLE
 * … PARTITION OF would lock them out. Making partitions and dropping them (`retention.ts`) are separate jobs: one that did
 * both is known to have deadlocked with readers.
 */
export const ensurePartitions = async (database: Database, now: number): Promise<string[]> => {
  if (gapsOf(await listPartitions(database), now).length === 0) return [];
  return database.transaction(async (tx) => {
    await tx.query({ text: 'SELECT pg_advisory_xact_lock($1)', values: [LOCK] });
    const created: string[] = [];
    for (const { table, from, to } of gapsOf(await listPartitions(tx), now)) {
      const name = `${table}_${iso(from).slice(0, 7).replace('-', '_')}`;
      await tx.query({ text: `CREATE TABLE audit.${name} (LIKE audit.${table} INCLUDING ALL)` });
      await tx.query({
        text: `ALTER TABLE audit.${table} ATTACH PARTITION audit.${name} FOR VALUES FROM ('${iso(from)}') TO ('${iso(to)}')`,
      });
      created.push(name);
    }
    return created;
  });
};

/** Makes partitions ahead, once a day, on one node; it drops none (W3-6.03). */
export const partitionJob = (database: Database, now: () => number): Job => ({
  name: 'postgres.partitions',
  everyMs: DAY_MS,
  singleton: true,
  run: async () => {
    await ensurePartitions(database, now());
  },
});
