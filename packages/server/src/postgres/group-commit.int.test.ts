import type { Result } from '@breakwater/contract';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { privatePostgres } from '../../testing/private-postgres.ts';
import { verifies } from '../../testing/verifies.ts';
import { systemClock } from '../runtime/index.ts';
import { openDatabase } from './connect.ts';
import type { Database, Queryable, Statement } from './database.ts';
import { GroupCommit } from './group-commit.ts';
import { flakyNetwork, type Failure, type FlakyNetwork } from './testing/network.ts';

/** A write to the table of these tests. PostgreSQL rejects a negative value. */
interface Entry {
  readonly id: string;
  readonly value: number;
}

const CREATE =
  'CREATE TABLE lane (id text PRIMARY KEY, value int CHECK (value >= 0), fenced bool NOT NULL DEFAULT false)';

/** Where the statement is slow: before it has taken its rows, or after. */
type Slow = 'before writing' | 'after writing';

const insert =
  (slow?: Slow) =>
  (items: readonly Entry[]): Statement => {
    const values = [items.map((item) => item.id), items.map((item) => item.value)];
    const rows = 'SELECT * FROM unnest($1::text[], $2::int[])';
    if (slow === 'before writing') {
      const text = `WITH pause AS MATERIALIZED (SELECT pg_sleep(0.3))
        INSERT INTO lane (id, value) SELECT r.* FROM pause, LATERAL (${rows}) r RETURNING id`;
      return { text, values };
    }
    if (slow === 'after writing') {
      const text = `WITH done AS (INSERT INTO lane (id, value) ${rows} RETURNING id)
        SELECT id, pg_sleep(0.3) FROM (SELECT count(*) FROM done) AS all_written, done`;
      return { text, values };
    }
    return { name: 'lane.insert', text: `INSERT INTO lane (id, value) ${rows} RETURNING id`, values };
  };

/** Takes the place of every id that is not there, which waits for one that is being written, and keeps it from ever being. */
const resolve = async (tx: Queryable, items: readonly Entry[]): Promise<(string | undefined)[]> => {
  const ids = items.map((item) => item.id);
  await tx.query({
    text: 'INSERT INTO lane (id, fenced) SELECT unnest($1::text[]), true ON CONFLICT (id) DO NOTHING',
    values: [ids],
  });
  const rows = await tx.query<{ id: string }>({
    text: 'SELECT id FROM lane WHERE id = ANY($1) AND NOT fenced',
    values: [ids],
  });
  const found = new Set(rows.map(({ id }) => id));
  return ids.map((id) => (found.has(id) ? id : undefined));
};

const laneOn = (database: Database, slow?: Slow): GroupCommit<Entry, string> =>
  new GroupCommit<Entry, string>({
    database,
    clock: systemClock,
    statement: insert(slow),
    receipts: (_, rows) => (rows as Entry[]).map(({ id }) => id),
    resolve,
  });

const entries = (prefix: string, count: number): Entry[] =>
  Array.from({ length: count }, (_, i) => ({ id: `${prefix}${i}`, value: i }));
const codeOf = (outcome: Result<unknown>) => (outcome.ok ? 'accepted' : outcome.refusal.code);
const submitAll = async (lane: GroupCommit<Entry, string>, items: readonly Entry[]) =>
  (await Promise.all(items.map((item) => lane.submit(item)))).map(codeOf);

/** Ids that are really there. */
const durable = async (database: Database): Promise<Set<string>> =>
  new Set((await database.query<{ id: string }>({ text: 'SELECT id FROM lane WHERE NOT fenced' })).map(({ id }) => id));

