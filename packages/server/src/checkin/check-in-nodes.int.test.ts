import { ok, AUDIT_EVENTS, type Result } from '@breakwater/contract';
import { processAgentUpdate } from '@breakwater/contract/tools';
import { describe, expect, test } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { born, testNode, type TestNode } from '../../testing/node.ts';
import { verifies } from '../../testing/verifies.ts';
import type { Database, Statement } from '../postgres/index.ts';
import { ManualClock } from '../runtime/testing/manual-clock.ts';

const db = await testDatabase();

let serial = 0;
/** A check-in of its own text; its caller waits as long as callers over HTTP do, unless told otherwise. */
const update = (node: TestNode, agentId: string, sessionKey: string, waitMs = 10_000) =>
  node.checkIns.checkIn({
    args: processAgentUpdate.input.parse({ response_text: `Work item ${(serial += 1)} is done.`, confidence: 0.8 }),
    agentId,
    assurance: 'strong',
    sessionKey,
    deadline: node.clock.now() + waitMs,
  });

const value = <T>(outcome: Result<T>): T => {
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.refusal));
  return outcome.value;
};
/** How many of these were accepted; the others lost the sequence again and again, and wrote nothing. */
const accepted = (outcomes: readonly Result<unknown>[]): number =>
  outcomes.filter((outcome) => {
    if (!outcome.ok && outcome.refusal.code !== 'SEQUENCE_CONFLICT') throw new Error(JSON.stringify(outcome.refusal));
    return outcome.ok;
  }).length;
const rows = <R>(text: string, ...values: unknown[]): Promise<R[]> => db.database.query<R>({ text, values });

/** A database whose commits of agents wait for something, and are counted. */
const beforeCommits = (database: Database, wait: (nth: number) => Promise<unknown>) => {
  const sent = { commits: 0 };
  const watched: Database = {
    ...database,
    connect: async () => {
      const connection = await database.connect();
      return {
        ...connection,
        query: async <R>(statement: Statement) => {
          if (statement.name?.startsWith('agents.commit') === true) {
            sent.commits += 1;
            await wait(sent.commits);
          }
          return connection.query<R>(statement);
        },
      };
    },
  };
  return { watched, sent };
};

describe('check-ins of one agent on two nodes', () => {
  test('invariants 1, 4, 9: each decides on head and memory of one moment, whoever changes either meanwhile', async () => {
    verifies('W3-2.01');
    const [one, two] = [await testNode(db.database, { nodeId: 'one' }), await testNode(db.open(), { nodeId: 'two' })];
    const { agentId } = await born(one);
    const torn: unknown[] = [];
    /** Changes what stands in three places to one word; before that, all of what it is given must be of one moment. */
    const rename = (node: TestNode, word: string) =>
      node.agents.act(agentId, node.clock.now() + 10_000, ({ head, memory }) => {
        const counted = memory.scoring.behaviour.count;
        if (head.purpose !== (head.tags[0] ?? null) || head.updateCount !== counted) {
          torn.push([head.purpose, head.tags, head.updateCount, counted]);
        }
        const change = {
          at: node.clock.now(),
          purpose: word,
          tags: [word],
          events: [{ type: AUDIT_EVENTS.agentUpdated, payload: {} }] as const,
        };
        return Promise.resolve(ok({ reply: null, change }));
      });
    value(await rename(one, 'first'));
    // The tags that it was born with were nobody's word.
    torn.length = 0;
    const [updates, renames] = await Promise.all([
      Promise.all(Array.from({ length: 15 }, () => [one, two].map((node, n) => update(node, agentId, `s${n}`))).flat()),
      Promise.all(Array.from({ length: 15 }, (_, i) => [one, two].map((node, n) => rename(node, `w${n}-${i}`))).flat()),
    ]);
    expect(torn).toEqual([]);
    expect(accepted(renames)).toBeGreaterThan(10);
    const [stored] = await rows('SELECT update_count FROM core.identities WHERE agent_id = $1', agentId);
    expect(stored).toEqual({ update_count: accepted(updates) });
    await one.stop();
    await two.stop();
  });

  test('invariant 2: sessions that race on two nodes move the node index by one each, and none gets one of another', async () => {
    verifies('W3-2.02');
    await db.database.query({
      text: `CREATE TABLE moves (sequence bigint, node_index int, session_key text);
             CREATE FUNCTION log_move() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
               INSERT INTO moves VALUES (NEW.sequence, NEW.node_index, NEW.active_session_key); RETURN NEW; END $$;
             CREATE TRIGGER log_move AFTER UPDATE ON core.identities FOR EACH ROW EXECUTE FUNCTION log_move()`,
    });
    const [one, two] = [await testNode(db.database, { nodeId: 'one' }), await testNode(db.open(), { nodeId: 'two' })];
    const { agentId } = await born(one);
    value(await update(one, agentId, 'first'));
    await db.database.query({ text: 'TRUNCATE moves' });
    const done = await Promise.all(
      Array.from({ length: 12 }, () => [update(one, agentId, 'one'), update(two, agentId, 'two')]).flat(),
    );
    const moves = await rows<{ sequence: number; node_index: number; session_key: string }>(
      'SELECT * FROM moves ORDER BY sequence',
    );
    await db.database.query({
      text: 'DROP TRIGGER log_move ON core.identities; DROP FUNCTION log_move; DROP TABLE moves',
    });
    expect(moves).toHaveLength(accepted(done));
    expect(new Set(moves.map(({ session_key }) => session_key))).toEqual(new Set(['one', 'two']));
    let before = { node_index: 1, session_key: 'first' };
    for (const move of moves) {
      expect(move.node_index - before.node_index, JSON.stringify(moves)).toBe(
        move.session_key === before.session_key ? 0 : 1,
      );
      before = move;
    }
    await one.stop();
    await two.stop();
  });

  test('the one that loses the sequence reloads and is accepted within its deadline', async () => {
    verifies('W3-4.02');
    const two = await testNode(db.open(), { nodeId: 'two' });
    let agentId = '';
    const { watched, sent } = beforeCommits(db.database, async (nth) => {
      if (nth === 1) value(await update(two, agentId, 'two'));
    });
    const one = await testNode(watched, { nodeId: 'one' });
    agentId = (await born(two)).agentId;
    expect(value(await update(one, agentId, 'one', 5_000))).toMatchObject({ update: 2 });
    expect(sent.commits).toBe(2);
    expect(await rows('SELECT update_count, node_index FROM core.identities WHERE agent_id = $1', agentId)).toEqual([
      { update_count: 2, node_index: 2 },
    ]);
    await one.stop();
    await two.stop();
  });

  test('one that loses the sequence after its deadline is refused, and writes nothing', async () => {
    verifies('W3-4.02');
    const clock = new ManualClock(Date.now());
    const two = await testNode(db.open(), { nodeId: 'two' });
    const { agentId } = await born(two);
    const { watched, sent } = beforeCommits(db.database, async () => {
      value(await update(two, agentId, 'two'));
      clock.advance(6_000);
    });
    const one = await testNode(watched, { nodeId: 'one', clock });
    expect(await update(one, agentId, 'one', 5_000)).toMatchObject({
      ok: false,
      refusal: { code: 'SEQUENCE_CONFLICT' },
    });
    expect(sent.commits).toBe(1);
    expect(await rows('SELECT update_count FROM core.identities WHERE agent_id = $1', agentId)).toEqual([
      { update_count: 1 },
    ]);
    await one.stop();
    await two.stop();
  });
});

