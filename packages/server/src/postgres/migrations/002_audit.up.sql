-- Append-only records, range-partitioned by month in UTC. Partitions are made ahead by the server's partition job; rows
-- of audit.events form one hash chain per agent (chain_index, prev_hash, raw_hash).

CREATE SCHEMA audit;

CREATE TABLE audit.events (
  ts timestamptz NOT NULL,
  event_id uuid NOT NULL,
  agent_id text,
  session_id text,
  event_type text NOT NULL,
  confidence float4 NOT NULL DEFAULT 1.0,
  payload jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(payload) = 'object'),
  raw_hash text,
  payload_tsv tsvector,
  -- ours
  chain_index bigint,
  prev_hash text,
  PRIMARY KEY (ts, event_id)
) PARTITION BY RANGE (ts);
CREATE INDEX events_agent ON audit.events (agent_id, ts);
CREATE INDEX events_type ON audit.events (event_type, ts);

CREATE TABLE audit.tool_usage (
  ts timestamptz NOT NULL,
  usage_id uuid NOT NULL DEFAULT gen_random_uuid(),
  agent_id text,
  session_id text,
  tool_name text NOT NULL,
  latency_ms int,
  success boolean NOT NULL DEFAULT true,
  error_type text,
  payload jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(payload) = 'object'),
  PRIMARY KEY (ts, usage_id)
) PARTITION BY RANGE (ts);
CREATE INDEX tool_usage_agent ON audit.tool_usage (agent_id, ts);
CREATE INDEX tool_usage_tool ON audit.tool_usage (tool_name, ts);

CREATE TABLE audit.outcome_events (
  ts timestamptz NOT NULL,
  outcome_id uuid NOT NULL,
  agent_id text NOT NULL,
  session_id text,
  outcome_type text NOT NULL,
  outcome_score float8,
  is_bad boolean NOT NULL,
  eisv_e float8,
  eisv_i float8,
  eisv_s float8,
  eisv_v float8,
  eisv_phi float8,
  eisv_verdict text,
  eisv_coherence float8,
  eisv_regime text,
  detail jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(detail) = 'object'),
  epoch int NOT NULL DEFAULT 1,
  verification_source text
    CHECK (verification_source IN ('agent_reported_tool_result', 'server_observation', 'external_signal')),
  -- ours
  prediction_id uuid,
  prediction_source text NOT NULL CHECK (prediction_source IN ('registry', 'argument_fallback', 'missing_prediction',
    'ttl_expired_fallback', 'no_binding')),
  update_index bigint, -- the check-in that made the claim, not the newest one
  confidence float8,
  corroboration_grade text NOT NULL,
  evidence_weight float8 NOT NULL,
  graded boolean NOT NULL, -- whether the claims detector and calibration learned from it
  PRIMARY KEY (ts, outcome_id)
) PARTITION BY RANGE (ts);
CREATE INDEX outcome_events_agent ON audit.outcome_events (agent_id, ts DESC);
CREATE INDEX outcome_events_type ON audit.outcome_events (outcome_type, ts DESC);

CREATE TABLE audit.coordination_events (
  ts timestamptz NOT NULL,
  event_id uuid NOT NULL,
  service text NOT NULL
    CHECK (service IN ('sentinel', 'governance_mcp', 'lease_plane', 'vigil', 'chronicler', 'watcher')),
  event_type text NOT NULL CHECK (event_type ~ '^coordination_failure(\.[a-z0-9_]+)+$'),
  agent_id text,
  payload jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(payload) = 'object'),
  context jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(context) = 'object'),
  PRIMARY KEY (ts, event_id)
) PARTITION BY RANGE (ts);
CREATE INDEX coordination_events_type ON audit.coordination_events (event_type, ts DESC);
CREATE INDEX coordination_events_agent ON audit.coordination_events (agent_id, ts DESC) WHERE agent_id IS NOT NULL;
