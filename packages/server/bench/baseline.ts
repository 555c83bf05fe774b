/**
 * What PostgreSQL does without us, measured beside us on the same server: the disk's flushes, and one statement per
 * transaction over plain connections. Runs in a process of its own; its task comes as JSON, its answer goes as one JSON
 * line.
 */
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { commitChanges, selectHeads, headFromRow, type HeadRow } from '../src/agents/sql.ts';
import type { AgentCommit } from '../src/agents/change.ts';
import { encodeScoring, initialScoring } from '../src/checkin/rules/state.ts';
import { openDatabase, type ConnectionTarget, type Database, type Statement } from '../src/postgres/index.ts';

export interface BaselineTask {
  readonly target: ConnectionTarget;
  readonly dataDir: string;
  readonly connections: number;
  readonly seconds: number;
}

export interface BaselineResult {
  /** 8 kB writes, each followed by fdatasync, a second. */
  readonly fsyncs: number;
  /** The very statement of a check-in, one check-in per transaction. */
  readonly checkIns: number;
  /** A small upsert and a small insert, one pair per transaction: pgbench's kind of statement. */
  readonly small: number;
}

const fsyncRate = (folder: string, seconds: number): number => {
  const path = join(folder, 'fsync-probe');
  const file = openSync(path, 'w');
  const block = Buffer.alloc(8192, 1);
  const stopAt = performance.now() + seconds * 1000;
  let count = 0;
  while (performance.now() < stopAt) {
    writeSync(file, block, 0, block.length, (count % 128) * block.length);
    fdatasyncSync(file);
    count += 1;
  }
  closeSync(file);
  rmSync(path);
  return count / seconds;
};

/** Runs statements over several connections for a while; how many a second. */
const rate = async (
  database: Database,
  { connections, seconds }: BaselineTask,
  next: (worker: number) => () => Statement,
): Promise<number> => {
  const stopAt = performance.now() + seconds * 1000;
  let count = 0;
  const worker = async (index: number) => {
    const connection = await database.connect();
    const statement = next(index);
    while (performance.now() < stopAt) {
      await connection.query(statement());
      count += 1;
    }
    await connection.close();
  };
  await Promise.all(Array.from({ length: connections }, (_, index) => worker(index)));
  return count / seconds;
};

/** One check-in's commit of an agent whose sequence this process alone moves. */
const nextCommit = (heads: ReturnType<typeof headFromRow>[]): (() => Statement) => {
  const state = encodeScoring(initialScoring);
  const padding = 'x'.repeat(1_800);
  let turn = 0;
  return () => {
    const at = turn % heads.length;
    turn += 1;
    const before = heads[at];
    if (before === undefined) throw new Error('no agents to write');
    const after = { ...before, sequence: before.sequence + 1, updateCount: before.updateCount + 1 };
    heads[at] = after;
    const now = Date.now();
    const commit: AgentCommit = {
      before,
      after,
      grounds: [],
      audit: [
        {
          eventId: randomUUID(),
          ts: new Date(now).toISOString(),
          type: 'checkin_recorded',
          payload: { action: 'proceed', risk: 0.1 },
          chainIndex: after.sequence,
          prevHash: '0'.repeat(64),
          hash: '1'.repeat(64),
        },
      ],
      change: {
        at: now,
        events: [{ type: 'checkin_recorded', payload: {} }],
        state: {
          integrity: 0.5,
          entropy: 0.2,
          volatility: 0,
          coherence: 0.5,
          risk: 0.1,
          regime: 'EXPLORATION',
          epistemicClass: 'agent_report',
          // As long as the state of an agent with full histories.
          json: { E: 0.5, scoring: state.json, padding },
        },
        driftBaseline: state.driftBaseline,
        behaviouralStats: { complexity_divergence: { count: 1, mean: 0.2, m2: 0 } },
        prediction: { predictionId: randomUUID(), confidence: 0.8, source: 'reported', expiresAt: now + 3_600_000 },
      },
    };
    return commitChanges([commit]);
  };
};

const run = async (task: BaselineTask): Promise<BaselineResult> => {
  const database = openDatabase({ target: task.target, onError: () => undefined });
  const heads = (await database.query<HeadRow>(selectHeads())).map(headFromRow);
  const share = Math.floor(heads.length / task.connections);
  const checkIns = await rate(database, task, (worker) =>
    nextCommit(heads.slice(worker * share, (worker + 1) * share)),
  );
  await database.query({
    text: `CREATE SCHEMA bench; CREATE TABLE bench.state (id int PRIMARY KEY, data jsonb);
           CREATE TABLE bench.audit (at timestamptz DEFAULT now(), id int, data jsonb)`,
  });
  let serial = 0;
  const small = await rate(database, task, () => () => ({
    name: 'bench.small',
    text: `WITH s AS (INSERT INTO bench.state VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET data = excluded.data)
           INSERT INTO bench.audit (id, data) VALUES ($1, $2)`,
    values: [(serial += 1) % 5000, JSON.stringify({ text: 'x'.repeat(200) })],
  }));
  await database.query({ text: 'DROP SCHEMA bench CASCADE' });
  await database.close();
  return { fsyncs: fsyncRate(task.dataDir, 2), checkIns, small };
};

const chunks: Buffer[] = [];
for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
console.log(JSON.stringify(await run(JSON.parse(Buffer.concat(chunks).toString('utf8')) as BaselineTask)));
