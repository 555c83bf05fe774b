-- What programs around the agents report. It is shown, and scores nobody; both tables are kept for a bounded time.
CREATE TABLE core.notices (
  notice_id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('finding', 'substrate', 'runtime', 'progress')),
  -- Equal keys of one kind within a day are one finding.
  key text NOT NULL,
  at timestamptz NOT NULL,
  -- The agent that proved itself to report this; null: nobody did.
  agent_id text,
  payload jsonb NOT NULL CHECK (jsonb_typeof(payload) = 'object')
);
CREATE INDEX notices_newest ON core.notices (kind, at DESC);
CREATE INDEX notices_key ON core.notices (kind, key, at DESC);

CREATE TABLE core.metric_points (
  name text NOT NULL,
  at timestamptz NOT NULL,
  value float8 NOT NULL,
  PRIMARY KEY (name, at)
);
