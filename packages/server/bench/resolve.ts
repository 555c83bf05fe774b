import { randomBytes, randomUUID } from 'node:crypto';
import type { Agents } from '../src/agents/index.ts';
import { Bindings, credentialHash, Identity } from '../src/identity/index.ts';
import type { Database, Notifier } from '../src/postgres/index.ts';
import { createLiveTable, systemClock, systemIds, type Evidence } from '../src/runtime/index.ts';

const ROUNDS = 5;
const CALLS = 200_000;

/** Nanoseconds of finding out, from memory, who is calling: by a session secret, and by a token beside its uuid. */
export const resolveNs = async (agents: number): Promise<{ readonly bySecret: number; readonly byToken: number }> => {
  const callers = Array.from({ length: agents }, () => ({
    agentId: randomUUID(),
    secret: randomBytes(32).toString('base64url'),
  }));
  const rowOf = (hash: string, kind: string, agentId: string) => ({
    credential_hash: hash,
    kind,
    agent_id: agentId,
    assurance: 'strong',
    expires_at: systemClock.now() + 30 * 86_400_000,
    revoked_at: null,
    name: null,
    scopes: null,
  });
  const rows = callers.map(({ agentId, secret }) => rowOf(credentialHash(secret), 'session', agentId));
  const secret = randomBytes(32);
  const written = new Map(rows.map((row) => [row.credential_hash, row]));
  // PostgreSQL as far as the credentials ask it: what is measured begins when memory holds all of them.
  const database = {
    query: async ({ text, values }: { text: string; values?: readonly unknown[] }) => {
      if (text.includes('server_secrets')) return [{ secret }];
      if (!text.startsWith('INSERT')) return [...written.values()];
      const [hash, kind, agentId] = values as [string, string, string];
      written.set(hash, rowOf(hash, kind, agentId));
      return [];
    },
  } as unknown as Database;
  const heads = createLiveTable<{ substrate: null }>('agents');
  for (const { agentId } of callers) heads.writer.publish(agentId, { substrate: null });
  const notifier = { announce: () => undefined, onChange: () => undefined, onGap: () => undefined };
  const identity = new Identity({
    database,
    agents: { table: heads.table, find: async () => undefined } as unknown as Agents,
    bindings: new Bindings({ database, clock: systemClock, notifier: notifier as unknown as Notifier }),
    clock: systemClock,
    ids: systemIds,
    strictMode: () => 'observe',
    pinMode: () => 'enforce',
    residents: [],
    report: () => undefined,
  });
  await identity.load();
  const bySecret = callers.map(({ secret: clientSessionId }): Evidence => ({ clientSessionId, peer: 'bench' }));
  const byToken: Evidence[] = [];
  for (const evidence of bySecret.slice(0, 100)) {
    const resolved = await identity.resolve(evidence);
    if (!resolved.ok) throw new Error(resolved.refusal.message);
    const { token } = await identity.credentialsFor(resolved.value, evidence);
    const { agentId } = resolved.value;
    if (token === undefined || agentId === undefined) throw new Error('the caller is bound');
    byToken.push({ agentUuid: agentId, continuityToken: token, peer: 'bench' });
  }
  const measure = (evidence: readonly Evidence[]): number => {
    const pass = () => {
      const started = performance.now();
      for (let calls = 0; calls < CALLS; calls += evidence.length) {
        for (const one of evidence) {
          const found = identity.resolve(one);
          if (found instanceof Promise || !found.ok || found.value.agentId === undefined) {
            throw new Error('the caller was not found in memory');
          }
        }
      }
      return ((performance.now() - started) * 1e6) / CALLS;
    };
    pass();
    return Math.min(...Array.from({ length: ROUNDS }, pass));
  };
  return { bySecret: measure(bySecret), byToken: measure(byToken) };
};
