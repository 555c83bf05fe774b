import type { Statement } from '../postgres/index.ts';

export const selectAll = (): Statement => ({ text: 'SELECT agent_id, stats FROM core.agent_behavioral_baselines' });

export const selectOne = (agentId: string): Statement => ({
  name: 'baselines.one',
  text: 'SELECT agent_id, stats FROM core.agent_behavioral_baselines WHERE agent_id = $1',
  values: [agentId],
});

export const upsert = (agentId: string, stats: unknown): Statement => ({
  name: 'baselines.upsert',
  text: `INSERT INTO core.agent_behavioral_baselines (agent_id, stats) VALUES ($1, $2::jsonb)
         ON CONFLICT (agent_id) DO UPDATE SET stats = excluded.stats, updated_at = now()`,
  values: [agentId, JSON.stringify(stats)],
});
