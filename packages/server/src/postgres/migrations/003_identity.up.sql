-- Identity whole: what a binding proves and how well, operators, enrolled processes, lineage, the end of a life.

ALTER TABLE core.bindings
  DROP CONSTRAINT bindings_kind_check,
  ADD CONSTRAINT bindings_kind_check CHECK (kind IN ('session', 'mcp_session', 'continuity_token', 'pin', 'operator')),
  ADD COLUMN assurance text NOT NULL DEFAULT 'strong' CHECK (assurance IN ('strong', 'medium', 'weak')),
  ADD COLUMN last_seen_at timestamptz,
  -- an operator credential has a name and scopes, and no agent
  ADD COLUMN name text CHECK (name <> ''),
  ADD COLUMN scopes text[],
  ADD CONSTRAINT bindings_operator_check
    CHECK ((kind = 'operator') = (name IS NOT NULL AND scopes IS NOT NULL) AND (kind <> 'operator' OR agent_id IS NULL)),
  ADD CONSTRAINT bindings_scopes_check CHECK (scopes <@ ARRAY ['operator:read', 'operator:act']);
UPDATE core.bindings SET assurance = 'medium' WHERE kind = 'mcp_session';
-- Two operators in force with one name could not be told apart in the audit trail.
CREATE UNIQUE INDEX bindings_operator_name ON core.bindings (name) WHERE kind = 'operator' AND revoked_at IS NULL;

-- Secrets of the server itself that every node must share.
CREATE TABLE core.server_secrets (
  name text PRIMARY KEY,
  secret bytea NOT NULL CHECK (octet_length(secret) >= 32),
  created_at timestamptz NOT NULL DEFAULT now()
);

-- Processes in which an agent said that it runs: attribution and liveness, never proof.
CREATE TABLE core.agent_process_bindings (
  id bigserial PRIMARY KEY,
  agent_id text NOT NULL REFERENCES core.agents (id) ON DELETE CASCADE,
  host_id text NOT NULL,
  pid int NOT NULL,
  pid_start_time float8 NOT NULL,
  transport text NOT NULL DEFAULT 'unknown',
  ppid int,
  tty text,
  anchor_path_hash text,
  client_session_id text,
  onboard_ts timestamptz NOT NULL DEFAULT now(),
  last_seen timestamptz NOT NULL DEFAULT now(),
  stale_at timestamptz,
  same_host_ppid_consistent boolean,
  UNIQUE (agent_id, host_id, pid, pid_start_time, transport)
);
CREATE INDEX agent_process_bindings_seen ON core.agent_process_bindings (agent_id, last_seen DESC);

-- Agents that are reached over the unix socket only, by a process that looks like this.
CREATE TABLE core.substrate_claims (
  agent_id text PRIMARY KEY REFERENCES core.agents (id) ON DELETE CASCADE,
  expected_launchd_label text, -- the service manager's name of the unit; the column keeps the reference's name
  expected_executable_path text NOT NULL,
  enrolled_by_operator boolean NOT NULL DEFAULT true,
  enrolled_at timestamptz NOT NULL DEFAULT now(),
  notes text
);

ALTER TABLE core.identities ADD COLUMN archive jsonb CHECK (jsonb_typeof(archive) = 'object');
UPDATE core.identities SET archive = jsonb_build_object('at', to_char(updated_at AT TIME ZONE 'UTC',
    'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'by', 'operator', 'actor', NULL, 'reason', 'archived before version 3')
  WHERE status IN ('archived', 'disabled', 'deleted');
ALTER TABLE core.identities ADD CONSTRAINT identities_ended_check
  CHECK ((status IN ('archived', 'disabled', 'deleted')) = (archive IS NOT NULL));
CREATE INDEX identities_lineage_due ON core.identities (lineage_last_eval_at NULLS FIRST)
  WHERE parent_agent_id IS NOT NULL AND lineage_archived_at IS NULL AND lineage_demoted_at IS NULL;

-- Scores of declared lineage, each kept.
CREATE TABLE audit.r1_score_audit (
  score_id uuid NOT NULL,
  parent_id text NOT NULL,
  successor_id text NOT NULL,
  recorded_at timestamptz NOT NULL,
  plausibility text NOT NULL CHECK (plausibility IN ('plausible', 'unsupported', 'inconclusive')),
  components jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(components) = 'object'),
  observations int NOT NULL,
  parent_mature boolean NOT NULL,
  reasons text[] NOT NULL DEFAULT '{}',
  class_tag text,
  calibration_status text NOT NULL DEFAULT 'seeded' CHECK (calibration_status IN ('seeded', 'earned', 'calibration_failed')),
  PRIMARY KEY (recorded_at, score_id)
) PARTITION BY RANGE (recorded_at);
CREATE INDEX r1_score_audit_successor ON audit.r1_score_audit (successor_id, recorded_at DESC);

-- The design's default is enforce (RFC: "enforced"): a pin is inferred, and what is inferred resumes nobody.
WITH flipped AS (
  UPDATE core.feature_flags SET value = '"enforce"', updated_at = now()
  WHERE key = 'ipua_pin_check_mode' AND updated_by = 'migration' AND value = '"observe"'
  RETURNING key
)
INSERT INTO core.feature_flag_history (key, old_value, new_value, changed_by, reason)
SELECT key, '"observe"', '"enforce"', 'migration', 'the published default: what is inferred resumes nobody' FROM flipped;
