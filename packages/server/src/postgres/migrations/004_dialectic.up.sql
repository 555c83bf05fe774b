-- Reviews of paused agents, and the saga that carries a resolution out.

CREATE TABLE core.dialectic_sessions (
  session_id text PRIMARY KEY,
  paused_agent_id text NOT NULL,
  reviewer_agent_id text,
  phase text NOT NULL DEFAULT 'thesis' CHECK (phase IN ('thesis', 'antithesis', 'synthesis', 'resolved', 'failed')),
  -- Derived, so that the two can never contradict each other; the column is the reference's.
  status text NOT NULL GENERATED ALWAYS AS
    (CASE WHEN phase IN ('resolved', 'failed') THEN phase ELSE 'active' END) STORED,
  session_type text NOT NULL DEFAULT 'review',
  topic text,
  reason text,
  trigger_source text,
  discovery_id text,
  dispute_type text,
  synthesis_round int NOT NULL DEFAULT 0 CHECK (synthesis_round >= 0),
  max_synthesis_rounds int NOT NULL DEFAULT 5 CHECK (max_synthesis_rounds >= 0),
  awaiting_facilitation boolean NOT NULL DEFAULT false,
  facilitation_since timestamptz,
  paused_agent_state_json jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(paused_agent_state_json) = 'object'),
  resolution_json jsonb CHECK (jsonb_typeof(resolution_json) = 'object'),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  last_participant_at timestamptz NOT NULL DEFAULT now(),
  -- Raised by every change: whoever decided on an older one has decided on something else.
  sequence bigint NOT NULL DEFAULT 0,
  CHECK ((facilitation_since IS NOT NULL) = awaiting_facilitation)
);
-- One review of an agent at a time, also when two are asked for at once.
CREATE UNIQUE INDEX dialectic_sessions_one_active ON core.dialectic_sessions (paused_agent_id)
  WHERE phase NOT IN ('resolved', 'failed');
CREATE INDEX dialectic_sessions_reviewer ON core.dialectic_sessions (reviewer_agent_id, created_at DESC)
  WHERE reviewer_agent_id IS NOT NULL;
CREATE INDEX dialectic_sessions_paused ON core.dialectic_sessions (paused_agent_id, created_at DESC);
CREATE INDEX dialectic_sessions_created ON core.dialectic_sessions (created_at DESC);

CREATE TABLE core.dialectic_messages (
  message_id bigserial PRIMARY KEY,
  session_id text NOT NULL REFERENCES core.dialectic_sessions (session_id) ON DELETE CASCADE,
  agent_id text NOT NULL,
  message_type text NOT NULL CHECK (message_type IN ('thesis', 'antithesis', 'synthesis', 'system', 'failed')),
  "timestamp" timestamptz NOT NULL,
  root_cause text,
  proposed_conditions jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(proposed_conditions) = 'array'),
  reasoning text,
  observed_metrics jsonb CHECK (jsonb_typeof(observed_metrics) = 'object'),
  concerns jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(concerns) = 'array'),
  agrees boolean,
  refused boolean NOT NULL DEFAULT false
);
CREATE INDEX dialectic_messages_session ON core.dialectic_messages (session_id, message_id);

-- What a resolution obliges an agent to; read with the agent, so that no check-in asks for it.
ALTER TABLE core.identities ADD COLUMN conditions jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(conditions) = 'array');

CREATE SCHEMA coordination;

CREATE TABLE coordination.session_resolution_sagas (
  saga_id uuid PRIMARY KEY,
  session_id text NOT NULL REFERENCES core.dialectic_sessions (session_id) ON DELETE CASCADE,
  paused_agent_id text NOT NULL,
  reviewer_agent_id text, -- null: nobody; also a synthetic one, or the agent itself
  state text NOT NULL CHECK (state IN
    ('reserved', 'paused_agent_applied', 'both_agents_applied', 'pg_committed', 'reverting', 'reverted')),
  outcome text NOT NULL CHECK (outcome IN ('resolved', 'failed')),
  resolution_payload_json jsonb NOT NULL CHECK (jsonb_typeof(resolution_payload_json) = 'object'),
  resolution_payload_hash text NOT NULL,
  epoch int NOT NULL DEFAULT 1,
  attempt_count int NOT NULL DEFAULT 0,
  last_attempt_at timestamptz NOT NULL DEFAULT now(),
  last_error text,
  paused_agent_ack_at timestamptz,
  reviewer_agent_ack_at timestamptz,
  pg_committed_at timestamptz,
  reverted_at timestamptz,
  dead_letter_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  CHECK ((pg_committed_at IS NOT NULL) = (state = 'pg_committed')),
  CHECK ((reverted_at IS NOT NULL) = (state = 'reverted'))
);
CREATE UNIQUE INDEX sagas_one_in_flight ON coordination.session_resolution_sagas (session_id)
  WHERE state IN ('reserved', 'paused_agent_applied', 'both_agents_applied', 'reverting');
CREATE UNIQUE INDEX sagas_payload ON coordination.session_resolution_sagas (session_id, resolution_payload_hash)
  WHERE state <> 'reverted';
CREATE INDEX sagas_in_flight ON coordination.session_resolution_sagas (last_attempt_at)
  WHERE state IN ('reserved', 'paused_agent_applied', 'both_agents_applied', 'reverting');

-- The agent is the key: two sagas cannot hold one agent, in whatever order they ask.
CREATE TABLE coordination.saga_reservations (
  agent_id text PRIMARY KEY,
  saga_id uuid NOT NULL REFERENCES coordination.session_resolution_sagas (saga_id) ON DELETE CASCADE,
  reserved_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX saga_reservations_saga ON coordination.saga_reservations (saga_id);

-- What a saga will do to an agent; nobody but the saga reads it.
CREATE TABLE coordination.saga_stages (
  saga_id uuid NOT NULL REFERENCES coordination.session_resolution_sagas (saga_id) ON DELETE CASCADE,
  agent_id text NOT NULL,
  epoch int NOT NULL,
  before_image jsonb NOT NULL CHECK (jsonb_typeof(before_image) = 'object'),
  after_image jsonb NOT NULL CHECK (jsonb_typeof(after_image) = 'object'),
  PRIMARY KEY (saga_id, agent_id)
);

-- Effects that follow a commit. The saga is part of the key, so that a redo writes nothing twice.
CREATE TABLE coordination.outbox (
  saga_id uuid NOT NULL REFERENCES coordination.session_resolution_sagas (saga_id) ON DELETE CASCADE,
  effect text NOT NULL,
  payload jsonb NOT NULL CHECK (jsonb_typeof(payload) = 'object'),
  created_at timestamptz NOT NULL DEFAULT now(),
  done_at timestamptz,
  attempt_count int NOT NULL DEFAULT 0,
  PRIMARY KEY (saga_id, effect)
);
CREATE INDEX outbox_due ON coordination.outbox (created_at) WHERE done_at IS NULL;
