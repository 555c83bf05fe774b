import type { Statement } from '../postgres/index.ts';

/** What lists do not need of an agent, and its own record shows. */
export interface RecordRow {
  readonly notes: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** When a process last said that it runs the agent. */
  readonly last_seen: number | null;
  /** New agents that may go on for it, and paused ones that it may go on for; at most 50 each. */
  readonly successors: readonly StoredLink[];
  readonly successor_of: readonly StoredLink[];
}

/** The other end of a link, what both have in common, and since when; ISO 8601. */
interface StoredLink {
  readonly agent_id: string;
  readonly evidence: readonly ('mcp_session' | 'process' | 'address_and_program')[];
  readonly at: string;
}

const links = (other: string, own: string): string => `(SELECT coalesce(jsonb_agg(l), '[]') FROM (
   SELECT ${other} AS agent_id, evidence, to_char(linked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at
   FROM core.successors WHERE ${own} = $1 ORDER BY linked_at DESC LIMIT 50) AS l)`;

export const selectRecord = (agentId: string): Statement => ({
  text: `SELECT a.notes, i.metadata,
                (SELECT max(last_seen) FROM core.agent_process_bindings p
                 WHERE p.agent_id = a.id AND p.stale_at IS NULL) AS last_seen,
                ${links('successor_agent_id', 'paused_agent_id')} AS successors,
                ${links('paused_agent_id', 'successor_agent_id')} AS successor_of
         FROM core.agents a JOIN core.identities i ON i.agent_id = a.id WHERE a.id = $1`,
  values: [agentId],
});
