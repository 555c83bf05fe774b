import type { Statement } from '../postgres/index.ts';
import type { FailureEvent } from './failure-event.ts';

/** Stores a batch. A repeat of rows that are already there changes nothing, so a batch of unknown end may be sent again. */
export const insertEvents = (events: readonly FailureEvent[], service: string, context: string): Statement => ({
  name: 'channel.insert',
  text: `INSERT INTO audit.coordination_events (ts, event_id, service, event_type, agent_id, payload, context)
         SELECT e.ts, e.event_id, $6, e.event_type, e.agent_id, e.payload::jsonb, $7::jsonb
         FROM unnest($1::timestamptz[], $2::uuid[], $3::text[], $4::text[], $5::text[])
           AS e (ts, event_id, event_type, agent_id, payload)
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
