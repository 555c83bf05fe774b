DROP SCHEMA coordination CASCADE;
ALTER TABLE core.identities DROP COLUMN conditions;
DROP TABLE core.dialectic_messages;
DROP TABLE core.dialectic_sessions;
