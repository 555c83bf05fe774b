import { createHash, randomBytes } from 'node:crypto';
import { openDatabase, startEmbedded } from '../src/postgres/index.ts';

/** A fleet that was written straight into the database of a stopped server. */
export interface Fleet {
  /** Secret of an operator who may act. */
  readonly operator: string;
  /** Ids of agents that are active, for an operator to act on. */
  readonly active: readonly string[];
}

const AGENTS = `
  INSERT INTO core.agents (id, label, purpose, tags, created_at)
  SELECT gen_random_uuid()::text, 'worker-' || i, 'Keeps part ' || i % 977 || ' of the house',
    ARRAY['ephemeral', 'team-' || i % 40], now() - random() * interval '30 days'
  FROM generate_series(1, $1::int) AS i`;

/** Each with the newest state of the one agent that checked in before. */
const IDENTITIES = `
  INSERT INTO core.identities (agent_id, created_at, last_activity_at, update_count, vitals)
  SELECT a.id, a.created_at, a.created_at + random() * (now() - a.created_at), (random() * 500)::int, v.vitals
  FROM core.agents a, (SELECT vitals FROM core.identities WHERE vitals IS NOT NULL LIMIT 1) AS v
  WHERE a.label LIKE 'worker-%'`;

/** Writes `count` agents with names, tags and a state each, and an operator. The server must have run once, with one check-in. */
export const populate = async (dataDir: string, count: number, acts: number): Promise<Fleet> => {
  const server = await startEmbedded({ dataDir });
  const database = openDatabase({ target: server.target, onError: () => undefined });
  const operator = `bwo_${randomBytes(32).toString('base64url')}`;
  await database.transaction(async (tx) => {
    await tx.query({ text: 'SELECT setseed(0.5)' });
    await tx.query({ text: AGENTS, values: [count] });
    await tx.query({ text: IDENTITIES });
    await tx.query({
      text: `INSERT INTO core.bindings (credential_hash, kind, name, scopes, created_at, expires_at)
             VALUES ($1, 'operator', 'limits', ARRAY['operator:read', 'operator:act'], now(), now() + interval '1 day')`,
      values: [createHash('sha256').update(operator).digest('hex')],
    });
  });
  await database.query({ text: 'ANALYZE' });
  const rows = await database.query<{ id: string }>({
    text: `SELECT id FROM core.agents WHERE label LIKE 'worker-%' ORDER BY label LIMIT $1`,
    values: [acts],
  });
  await database.close();
  await server.stop();
  return { operator, active: rows.map(({ id }) => id) };
};
