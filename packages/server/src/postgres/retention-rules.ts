import { monthsAhead, type Partition, type PartitionedTable } from './partitions.ts';
import { DAY_MS } from '../runtime/index.ts';

/** Time of day at which due partitions are dropped: 02:00 UTC, in ms after midnight (W3-6.03). */
export const DROP_AT_MS = 2 * 3_600_000;

/**
 * How many days the tables of schema audit keep a row after the end of its month; null: for ever. A table that is not named
 * here is kept whole: nothing is ever dropped for want of a rule.
 */
export const RETENTION_DAYS: ReadonlyMap<string, number | null> = new Map([
  ['coordination_events', 90],
  ['coordination_measurements', 90],
  ['events', 180],
  ['outcome_events', 365],
  ['r1_score_audit', null],
  ['tool_usage', 90],
]);

/** What PostgreSQL says of the size of a partition. */
export interface PartitionSize {
  /** An estimate; null when PostgreSQL has none yet. */
  readonly rows: number | null;
  /** With its indexes. */
  readonly bytes: number;
}

/** A partition and how large it is. */
export type SizedPartition = Partition & PartitionSize;

/** A table with the sizes of its partitions. */
export interface SizedTable extends PartitionedTable {
  readonly partitions: readonly SizedPartition[];
}

/** One table under its rule. Times in ms since the epoch, UTC. */
export interface TableRetention {
  readonly table: string;
  /** Days; null: for ever. */
  readonly days: number | null;
  readonly partitions: readonly SizedPartition[];
  /** Where the oldest partition begins; null without any. */
  readonly oldest: number | null;
  /** Estimate over all partitions; null when one of them has none. */
  readonly rows: number | null;
  readonly bytes: number;
  /** Partitions whose time is over, the oldest first. */
  readonly due: readonly SizedPartition[];
  /** Those of them that a run at 02:00 UTC should have dropped already. */
  readonly overdue: readonly SizedPartition[];
  /** The partition that becomes due next, and when; null when none ever will. */
  readonly next: { readonly partition: SizedPartition; readonly at: number } | null;
  /** Whole months after this one that have a partition. */
  readonly ahead: number;
}

/** The newest 02:00 UTC that has come. */
const lastTurn = (now: number): number => Math.floor((now - DROP_AT_MS) / DAY_MS) * DAY_MS + DROP_AT_MS;

/** When all rows of a partition are older than their table keeps them; infinite when that never comes. */
const dueAt = ({ to }: Partition, days: number | null): number =>
  to === null || days === null ? Number.POSITIVE_INFINITY : to + days * DAY_MS;

const rowsOf = (partitions: readonly SizedPartition[]): number | null => {
  let sum = 0;
  for (const { rows } of partitions) {
    if (rows === null) return null;
    sum += rows;
  }
  return sum;
};

/** Holds a table against its rule. */
export const retentionOf = (table: SizedTable, now: number): TableRetention => {
  const days = RETENTION_DAYS.get(table.table) ?? null;
  const partitions = [...table.partitions].sort((a, b) => (a.from ?? -Infinity) - (b.from ?? -Infinity));
  const ending = partitions.map((partition) => ({ partition, at: dueAt(partition, days) }));
  const due = ending.filter(({ at }) => at <= now);
  const next = ending.find(({ at }) => at > now && at !== Number.POSITIVE_INFINITY);
  return {
    table: table.table,
    days,
    partitions,
    oldest: partitions[0]?.from ?? null,
    rows: rowsOf(partitions),
    bytes: partitions.reduce((sum, { bytes }) => sum + bytes, 0),
    due: due.map(({ partition }) => partition),
    overdue: due.filter(({ at }) => at <= lastTurn(now)).map(({ partition }) => partition),
    next: next ?? null,
    ahead: monthsAhead(table, now),
  };
};

/** A partition beyond this is slow to vacuum, to back up and to search, long before it is a danger. */
const MANY = { rows: 200_000_000, bytes: 100 * 2 ** 30 } as const;

/** Partitions that hold more than is good for them. */
export const crowded = (partitions: readonly SizedPartition[]): readonly SizedPartition[] =>
  partitions.filter(({ rows, bytes }) => (rows ?? 0) >= MANY.rows || bytes >= MANY.bytes);