describe('what readers see of a check-in', () => {
  test('invariant 8: nothing before it is durable, and nothing of one that never becomes so', async () => {
    verifies('W3-2.07');
    const node = await testNode(db.database);
    const { agentId } = await born(node);
    value(await update(node, agentId, 's'));
    const heard: number[] = [];
    const unsubscribe = node.feed.subscribe(
      ({ updates }) => void heard.push(...updates.map(({ head }) => head.updateCount)),
    );
    const seen = () => {
      const reading = node.agents.table.read(agentId);
      return reading.ok ? reading.value.updateCount : undefined;
    };
    const holder = await db.open().connect();
    await holder.query({ text: 'BEGIN' });
    await holder.query({ text: 'SELECT 1 FROM core.identities WHERE agent_id = $1 FOR UPDATE', values: [agentId] });
    const waiting = update(node, agentId, 's');
    const locked = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    await expect.poll(() => rows(locked), { timeout: 5_000, interval: 10 }).toHaveLength(1);
    expect(seen()).toBe(1);
    await holder.query({ text: 'COMMIT' });
    await holder.close();
    value(await waiting);
    expect(seen()).toBe(2);

    await db.database.query({
      text: `CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'never'; END $$;
             CREATE TRIGGER never BEFORE INSERT ON audit.events FOR EACH ROW EXECUTE FUNCTION never()`,
    });
    expect(await update(node, agentId, 's')).toMatchObject({ ok: false });
    expect(seen()).toBe(2);
    await db.database.query({ text: 'DROP FUNCTION never() CASCADE' });
    expect(value(await update(node, agentId, 's'))).toMatchObject({ update: 3 });
    await expect.poll(() => heard.at(-1), { timeout: 5_000, interval: 10 }).toBe(3);
    expect(heard.filter((count, i) => i > 0 && count <= (heard[i - 1] ?? 0))).toEqual([]);
    unsubscribe();
    await node.stop();
  });
});

test('a baseline that one node has learned is read on the other within a second', async () => {
  verifies('W3-10.13');
  const [here, there] = [await testNode(db.open(), { listen: true }), await testNode(db.open(), { listen: true })];
  try {
    const { agentId } = await born(here);
    const learned = () => {
      const reading = here.baselines.table.read(agentId);
      return reading.ok ? reading.value : undefined;
    };
    for (let i = 0; i < 3; i += 1) {
      value(await update(here, agentId, 'session'));
      const reads = () => {
        const reading = there.baselines.table.read(agentId);
        return reading.ok ? reading.value : undefined;
      };
      expect(learned()).toBeDefined();
      await expect.poll(reads, { timeout: 1000, interval: 5 }).toEqual(learned());
    }
    expect(there.divergences).toEqual([]);
  } finally {
    await here.stop();
    await there.stop();
  }
});
