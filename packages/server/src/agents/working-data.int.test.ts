import { expect, test } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { pruneWorkingData } from './index.ts';
import { HOUR_MS } from '../runtime/index.ts';

const DAY = 24 * HOUR_MS;
const NOW = Date.UTC(2026, 5, 1, 12);
const iso = (at: number) => new Date(at).toISOString();

test('answers are kept for a day under their key, and claims for a week after their end', async () => {
  const { database } = await testDatabase();
  const sql = <R>(text: string, ...values: unknown[]) => database.query<R>({ text, values });
  await sql('INSERT INTO core.agents (id) VALUES ($1)', 'agent');
  for (const [key, at] of [
    ['fresh', NOW - 23 * HOUR_MS],
    ['at the edge', NOW - DAY],
    ['old', NOW - DAY - 1],
  ] as const) {
    await sql(
      `INSERT INTO core.idempotency_keys (agent_id, key, request_hash, reply, created_at) VALUES ('agent', $1, 'h', '{}', $2)`,
      key,
      iso(at),
    );
  }
  for (const [index, at] of [NOW + HOUR_MS, NOW - 6 * DAY, NOW - 7 * DAY, NOW - 7 * DAY - 1].entries()) {
    await sql(
      `INSERT INTO core.predictions
         (prediction_id, agent_id, update_index, state_sequence, confidence, source, created_at, expires_at)
       VALUES (gen_random_uuid(), 'agent', $1, 1, 0.8, 'reported', $2, $2)`,
      index,
      iso(at),
    );
  }
  for (const statement of pruneWorkingData(NOW)) await database.query(statement);
  expect(await sql('SELECT key FROM core.idempotency_keys ORDER BY created_at')).toEqual([
    { key: 'at the edge' },
    { key: 'fresh' },
  ]);
  expect(await sql('SELECT update_index AS n FROM core.predictions ORDER BY update_index')).toEqual([
    { n: 0 },
    { n: 1 },
    { n: 2 },
  ]);
});
