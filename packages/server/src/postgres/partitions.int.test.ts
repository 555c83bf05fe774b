import { describe, expect, it } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { verifies } from '../../testing/verifies.ts';
import { migrate } from './migrate.ts';
import { ensurePartitions, listPartitions, monthsAhead, partitionJob } from './partitions.ts';

const TABLES = [
  'coordination_events',
  'coordination_measurements',
  'events',
  'outcome_events',
  'r1_score_audit',
  'tool_usage',
];
const DECEMBER = Date.UTC(2026, 11, 31, 23, 59, 59, 999);

describe('partitions', async () => {
  const { database, open } = await testDatabase({ empty: true });
  await migrate(database);
  const event = (at: string) =>
    database.query({
      text: `INSERT INTO audit.events (ts, event_id, event_type) VALUES ($1, gen_random_uuid(), 'x') RETURNING tableoid::regclass::text AS part`,
      values: [at],
    });

  it('are made for the month of now and the next three, in UTC, for every audit table, by one of many nodes', async () => {
    verifies('BW-channel.04', 'W3-6.03');
    const nodes = [database, open(), open(), open()];
    const created = (await Promise.all(nodes.map((node) => ensurePartitions(node, DECEMBER)))).flat().sort();
    const months = ['2026_12', '2027_01', '2027_02', '2027_03'];
    expect(created).toEqual(TABLES.flatMap((table) => months.map((month) => `${table}_${month}`)).sort());
    const listed = await listPartitions(database);
    expect(listed.map(({ table }) => table)).toEqual(TABLES);
    for (const { table, partitions } of listed) {
      expect(partitions).toEqual(
        months.map((month, i) => ({
          name: `${table}_${month}`,
          from: Date.UTC(2026, 11 + i, 1),
          to: Date.UTC(2026, 12 + i, 1),
        })),
      );
    }
  });

  it('take the first and last instant of their month and leave no hole between two', async () => {
    expect(await event('2026-12-01T00:00:00Z')).toEqual([{ part: 'audit.events_2026_12' }]);
    expect(await event('2026-12-31T23:59:59.999999Z')).toEqual([{ part: 'audit.events_2026_12' }]);
    expect(await event('2027-01-01T00:00:00Z')).toEqual([{ part: 'audit.events_2027_01' }]);
    await expect(event('2027-04-01T00:00:00Z')).rejects.toMatchObject({ code: '23514' });
  });

  it('count a month as ready only when its partition reaches the end of it', async () => {
    verifies('BW-channel.04');
    const may = (to: number) => ({
      table: 'events',
      partitions: [{ name: 'events_2027_05', from: Date.UTC(2027, 4, 1), to }],
    });
    const april = Date.UTC(2027, 3, 10);
    expect(monthsAhead(may(Date.UTC(2027, 5, 1)), april)).toBe(1);
    expect(monthsAhead(may(Date.UTC(2027, 4, 31)), april)).toBe(0);
    expect(monthsAhead(may(Date.UTC(2027, 4, 2)), april)).toBe(0);
  });

  it('carry the keys, indexes and checks of their table', async () => {
    const shape = (table: string) =>
      database.query({
        text: `SELECT regexp_replace(pg_get_indexdef(indexrelid), '^CREATE (UNIQUE )?INDEX \\S+ ON (ONLY )?\\S+ ', '\\1') AS line
               FROM pg_index WHERE indrelid = $1::regclass
               UNION ALL SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = $1::regclass ORDER BY 1`,
        values: [table],
      });
    for (const table of TABLES) expect(await shape(`audit.${table}_2027_01`)).toEqual(await shape(`audit.${table}`));
    const [stray] = await database.query<{ count: number }>({
      text: `SELECT count(*) AS count FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
             WHERE c.relispartition AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = i.indexrelid)`,
    });
    expect(stray?.count).toBe(0);
  });

  it('are made while a reader and a writer keep the table busy', async () => {
    verifies('BW-channel.04');
    const busy = await database.connect();
    await busy.query({ text: 'BEGIN' });
    await busy.query({ text: 'SELECT count(*) FROM audit.events' });
    await busy.query({
      text: `INSERT INTO audit.events (ts, event_id, event_type) VALUES ('2027-01-15Z', gen_random_uuid(), 'x')`,
    });
    const impatient = open({ statementTimeoutMs: 1_000 });
    expect(await ensurePartitions(impatient, Date.UTC(2027, 1, 1))).toHaveLength(2 * TABLES.length);
    await busy.query({ text: 'COMMIT' });
    await busy.close();
  });

  it('that cover a month under another name are enough', async () => {
    await database.query({
      text: `CREATE TABLE audit.wide PARTITION OF audit.tool_usage FOR VALUES FROM ('2030-01-01Z') TO (MAXVALUE)`,
    });
    const created = await ensurePartitions(database, Date.UTC(2030, 0, 1));
    expect(created.filter((name) => name.startsWith('tool_usage'))).toEqual([]);
    expect(created).toHaveLength(4 * (TABLES.length - 1));
  });

  it('that are all there cost one query', async () => {
    let queries = 0;
    const counting = {
      ...database,
      query: <R>(statement: { text: string }) => {
        queries += 1;
        return database.query<R>(statement);
      },
      transaction: () => Promise.reject(new Error('nothing is missing')),
    };
    await partitionJob(counting, () => DECEMBER).run();
    expect(queries).toBe(1);
  });
});
