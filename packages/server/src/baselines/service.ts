import type { Database, Notifier } from '../postgres/index.ts';
import { createWriteThrough, type Divergence, type WriteThrough } from '../runtime/index.ts';
import * as sql from './sql.ts';
import { sameStats, statsFromJson, type BehaviouralStats } from './stats.ts';

const TABLE = 'agent_baselines';

interface Row {
  readonly agent_id: string;
  readonly stats: Readonly<Record<string, unknown>>;
}

export type Baselines = WriteThrough<BehaviouralStats>;

/**
 * The behavioural baseline of every agent, in memory over core.agent_behavioral_baselines (RFC section 10). A check-in
 * stages what it learned in its own transaction; nothing else writes a baseline. When another node changed an agent, who
 * takes over the agent's head refreshes its baseline first.
 */
export const createBaselines = (options: {
  database: Database;
  notifier: Notifier;
  onDivergence: (store: string, divergence: Divergence<BehaviouralStats>) => void;
}): Baselines => {
  const { database, notifier } = options;
  const baselines = createWriteThrough<BehaviouralStats>({
    name: TABLE,
    store: {
      loadAll: async () =>
        new Map((await database.query<Row>(sql.selectAll())).map((row) => [row.agent_id, statsFromJson(row.stats)])),
      loadOne: async (agentId) => {
        const row = (await database.query<Row>(sql.selectOne(agentId)))[0];
        return row && statsFromJson(row.stats);
      },
      save: async (agentId, stats) => void (await database.query(sql.upsert(agentId, stats))),
    },
    equal: sameStats,
    onDivergence: (divergence) => options.onDivergence(TABLE, divergence),
    newsArrived: () => notifier.newsArrived(),
  });
  notifier.onGap(() => baselines.catchUp());
  return baselines;
};
