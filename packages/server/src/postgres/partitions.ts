import type { Job } from '../runtime/index.ts';
import type { Database } from './database.ts';

const MONTHS_AHEAD = 3;
const DAY_MS = 86_400_000;

/** First instant of the month that lies `offset` months after the one of `now`, in UTC. */
const monthStart = (now: number, offset: number): Date => {
  const date = new Date(now);
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + offset, 1));
};

const suffix = (month: Date): string => month.toISOString().slice(0, 7).replace('-', '_');

/** A partitioned table of schema audit and the partitions it has. */
export interface PartitionedTable {
  readonly table: string;
  readonly partitions: readonly string[];
}

export const listPartitions = (database: Database): Promise<PartitionedTable[]> =>
  database.query<PartitionedTable>({
    text: `SELECT parent.relname AS table,
             coalesce(array_agg(child.relname::text ORDER BY child.relname) FILTER (WHERE child.oid IS NOT NULL), '{}')
               AS partitions
           FROM pg_class parent
           LEFT JOIN pg_inherits i ON i.inhparent = parent.oid
           LEFT JOIN pg_class child ON child.oid = i.inhrelid
           WHERE parent.relkind = 'p' AND parent.relnamespace = 'audit'::regnamespace
           GROUP BY parent.relname ORDER BY parent.relname`,
  });

/**
 * Sees to it that every audit table has a partition for the month of `now` and the next three. Months are bounded in
 * UTC: bounds in a session's time zone would leave holes at their edges. Returns what it created.
 *
 * Making partitions and dropping them are separate jobs: one that did both is known to have deadlocked with readers.
 */
export const ensurePartitions = async (database: Database, now: number): Promise<string[]> => {
  const created: string[] = [];
  for (const { table, partitions } of await listPartitions(database)) {
    for (let offset = 0; offset <= MONTHS_AHEAD; offset += 1) {
      const from = monthStart(now, offset);
      const name = `${table}_${suffix(from)}`;
      if (partitions.includes(name)) continue;
      await database.query({
        text: `CREATE TABLE IF NOT EXISTS audit.${name} PARTITION OF audit.${table}
               FOR VALUES FROM ('${from.toISOString()}') TO ('${monthStart(now, offset + 1).toISOString()}')`,
      });
      created.push(name);
    }
  }
  return created;
};

/** Makes partitions ahead, once a day, on one node. */
export const partitionJob = (database: Database, now: () => number): Job => ({
  name: 'postgres.partitions',
  everyMs: DAY_MS,
  singleton: true,
  run: async () => void (await ensurePartitions(database, now())),
});
