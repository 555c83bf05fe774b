import { describe, expect, it } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { verifies } from '../../testing/verifies.ts';
import { createFlags } from '../flags/index.ts';
import { createNotifier } from '../postgres/index.ts';
import { reconcileJob, systemClock, Ticker } from '../runtime/index.ts';
import { ManualClock } from '../runtime/testing/manual-clock.ts';
import { createBaselines } from './index.ts';
import { freshStats } from './stats.ts';

const FIVE_MINUTES = 300_000;
const AGENT = crypto.randomUUID();

describe('live tables of a node', async () => {
  const db = await testDatabase();
  const { database } = db;
  const told: { store: string; key: string }[] = [];
  const createNode = (nodeId: string) => {
    const own = db.open();
    const clock = new ManualClock();
    const notifier = createNotifier({ database: own, nodeId, clock: systemClock, onError: () => undefined });
    const onDivergence = (store: string, { key }: { key: string }) => void told.push({ store, key });
    const flags = createFlags({ database: own, env: {}, notifier, onDivergence });
    const baselines = createBaselines({ database: own, notifier, onDivergence });
    const errors: unknown[] = [];
    const ticker = new Ticker({ clock, tryLock: async () => async () => undefined, onError: (_, e) => errors.push(e) });
    ticker.add(reconcileJob('flags', flags));
    ticker.add(reconcileJob('baselines', baselines));
    return { clock, notifier, flags, baselines, ticker, errors };
  };
  await database.query({ text: 'INSERT INTO core.agents (id) VALUES ($1)', values: [AGENT] });

  it('are held against PostgreSQL every five minutes: what differs is told, and PostgreSQL wins', async () => {
    verifies('W3-10.08', 'W3-10.13');
    const node = createNode('a');
    await node.notifier.start();
    await Promise.all([node.flags.load(), node.baselines.load()]);
    node.ticker.start();
    try {
      // Behind every node's back: nobody announces it.
      await database.query({
        text: `INSERT INTO core.feature_flags (key, value, updated_by) VALUES ('claims_review', '"peer"', 'psql')
               ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
      });
      await database.query({
        text: 'INSERT INTO core.agent_behavioral_baselines (agent_id, stats) VALUES ($1, $2)',
        values: [AGENT, JSON.stringify(freshStats)],
      });
      node.clock.advance(FIVE_MINUTES - 1);
      await node.notifier.newsArrived();
      expect([node.flags.get('claims_review').value, node.baselines.table.read(AGENT).ok]).toEqual(['operator', false]);
      expect(told).toEqual([]);

      node.clock.advance(1);
      await expect.poll(() => node.baselines.table.read(AGENT).ok).toBe(true);
      await expect.poll(() => node.flags.get('claims_review').value).toBe('peer');
      expect(told.toSorted((a, b) => a.store.localeCompare(b.store))).toEqual([
        { store: 'agent_baselines', key: AGENT },
        { store: 'feature_flags', key: 'claims_review' },
      ]);
      expect(node.errors).toEqual([]);
    } finally {
      await node.ticker.stop();
      await node.notifier.stop();
    }
  });
});
