ALTER TABLE core.dialectic_sessions DROP COLUMN confirmation_json;
DROP TABLE core.agent_places;
