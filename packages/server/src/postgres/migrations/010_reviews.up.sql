-- Who may review, and what an operator has to confirm.

-- Where an agent was met: when it was born, and whenever it came back. A reviewer from the paused agent's own place is none.
CREATE TABLE core.agent_places (
  agent_id text NOT NULL REFERENCES core.agents (id) ON DELETE CASCADE,
  place text NOT NULL CHECK (place ~ '^[0-9a-f]{64}$'), -- a hash: places are compared, and never read
  first_seen timestamptz NOT NULL,
  PRIMARY KEY (agent_id, place)
);
CREATE INDEX agent_places_place ON core.agent_places (place);

-- An agreement that an operator confirms before it is carried out: since when, why, and what the operator said.
ALTER TABLE core.dialectic_sessions ADD COLUMN confirmation_json jsonb CHECK (jsonb_typeof(confirmation_json) = 'object');
