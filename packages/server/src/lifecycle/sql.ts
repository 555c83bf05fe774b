import type { Statement } from '../postgres/index.ts';

/** What lists do not need of an agent, and its own record shows. */
export interface RecordRow {
  readonly notes: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** When a process last said that it runs the agent. */
  readonly last_seen: number | null;
}

export const selectRecord = (agentId: string): Statement => ({
  text: `SELECT a.notes, i.metadata,
                (SELECT max(last_seen) FROM core.agent_process_bindings p
                 WHERE p.agent_id = a.id AND p.stale_at IS NULL) AS last_seen
         FROM core.agents a JOIN core.identities i ON i.agent_id = a.id WHERE a.id = $1`,
  values: [agentId],
});
