import { describe, expect, it } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import { crowded, retentionOf, type SizedPartition } from './retention-rules.ts';
import { DAY_MS, HOUR_MS } from '../runtime/index.ts';

const NOON = Date.UTC(2026, 7, 15, 12);

/** The partition of a month of 2026, counted from 1; 0 is December 2025. */
const month = (number: number, size: Partial<SizedPartition> = {}): SizedPartition => ({
  name: `m${number}`,
  from: Date.UTC(2026, number - 1, 1),
  to: Date.UTC(2026, number, 1),
  rows: 10,
  bytes: 100,
  ...size,
});
const months = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => month(first + i));
const names = (partitions: readonly SizedPartition[]) => partitions.map(({ name }) => name);

describe('the rule of a table', () => {
  it.each([
    ['coordination_events', 90],
    ['coordination_measurements', 90],
    ['tool_usage', 90],
    ['events', 180],
    ['outcome_events', 365],
  ])('of %s keeps a row for %i days after its month, to the instant', (table, days) => {
    verifies('W3-6.03');
    const end = Date.UTC(2026, 1, 1) + days * DAY_MS;
    const at = (now: number) => retentionOf({ table, partitions: months(1, 3) }, now);
    expect(at(end - 1)).toMatchObject({ days, due: [], next: { partition: { name: 'm1' }, at: end } });
    expect(names(at(end).due)).toEqual(['m1']);
    expect(at(end).next).toEqual({ partition: month(2), at: Date.UTC(2026, 2, 1) + days * DAY_MS });
    expect(names(at(end + 3650 * DAY_MS).due)).toEqual(['m1', 'm2', 'm3']);
    expect(at(end + 3650 * DAY_MS).next).toBeNull();
  });

  it.each(['r1_score_audit', 'a_table_without_a_rule', 'constructor'])('of %s keeps everything', (table) => {
    const kept = retentionOf({ table, partitions: months(1, 3) }, NOON + 36500 * DAY_MS);
    expect(kept).toMatchObject({ days: null, due: [], overdue: [], next: null });
  });

  it('keeps a partition that has no end', () => {
    const wide = { ...month(2), to: null };
    expect(retentionOf({ table: 'events', partitions: [month(1), wide] }, NOON + 3650 * DAY_MS)).toMatchObject({
      due: [month(1)],
      next: null,
      ahead: 12,
    });
  });

  it('says that something is overdue once 02:00 UTC has passed over it', () => {
    verifies('W3-6.03');
    const due = Date.UTC(2026, 1, 1) + 90 * DAY_MS;
    const at = (now: number) => {
      const { due, overdue } = retentionOf({ table: 'tool_usage', partitions: months(1, 3) }, now);
      return [names(due), names(overdue)];
    };
    expect(at(due)).toEqual([['m1'], []]);
    expect(at(due + 2 * HOUR_MS - 1)).toEqual([['m1'], []]);
    expect(at(due + 2 * HOUR_MS)).toEqual([['m1'], ['m1']]);
  });
});

describe('the figures of a table', () => {
  it('are those of its partitions, in whatever order they come', () => {
    const partitions = [month(3), month(1, { rows: 0, bytes: 1 }), month(2)];
    expect(retentionOf({ table: 'events', partitions }, Date.UTC(2026, 1, 2))).toMatchObject({
      oldest: Date.UTC(2026, 0, 1),
      rows: 20,
      bytes: 201,
      ahead: 1,
    });
    expect(retentionOf({ table: 'events', partitions: [] }, NOON)).toMatchObject({ oldest: null, rows: 0, ahead: 0 });
  });

  it('are unknown, not nothing, where PostgreSQL does not know', () => {
    expect(retentionOf({ table: 'events', partitions: [month(1), month(2, { rows: null })] }, NOON).rows).toBeNull();
  });

  it('count the months ahead up to the first gap', () => {
    const ahead = (...partitions: SizedPartition[]) => retentionOf({ table: 'events', partitions }, NOON).ahead;
    expect(ahead(...months(8, 11))).toBe(3);
    expect(ahead(month(8), month(10))).toBe(0);
    expect(ahead(month(9), month(11))).toBe(1);
  });
});

describe('a partition', () => {
  it('is crowded by rows or by bytes, and never because nothing is known of it', () => {
    const many = month(1, { rows: 200_000_000 });
    const large = month(2, { bytes: 100 * 2 ** 30 });
    const unknown = month(3, { rows: null });
    expect(crowded([many, large, unknown, month(4, { rows: 199_999_999 })])).toEqual([many, large]);
  });
});
