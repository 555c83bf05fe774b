import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { openDatabase, startEmbedded } from '../src/postgres/index.ts';

/** Secrets of agents that exist. */
export type Sessions = readonly string[];

/**
 * Writes agents with a session each straight into the database of a stopped server: what the bench measures is
 * check-ins, and a hundred thousand onboards would be most of its time.
 */
export const populate = async (dataDir: string, count: number): Promise<Sessions> => {
  const server = await startEmbedded({ dataDir });
  const database = openDatabase({ target: server.target, onError: () => undefined });
  const sessions: string[] = [];
  const batch = 10_000;
  for (let done = 0; done < count; done += batch) {
    const size = Math.min(batch, count - done);
    const ids = Array.from({ length: size }, () => randomUUID());
    const secrets = ids.map(() => randomBytes(32).toString('base64url'));
    const hashes = secrets.map((secret) => createHash('sha256').update(secret).digest('hex'));
    await database.query({
      text: `WITH made AS (SELECT * FROM unnest($1::text[], $2::text[]) AS m (id, hash)),
             agent AS (INSERT INTO core.agents (id) SELECT id FROM made),
             identity AS (INSERT INTO core.identities (agent_id) SELECT id FROM made)
             INSERT INTO core.bindings (credential_hash, kind, agent_id, created_at, expires_at)
             SELECT hash, 'session', id, now(), now() + interval '1 day' FROM made`,
      values: [ids, hashes],
    });
    sessions.push(...secrets);
  }
  // No other table: one that is counted while it is empty is read whole by every plan that is made until it is counted again.
  await database.query({ text: 'ANALYZE core.agents, core.identities, core.bindings' });
  await database.close();
  await server.stop();
  return sessions;
};

/** Counts every table of a stopped server for PostgreSQL's planner: as a server that ran for long has them. */
export const analyse = async (dataDir: string): Promise<void> => {
  const server = await startEmbedded({ dataDir });
  const database = openDatabase({ target: server.target, statementTimeoutMs: 0, onError: () => undefined });
  await database.query({ text: 'ANALYZE' });
  await database.close();
  await server.stop();
};
