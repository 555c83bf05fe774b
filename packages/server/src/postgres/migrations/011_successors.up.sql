-- New agents that may go on for one that is paused: shown and counted, so that nobody has to find them by chance.
CREATE TABLE core.successors (
  paused_agent_id text NOT NULL REFERENCES core.agents (id) ON DELETE CASCADE,
  successor_agent_id text NOT NULL REFERENCES core.agents (id) ON DELETE CASCADE,
  actuation_id text NOT NULL, -- the pause; empty: nobody knows which
  evidence text[] NOT NULL CHECK (evidence <@ ARRAY['mcp_session', 'process', 'address_and_program'] AND evidence <> '{}'),
  linked_at timestamptz NOT NULL,
  PRIMARY KEY (paused_agent_id, successor_agent_id)
);
CREATE INDEX successors_successor ON core.successors (successor_agent_id);
