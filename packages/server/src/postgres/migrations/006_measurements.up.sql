-- Measurements beside failures: one row for each request, each 503 and each crossing of a boundary. Rows of requests come
-- by the thousand a second, so they pay for one index only; what is rare can be found by its type.
CREATE TABLE audit.coordination_measurements (
  ts timestamptz NOT NULL,
  event_id uuid NOT NULL,
  service text NOT NULL
    CHECK (service IN ('sentinel', 'governance_mcp', 'lease_plane', 'vigil', 'chronicler', 'watcher')),
  -- The pattern alone decides; it costs a third of the whole insert, so the one type of the hot path need not be matched.
  event_type text NOT NULL CHECK (event_type = 'measurement.governance_mcp.request'
    OR event_type ~ '^(measurement|telemetry)(\.[a-z0-9_]+)+$'),
  agent_id text,
  payload jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(payload) = 'object'),
  context jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(context) = 'object'),
  PRIMARY KEY (ts, event_id)
) PARTITION BY RANGE (ts);
CREATE INDEX coordination_measurements_rare ON audit.coordination_measurements (event_type, ts DESC)
  WHERE event_type <> 'measurement.governance_mcp.request';

-- The same rows in the flat shape that readers of the reference's table know; counters have no duration, which it says as 0.
CREATE VIEW audit.coordination_measurements_flat AS
SELECT event_id AS id,
  ts AS recorded_at,
  event_type AS measurement_type,
  payload->>'endpoint' AS endpoint,
  CASE jsonb_typeof(payload->'elapsed_ms') WHEN 'number' THEN round((payload->'elapsed_ms')::numeric)::int ELSE 0 END
    AS elapsed_ms,
  payload->>'status_code' AS status,
  CASE jsonb_typeof(payload->'payload_bytes') WHEN 'number' THEN (payload->'payload_bytes')::bigint END AS payload_bytes,
  payload - '{endpoint,elapsed_ms,status_code,payload_bytes}'::text[] AS meta
FROM audit.coordination_measurements
WHERE event_type LIKE 'measurement.%';
