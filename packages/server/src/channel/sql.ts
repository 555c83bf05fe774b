import { FAILURE_EVENTS, MEASUREMENT_EVENTS } from '@breakwater/contract';
import type { Statement } from '../postgres/index.ts';
import type { FailureEvent } from './failure-event.ts';
import { eventId, payloadsText, type Measurement } from './measurement.ts';

/** Facts that all rows of a process share. */
interface Emitter {
  readonly service: string;
  /** A JSON object as text. */
  readonly context: string;
}

/**
 * Stores a batch: failures into their table, suspicions about identity into the audit trail, outside of every chain.
 * A repeat of rows that are already there changes nothing, so a batch of unknown end may be
 * sent again.
 */
export const insertEvents = (
  events: readonly FailureEvent[],
  isFailure: (event: FailureEvent) => boolean,
  { service, context }: Emitter,
): Statement => ({
  name: 'channel.insert',
  text: `WITH e AS MATERIALIZED (
           SELECT ts, event_id, event_type, agent_id, payload::jsonb, failure
           FROM unnest($1::timestamptz[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::boolean[])
             AS e (ts, event_id, event_type, agent_id, payload, failure)
         ), suspicion AS (
           INSERT INTO audit.events (ts, event_id, agent_id, event_type, payload)
           SELECT ts, event_id, agent_id, event_type, payload FROM e WHERE NOT failure
           ON CONFLICT DO NOTHING
         )
         INSERT INTO audit.coordination_events (ts, event_id, service, event_type, agent_id, payload, context)
         SELECT ts, event_id, $7, event_type, agent_id, payload, $8::jsonb FROM e WHERE failure
         ON CONFLICT DO NOTHING`,
  values: [
    events.map((event) => new Date(event.at).toISOString()),
    events.map((event) => event.eventId),
    events.map((event) => event.type),
    events.map((event) => event.agentId),
    events.map((event) => event.payload),
    events.map(isFailure),
    service,
    context,
  ],
});

/**
 * Stores a batch of measurements; with `again`, rows that are already there stay as they are. Made for thousands of rows a second: one JSON text instead of
 * an array of texts, which driver and PostgreSQL would quote and unquote one by one, and a transaction that does not wait
 * for the disk. When PostgreSQL itself dies, the measurements of its last half second may be gone.
 */
export const insertMeasurements = (
  measurements: readonly Measurement[],
  again: boolean,
  stem: string,
  { service, context }: Emitter,
): Statement => ({
  // To look for a row before it is inserted costs a sixth of the whole, for a case that hardly ever is.
  name: again ? 'channel.measure_again' : 'channel.measure',
  text: `WITH setting AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
         INSERT INTO audit.coordination_measurements (ts, event_id, service, event_type, agent_id, payload, context)
         SELECT to_timestamp(at / 1000), event_id, $6, event_type, agent_id, payload, $7::jsonb
         FROM setting, ROWS FROM (unnest($1::float8[]), unnest($2::uuid[]), unnest($3::text[]), unnest($4::text[]),
           jsonb_array_elements($5::jsonb)) AS m (at, event_id, event_type, agent_id, payload)
         ${again ? 'ON CONFLICT DO NOTHING' : ''}`,
  values: [
    measurements.map(({ at }) => at),
    measurements.map((measurement) => eventId(stem, measurement)),
    measurements.map(({ type }) => type),
    measurements.map(({ agentId }) => agentId),
    payloadsText(measurements),
    service,
    context,
  ],
});

const time = (ms: number): string => new Date(ms).toISOString();

/**
 * Requests and 503s after `from` up to `to`, and the incident of a breach that was reported within that time. The answers of
 * health routes are left out: they tell a probe to wait, and refuse no request.
 */
export const countRequests = (from: number, to: number): Statement => ({
  text: `SELECT count(*) FILTER (WHERE event_type = $3) AS requests,
           count(*) FILTER (WHERE event_type = $4 AND payload->>'endpoint' NOT LIKE '/health%') AS unavailable,
           (SELECT payload->>'incident_id' FROM audit.coordination_events
            WHERE event_type = $5 AND ts > $1 AND ts <= $2 ORDER BY ts DESC LIMIT 1) AS incident
         FROM audit.coordination_measurements
         WHERE ts > $1 AND ts <= $2 AND event_type IN ($3, $4)`,
  values: [
    time(from),
    time(to),
    MEASUREMENT_EVENTS.request,
    MEASUREMENT_EVENTS.unavailable,
    FAILURE_EVENTS.cutover503RateBreach,
  ],
});

/** Where the channel's rows stand, and what names the place that a row is about. */
const PANELS = {
  failures: { table: 'audit.coordination_events', endpoint: `coalesce(payload->>'endpoint', payload->>'store')` },
  measurements: { table: 'audit.coordination_measurements', endpoint: `payload->>'endpoint'` },
} as const;
export type Panel = keyof typeof PANELS;

const source = (panel: Panel): string =>
  `(SELECT ts, event_type, agent_id, ${PANELS[panel].endpoint} AS endpoint,
      coalesce(payload->>'tool', payload->>'tool_name', payload->>'task') AS tool, payload->>'incident_id' AS incident,
      coalesce(payload->>'error_class', payload->>'error_code', payload->>'reason') AS class,
      CASE jsonb_typeof(payload->'elapsed_ms') WHEN 'number' THEN (payload->'elapsed_ms')::float8 END AS elapsed
    FROM ${PANELS[panel].table} WHERE ts >= $1 AND ts < $2) AS r`;

/** One line for each type, endpoint and tool, from `from` up to, and without, `to`. */
export const reportLines = (panel: Panel, from: number, to: number): Statement => ({
  text: `SELECT event_type AS type, endpoint, tool, count(*) AS count, count(DISTINCT incident) AS incidents,
           count(DISTINCT agent_id) AS agents, percentile_cont(0.5) WITHIN GROUP (ORDER BY elapsed) AS p50,
           percentile_cont(0.99) WITHIN GROUP (ORDER BY elapsed) AS p99, min(ts) AS first, max(ts) AS last
         FROM ${source(panel)} GROUP BY 1, 2, 3 ORDER BY 1, 4 DESC, 2, 3`,
  values: [time(from), time(to)],
});

/** How often each class of error stands in the lines of {@link reportLines}. */
export const reportClasses = (panel: Panel, from: number, to: number): Statement => ({
  text: `SELECT event_type AS type, endpoint, tool, class, count(*) AS count FROM ${source(panel)}
         WHERE class IS NOT NULL GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC, 4`,
  values: [time(from), time(to)],
});

/** Emissions of that time that were never stored. */
export const reportDropped = (from: number, to: number): Statement => ({
  text: `SELECT coalesce(sum((payload->'samples_dropped')::bigint), 0)::bigint AS dropped
         FROM audit.coordination_measurements WHERE ts >= $1 AND ts < $2 AND event_type = $3`,
  values: [time(from), time(to), MEASUREMENT_EVENTS.samplesDropped],
});
