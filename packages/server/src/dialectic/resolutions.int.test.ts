import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { testNode } from '../../testing/node.ts';
import { privatePostgres } from '../../testing/private-postgres.ts';
import { verifies } from '../../testing/verifies.ts';
import { ensurePartitions, migrate, type Database } from '../postgres/index.ts';

const RESOLUTIONS = 500;
const WORKERS = 8;
const RESTART_EVERY_MS = 1_500;
const CALL_MS = 20_000;

/** Paused agents, each with a reviewer that has the last word of their review. */
const seed = async (database: Database): Promise<void> => {
  await database.query({
    text: `WITH made AS (SELECT 'p' || n AS paused, 'r' || n AS reviewer, 's' || n AS session FROM generate_series(1, $1) n),
             agents AS (INSERT INTO core.agents (id) SELECT paused FROM made UNION ALL SELECT reviewer FROM made)
           INSERT INTO core.identities (agent_id, status, pause)
           SELECT paused, 'paused', '{"actuation_id":"a","paused_at":"2026-01-01T00:00:00.000Z","sub_action":"claims_pause",
             "expires_at":"2099-01-01T00:00:00.000Z","reason":"r","evidence":{}}'::jsonb FROM made
           UNION ALL SELECT reviewer, 'active', NULL FROM made`,
    values: [RESOLUTIONS],
  });
  await database.query({
    text: `INSERT INTO core.dialectic_sessions (session_id, paused_agent_id, reviewer_agent_id, phase, synthesis_round)
           SELECT 's' || n, 'p' || n, 'r' || n, 'synthesis', 1 FROM generate_series(1, $1) n`,
    values: [RESOLUTIONS],
  });
  await database.query({
    text: `INSERT INTO core.dialectic_messages (session_id, agent_id, message_type, "timestamp", root_cause, proposed_conditions,
             reasoning)
           SELECT 's' || n, m.who || n, m.type, now(), 'rc', '["plain words"]', 'r' FROM generate_series(1, $1) n,
             (VALUES ('p', 'thesis'), ('r', 'antithesis')) AS m (who, type) ORDER BY n, m.type DESC`,
    values: [RESOLUTIONS],
  });
};

test('five hundred resolutions, with PostgreSQL restarted again and again, are each carried out once', async () => {
  verifies('W3-9.07', 'W3-9.10', 'W3-9.11', 'W3-9.14', 'W3-9.22');
  const postgres = privatePostgres();
  await postgres.start();
  const database = postgres.open();
  await migrate(database);
  await ensurePartitions(database, Date.now());
  await seed(database);
  const node = await testNode(database);
  // No operator confirms five hundred agreements here: how they are carried out is what is tested.
  await node.flags.set('claims_review', 'peer', 'test', 'only the carrying out');

  let restarts = 0;
  const work = { busy: true };
  const restarting = (async () => {
    while (work.busy) {
      await sleep(RESTART_EVERY_MS);
      await postgres.stop();
      await postgres.start();
      restarts += 1;
    }
  })();

  /** Says the last word until something says that it was heard; what a lost connection made of it nobody knows. */
  const resolve = async (n: number): Promise<void> => {
    for (;;) {
      try {
        const said = { agentId: `r${n}`, agrees: true, conditions: ['plain words'], rootCause: 'rc', reasoning: 'r' };
        const done = await node.dialectic.submitSynthesis(`s${n}`, said, Date.now() + CALL_MS);
        if (done.ok || done.refusal.code === 'INVALID_PHASE' || done.refusal.code === 'SAGA_IN_FLIGHT') return;
      } catch {
        // PostgreSQL went away under the call.
      }
      await sleep(20);
    }
  };
  const waiting = Array.from({ length: RESOLUTIONS }, (_, i) => i + 1);
  await Promise.all(
    Array.from({ length: WORKERS }, async () => {
      for (let n = waiting.pop(); n !== undefined; n = waiting.pop()) {
        await resolve(n);
        // Spread over several restarts, which would else all come after the last resolution.
        await sleep(60);
      }
    }),
  );
  work.busy = false;
  await restarting;
  await node.saga.recover(true);
  await node.dialectic.driveAgreed(Date.now() + CALL_MS);

  const count = async (from: string): Promise<number> =>
    Number((await database.query<{ n: number }>({ text: `SELECT count(*) AS n FROM ${from}` }))[0]?.n);
  expect(restarts).toBeGreaterThan(1);
  expect(await count(`core.dialectic_sessions WHERE phase = 'resolved'`)).toBe(RESOLUTIONS);
  expect(await count(`core.identities WHERE agent_id LIKE 'p%' AND status = 'active' AND pause IS NULL`)).toBe(
    RESOLUTIONS,
  );
  expect(await count(`audit.events WHERE event_type = 'lifecycle_resumed'`)).toBe(RESOLUTIONS);
  expect(await count(`coordination.session_resolution_sagas WHERE state = 'pg_committed'`)).toBe(RESOLUTIONS);
  expect(await count('coordination.session_resolution_sagas')).toBe(RESOLUTIONS);
  expect(await count('coordination.saga_reservations')).toBe(0);
  expect(await count('coordination.outbox')).toBe(RESOLUTIONS);
  await node.stop();
});
