import type { Statement } from '../postgres/index.ts';
import type { FailureEvent } from './failure-event.ts';

/**
 * Stores a batch: failures into their table, suspicions about identity into the audit trail, outside of every chain.
 * A repeat of rows that are already there changes nothing, so a batch of unknown end may be
 * sent again.
 */
export const insertEvents = (events: readonly FailureEvent[], service: string, context: string): Statement => ({
  name: 'channel.insert',
  text: `WITH e AS MATERIALIZED (
           SELECT ts, event_id, event_type, agent_id, payload::jsonb, event_type LIKE 'coordination_failure.%' AS failure
           FROM unnest($1::timestamptz[], $2::uuid[], $3::text[], $4::text[], $5::text[])
             AS e (ts, event_id, event_type, agent_id, payload)
         ), suspicion AS (
           INSERT INTO audit.events (ts, event_id, agent_id, event_type, payload)
           SELECT ts, event_id, agent_id, event_type, payload FROM e WHERE NOT failure
           ON CONFLICT DO NOTHING
         )
         INSERT INTO audit.coordination_events (ts, event_id, service, event_type, agent_id, payload, context)
         SELECT ts, event_id, $6, event_type, agent_id, payload, $7::jsonb FROM e WHERE failure
         ON CONFLICT DO NOTHING`,
  values: [
    events.map((event) => new Date(event.at).toISOString()),
    events.map((event) => event.eventId),
    events.map((event) => event.type),
    events.map((event) => event.agentId),
    events.map((event) => event.payload),
    service,
    context,
  ],
});
