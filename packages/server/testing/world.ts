import type { Database, Statement } from '../src/postgres/index.ts';
import { ManualClock } from '../src/runtime/testing/manual-clock.ts';
import type { Dispatcher } from '../src/dispatch/index.ts';
import { callsOf, dispatcherOf, type Call } from './calls.ts';
import { testDatabase } from './database.ts';
import { testNode, type TestNode } from './node.ts';
import type { Json } from './rest.ts';

/** A node behind the chain of its calls, on a database of its own and a clock that the test moves. */
export interface World {
  readonly clock: ManualClock;
  readonly database: Database;
  /** Statements and transactions that the node has sent so far. */
  readonly queries: number;
  /** Lets nothing of the node through to PostgreSQL any more, or everything again. */
  cutOff(cut: boolean): void;
  node: TestNode;
  dispatcher: Dispatcher;
  call: Call;
  /** Stops the node and starts another one on what it left. */
  restart(): Promise<void>;
  /** How many rows a query finds. */
  count(from: string, ...values: unknown[]): Promise<number>;
  rows(text: string, ...values: unknown[]): Promise<Json[]>;
  /** Events in the trail of an agent, in their order. */
  trail(agentId: string): Promise<string[]>;
}

/**
 * Call it at the top of a test file, or of a `describe`. Its clock begins at the system's; `pastMs` is how far before that
 * the test writes rows: on the first days of a month, that is another month. The rest goes to the node.
 */
export const testWorld = async ({
  pastMs = 0,
  ...options
}: { pastMs?: number; residents?: readonly string[]; loops?: boolean } = {}): Promise<World> => {
  const clock = new ManualClock(Date.now());
  const { database } = await testDatabase(pastMs === 0 ? {} : { at: [clock.now() - pastMs, clock.now()] });
  let queries = 0;
  let cut = false;
  const sending = (): void => {
    queries += 1;
    if (cut) throw Object.assign(new Error('cut off'), { code: 'ECONNREFUSED' });
  };
  const watched: Database = {
    query: async <R>(statement: Statement) => {
      sending();
      return database.query<R>(statement);
    },
    transaction: async (work) => {
      sending();
      return database.transaction(work);
    },
    connect: async () => {
      sending();
      return database.connect();
    },
    close: () => database.close(),
  };
  const rows: World['rows'] = (text, ...values) => database.query<Json>({ text, values });
  const start = async () => {
    const node = await testNode(watched, { clock, ...options });
    const dispatcher = dispatcherOf(node, watched);
    return { node, dispatcher, call: callsOf(dispatcher) };
  };
  const world: World = {
    clock,
    database,
    get queries() {
      return queries;
    },
    cutOff: (on) => void (cut = on),
    ...(await start()),
    restart: async () => {
      await world.node.stop();
      Object.assign(world, await start());
    },
    count: async (from, ...values) => Number((await rows(`SELECT count(*) AS n FROM ${from}`, ...values))[0]?.['n']),
    rows,
    trail: async (agentId) => {
      const found = await rows(
        'SELECT event_type FROM audit.events WHERE agent_id = $1 AND chain_index IS NOT NULL ORDER BY chain_index',
        agentId,
      );
      return found.map((row) => row['event_type'] as string);
    },
  };
  return world;
};