describe('GroupCommit on PostgreSQL', async () => {
  const { database, target, open, killConnections } = await testDatabase({ empty: true });
  let network: FlakyNetwork;
  let lane: GroupCommit<Entry, string>;

  beforeAll(async () => {
    await database.query({ text: CREATE });
    if (!('socketDir' in target)) throw new Error('tests run on the embedded server');
    network = await flakyNetwork(target.socketDir);
  });
  beforeEach(() => {
    lane = laneOn(database);
  });
  afterEach(async () => {
    await lane.stop();
    await database.query({ text: 'TRUNCATE lane' });
  });
  afterAll(() => network.close());

  it('acknowledges what another connection can already read', async () => {
    verifies('BW-postgres.03');
    const other = open();
    for (const item of entries('x', 20)) {
      expect(await lane.submit(item)).toEqual({ ok: true, value: item.id });
      expect(await durable(other)).toContain(item.id);
    }
  });

  it('fails a poisoned item alone', async () => {
    verifies('BW-postgres.04');
    const items = entries('x', 100).map((item) => (item.id === 'x37' ? { ...item, value: -1 } : item));
    const outcomes = await Promise.all(items.map((item) => lane.submit(item)));
    const refused = outcomes.flatMap((outcome, i) => (outcome.ok ? [] : [{ id: items[i]?.id, ...outcome.refusal }]));
    expect(refused).toMatchObject([{ id: 'x37', code: 'INTERNAL_ERROR', details: { sqlstate: '23514' } }]);
    expect([...(await durable(database))].sort()).toEqual(
      items
        .map(({ id }) => id)
        .filter((id) => id !== 'x37')
        .sort(),
    );
  });

  it('knows that nothing was written when its backend is ended while the statement waits', async () => {
    verifies('BW-postgres.03', 'BW-postgres.05');
    const items = entries('x', 5);
    const blocker = await database.connect();
    await blocker.query({ text: 'BEGIN' });
    await blocker.query({ text: `INSERT INTO lane (id, value) VALUES ('x2', 99)` });
    const outcomes = submitAll(lane, items);
    await vi.waitFor(async () => {
      const ended = await database.query({
        text: `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'INSERT INTO lane%'`,
      });
      expect(ended).toHaveLength(1);
    });
    await blocker.query({ text: 'ROLLBACK' });
    await blocker.close();
    expect(await outcomes).toEqual(new Array(5).fill('STORAGE_UNAVAILABLE'));
    expect(await durable(database)).toEqual(new Set());
    expect(await submitAll(lane, entries('y', 5))).toEqual(new Array(5).fill('accepted'));
  });

  it.each<[Failure, Slow | undefined, string]>([
    ['request lost', undefined, 'STORAGE_UNAVAILABLE'],
    ['reply lost', undefined, 'accepted'],
    // The statement goes on without us, and has not taken its rows: it is fenced, and fails.
    ['cut', 'before writing', 'STORAGE_UNAVAILABLE'],
    // It has taken its rows and will commit: the question waits for it.
    ['cut', 'after writing', 'accepted'],
  ])('finds out what became of a flush: %s, slow %s', async (failure, slow, end) => {
    verifies('BW-postgres.05');
    const far = openDatabase({
      target: { socketDir: network.socketDir, database: (target as { database: string }).database },
      onError: () => undefined,
    });
    const behind = laneOn(far, slow);
    const items = entries('marker', 5);
    network.failAt('marker', failure);
    const outcomes = await submitAll(behind, items);
    expect(outcomes).toEqual(new Array(5).fill(end));
    // A statement that was still running has done its worst by then.
    const running = {
      text: `SELECT query FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'`,
    };
    await expect.poll(() => database.query(running)).toEqual([]);
    expect(await durable(database)).toEqual(new Set(end === 'accepted' ? items.map(({ id }) => id) : []));
    expect(await submitAll(laneOn(far), entries('y', 2))).toEqual(['accepted', 'accepted']);
    await behind.stop();
    await far.close();
  });

  it('survives the loss of its idle connection without refusing anybody', async () => {
    expect(await submitAll(lane, entries('x', 1))).toEqual(['accepted']);
    await killConnections();
    expect(await submitAll(lane, entries('y', 1))).toEqual(['accepted']);
  });

  it('isolates an item whose row is locked for too long, by the statement timeout', async () => {
    const network = open({ statementTimeoutMs: 200 });
    let sent = 0;
    const impatient = laneOn({
      query: (statement) => network.query(statement),
      transaction: (work) => network.transaction(work),
      close: () => network.close(),
      connect: async () => {
        const connection = await network.connect();
        return {
          query: (statement) => {
            sent += 1;
            return connection.query(statement);
          },
          close: () => connection.close(),
          onNotification: (hear) => connection.onNotification(hear),
          onClosed: (hear) => connection.onClosed(hear),
        };
      },
    });
    const blocker = await database.connect();
    await blocker.query({ text: 'BEGIN' });
    await blocker.query({ text: `INSERT INTO lane (id, value) VALUES ('x1', 99)` });
    expect(await submitAll(impatient, entries('x', 3))).toEqual(['accepted', 'SEQUENCE_CONFLICT', 'accepted']);
    // All three, then halves: nothing that ran out of time is sent as it was again, or one row would hold up the lane.
    expect(sent).toBeLessThanOrEqual(5);
    await blocker.query({ text: 'ROLLBACK' });
    await blocker.close();
    await impatient.stop();
  });
});

describe('GroupCommit while PostgreSQL is stopped and started', () => {
  it('refuses in between and serves after, and its word holds for every write', async () => {
    verifies('BW-postgres.03', 'BW-postgres.06');
    const postgres = privatePostgres();
    await postgres.start();
    const database = postgres.open();
    await database.query({ text: CREATE });
    const lane = laneOn(database);
    const ends = new Map<string, string>();
    const open: Promise<void>[] = [];
    let running = true;
    // Submits without waiting for the answer, since what was in flight when PostgreSQL went is answered when it is back.
    const writer = async (name: number) => {
      for (let i = 0; running; i += 1) {
        const id = `${name}-${i}`;
        open.push(lane.submit({ id, value: i }).then((outcome) => void ends.set(id, codeOf(outcome))));
        await sleep(2);
      }
    };
    const writers = Array.from({ length: 10 }, (_, name) => writer(name));
    const count = (end: string) => [...ends.values()].filter((seen) => seen === end).length;
    const grows = async (end: string, by: number) => {
      const before = count(end);
      await vi.waitFor(() => expect(count(end)).toBeGreaterThan(before + by), 20_000);
    };

    for (let round = 0; round < 3; round += 1) {
      await grows('accepted', 200);
      await postgres.stop();
      await grows('STORAGE_UNAVAILABLE', 20);
      await postgres.start();
    }
    await grows('accepted', 200);
    running = false;
    await Promise.all(writers);
    await Promise.all(open);

    expect(new Set(ends.values())).toEqual(new Set(['accepted', 'STORAGE_UNAVAILABLE']));
    const there = await durable(database);
    const accepted = [...ends].filter(([, end]) => end === 'accepted').map(([id]) => id);
    expect(new Set(accepted)).toEqual(there);
    await lane.stop();
  });
});
