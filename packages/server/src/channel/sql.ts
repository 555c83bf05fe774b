import type { Statement } from '../postgres/index.ts';

/** One row of audit.coordination_events. */
export interface FailureRow {
  readonly ts: string;
  readonly eventId: string;
  readonly type: string;
  readonly agentId: string | null;
  readonly payload: string;
}

export const insertFailures = (rows: readonly FailureRow[], context: string): Statement => ({
  name: 'channel.failures',
  text: `INSERT INTO audit.coordination_events (ts, event_id, service, event_type, agent_id, payload, context)
         SELECT ts, id, 'governance_mcp', type, agent, payload, $6::jsonb
         FROM unnest($1::timestamptz[], $2::uuid[], $3::text[], $4::text[], $5::jsonb[]) AS f (ts, id, type, agent, payload)`,
  values: [
    rows.map((row) => row.ts),
    rows.map((row) => row.eventId),
    rows.map((row) => row.type),
    rows.map((row) => row.agentId),
    rows.map((row) => row.payload),
    context,
  ],
});
