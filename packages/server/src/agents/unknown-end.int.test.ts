import type { Result } from '@breakwater/contract';
import { processAgentUpdate } from '@breakwater/contract/tools';
import { afterAll, describe, expect, it } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { born, testNode, type TestNode } from '../../testing/node.ts';
import { verifies } from '../../testing/verifies.ts';
import type { Connection, Database, Statement } from '../postgres/index.ts';

const db = await testDatabase();

const code = (outcome: Result<unknown>): string => (outcome.ok ? 'accepted' : outcome.refusal.code);
let serial = 0;
const checkIn = (node: TestNode, agentId: string): Promise<Result<unknown>> =>
  node.checkIns.checkIn({
    args: processAgentUpdate.input.parse({ response_text: `Piece ${(serial += 1)} is done.`, confidence: 0.8 }),
    agentId,
    assurance: 'strong',
    sessionKey: 'session',
    deadline: Number.MAX_SAFE_INTEGER,
  });

/** How the connection of a commit ends, once: given the statement, and a way to send it to PostgreSQL. */
type Loss = (statement: Statement, send: () => Promise<unknown>) => Promise<void>;

/** The end of a commit whose connection was lost, as the resolver of agents finds it out in PostgreSQL. */
describe('a check-in whose connection is lost under its commit', async () => {
  let loss: Loss | undefined;
  const pool = db.open();
  const failing: Database = {
    ...pool,
    async connect(): Promise<Connection> {
      const connection = await pool.connect();
      return {
        ...connection,
        async query<R>(statement: Statement): Promise<R[]> {
          const lose = statement.name?.startsWith('agents.commit') === true ? loss : undefined;
          if (lose === undefined) return connection.query<R>(statement);
          loss = undefined;
          await lose(statement, () => connection.query(statement));
          throw Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' });
        },
      };
    },
  };
  const node = await testNode(failing, { nodeId: 'a' });
  afterAll(async () => {
    await node.stop();
    expect(node.crashes).toEqual([]);
  });
  const updates = async (agentId: string): Promise<number> => {
    const [row] = await db.database.query<{ updates: number }>({
      text: 'SELECT update_count AS updates FROM core.identities WHERE agent_id = $1',
      values: [agentId],
    });
    return row?.updates ?? -1;
  };

  it('is acknowledged when it is durable and only its answer was lost', async () => {
    verifies('BW-postgres.03', 'BW-postgres.05');
    const { agentId } = await born(node);
    loss = async (_, send) => void (await send());
    expect(code(await checkIn(node, agentId))).toBe('accepted');
    expect(await updates(agentId)).toBe(1);
    expect(code(await checkIn(node, agentId))).toBe('accepted');
    expect(await updates(agentId)).toBe(2);
  });

  it('is acknowledged when PostgreSQL was still committing it as the question came', async () => {
    verifies('BW-postgres.05');
    const { agentId } = await born(node);
    const backend = await db.open().connect();
    const done: Promise<unknown>[] = [];
    loss = async (statement) => {
      await backend.query({ text: 'BEGIN' });
      expect(await backend.query(statement)).toHaveLength(1);
      const waits = async (): Promise<void> => {
        for (;;) {
          const [row] = await db.database.query<{ n: number }>({
            text: `SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
          });
          if ((row?.n ?? 0) > 0) return;
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      };
      done.push(waits().then(() => backend.query({ text: 'COMMIT' })));
    };
    expect(code(await checkIn(node, agentId))).toBe('accepted');
    await Promise.all(done);
    await backend.close();
    expect(await updates(agentId)).toBe(1);
  });

  it('is refused when it is not durable, and does not become so when its statement arrives after all', async () => {
    verifies('BW-postgres.05');
    const { agentId } = await born(node);
    let held: Statement | undefined;
    loss = (statement) => Promise.resolve(void (held = statement));
    expect(code(await checkIn(node, agentId))).toBe('STORAGE_UNAVAILABLE');
    if (held === undefined) throw new Error('a commit was held back');
    expect(await db.database.query(held), 'it matches nothing').toEqual([]);
    expect(await updates(agentId)).toBe(0);
    expect(code(await checkIn(node, agentId))).toBe('accepted');
    expect(await updates(agentId)).toBe(1);
  });
});
