-- Agents, their state, baselines, flags and credentials. Tables and columns that the reference has keep its names
-- (spec/storage_and_ops, section 3); columns under "ours" are additive. Times are timestamptz, stored in UTC.
-- Numbers that a restart must restore exactly are float8 where the reference has float4.

CREATE SCHEMA core;

CREATE TABLE core.threads (
  thread_id text PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT now(),
  metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
  next_node_seq int NOT NULL DEFAULT 1
);

CREATE TABLE core.agents (
  id text PRIMARY KEY,
  api_key text NOT NULL DEFAULT '', -- Breakwater issues no API keys; secrets are hashed in core.bindings
  label text,
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'paused', 'archived')),
  purpose text,
  notes text,
  tags text[],
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  archived_at timestamptz,
  parent_agent_id text REFERENCES core.agents (id),
  spawn_reason text,
  thread_id text REFERENCES core.threads (thread_id),
  thread_position int,
  allow_rebind_after_exit boolean NOT NULL DEFAULT false,
  allow_concurrent_contexts boolean NOT NULL DEFAULT false
);
CREATE INDEX agents_parent ON core.agents (parent_agent_id) WHERE parent_agent_id IS NOT NULL;
CREATE INDEX agents_created ON core.agents (created_at DESC);
CREATE INDEX agents_label ON core.agents (label) WHERE label IS NOT NULL;

CREATE TABLE core.identities (
  identity_id bigserial PRIMARY KEY,
  agent_id text NOT NULL UNIQUE REFERENCES core.agents (id) ON DELETE CASCADE,
  api_key_hash text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  disabled_at timestamptz,
  last_activity_at timestamptz,
  parent_agent_id text REFERENCES core.agents (id),
  spawn_reason text,
  status text NOT NULL DEFAULT 'active'
    CHECK (status IN ('active', 'archived', 'disabled', 'deleted', 'waiting_input', 'paused')),
  metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
  provisional_lineage boolean NOT NULL DEFAULT false,
  provisional_score_id uuid,
  provisional_recorded_at timestamptz,
  confirmed_at timestamptz,
  lineage_declared_at timestamptz,
  lineage_demoted_at timestamptz,
  lineage_archived_at timestamptz,
  lineage_last_eval_at timestamptz,
  chain_obs_count int NOT NULL DEFAULT 0,
  -- ours
  sequence bigint NOT NULL DEFAULT 0, -- one more at every committed change; every write compares it (design 3.2)
  update_count bigint NOT NULL DEFAULT 0,
  node_index int NOT NULL DEFAULT 0,
  active_session_key text,
  audit_head text NOT NULL DEFAULT '', -- hash of the agent's newest row in audit.events
  audit_count bigint NOT NULL DEFAULT 0,
  pause jsonb CHECK (jsonb_typeof(pause) = 'object'),
  evidence jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(evidence) = 'object'), -- what outcomes taught: claims, calibration
  vitals jsonb CHECK (jsonb_typeof(vitals) = 'object'), -- the newest check-in in short, for lists and reads from memory
  CHECK ((status = 'paused') = (pause IS NOT NULL))
) WITH (fillfactor = 60); -- every check-in updates its row; free space in the page keeps that update off the indexes
CREATE INDEX identities_status ON core.identities (status) WHERE status <> 'active';
CREATE INDEX identities_last_activity ON core.identities (last_activity_at DESC NULLS LAST);

CREATE TABLE core.agent_state (
  state_id bigserial PRIMARY KEY,
  identity_id bigint NOT NULL REFERENCES core.identities (identity_id) ON DELETE CASCADE,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  entropy float8 NOT NULL DEFAULT 0.5,
  integrity float8 NOT NULL DEFAULT 0.5,
  stability_index float8,
  volatility float8 NOT NULL DEFAULT 0.1,
  regime text NOT NULL DEFAULT 'nominal' CHECK (regime IN ('nominal', 'warning', 'critical', 'recovery', 'EXPLORATION',
    'CONVERGENCE', 'DIVERGENCE', 'STABLE', 'TRANSITION', 'unknown')),
  coherence float8 NOT NULL DEFAULT 1.0,
  state_json jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(state_json) = 'object'),
  epistemic_class text CHECK (epistemic_class IN ('agent_report', 'substrate_observation', 'substrate_interpretation',
    'prediction', 'synthetic')),
  epoch int NOT NULL DEFAULT 1,
  synthetic boolean NOT NULL DEFAULT false,
  risk_score float8,
  -- ours
  sequence bigint NOT NULL,
  update_index bigint NOT NULL,
  UNIQUE (identity_id, sequence)
) WITH (toast_tuple_target = 8160); -- a state is some 3 KB and read back whole: kept in line, not compressed

CREATE TABLE core.agent_baselines (
  agent_id text PRIMARY KEY REFERENCES core.agents (id) ON DELETE CASCADE,
  baseline_coherence float8 NOT NULL DEFAULT 0.5,
  baseline_confidence float8 NOT NULL DEFAULT 0.6,
  baseline_complexity float8 NOT NULL DEFAULT 0.4,
  prev_coherence float8,
  prev_confidence float8,
  prev_complexity float8,
  recent_decisions text[] NOT NULL DEFAULT '{}',
  decision_consistency float8 NOT NULL DEFAULT 0.8,
  update_count int NOT NULL DEFAULT 0,
  alpha float8 NOT NULL DEFAULT 0.1,
  updated_at timestamptz NOT NULL DEFAULT now(),
  epoch int NOT NULL DEFAULT 1
) WITH (fillfactor = 60);

CREATE TABLE core.agent_behavioral_baselines (
  agent_id text PRIMARY KEY REFERENCES core.agents (id) ON DELETE CASCADE,
  stats jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(stats) = 'object'),
  updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 60);

-- A check-in's claim, bound to the outcome that settles it: single use.
CREATE TABLE core.predictions (
  prediction_id uuid PRIMARY KEY,
  agent_id text NOT NULL, -- no foreign key: its check costs a tenth of a check-in, and the row lives a week
  update_index bigint NOT NULL,
  state_sequence bigint NOT NULL, -- the state row of the check-in that made the claim
  confidence float8 NOT NULL CHECK (confidence BETWEEN 0 AND 1),
  source text NOT NULL CHECK (source IN ('reported', 'derived')),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  consumed_at timestamptz
);
CREATE INDEX predictions_expiry ON core.predictions (expires_at);

-- Answers of calls that carried an idempotency key, so that a repeat gets the same answer.
CREATE TABLE core.idempotency_keys (
  agent_id text NOT NULL REFERENCES core.agents (id) ON DELETE CASCADE,
  key text NOT NULL,
  request_hash text NOT NULL,
  reply jsonb NOT NULL CHECK (jsonb_typeof(reply) = 'object'),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (agent_id, key)
);
CREATE INDEX idempotency_keys_created ON core.idempotency_keys (created_at);

-- Credentials: hash of a secret, and the agent that it proves. A transport session that has not onboarded has no agent.
CREATE TABLE core.bindings (
  credential_hash text PRIMARY KEY CHECK (credential_hash ~ '^[0-9a-f]{64}$'),
  kind text NOT NULL CHECK (kind IN ('session', 'mcp_session')),
  agent_id text REFERENCES core.agents (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz
);
CREATE INDEX bindings_agent ON core.bindings (agent_id);
CREATE INDEX bindings_expiry ON core.bindings (expires_at);

CREATE TABLE core.feature_flags (
  key text PRIMARY KEY,
  value jsonb NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  updated_by text NOT NULL
);
INSERT INTO core.feature_flags (key, value, updated_by)
VALUES ('identity_strict_mode', '"observe"', 'migration'), ('ipua_pin_check_mode', '"observe"', 'migration');

-- Who flipped a flag, when and why.
CREATE TABLE core.feature_flag_history (
  id bigserial PRIMARY KEY,
  key text NOT NULL,
  old_value jsonb,
  new_value jsonb NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now(),
  changed_by text NOT NULL,
  reason text NOT NULL
);
CREATE INDEX feature_flag_history_key ON core.feature_flag_history (key, id DESC);
