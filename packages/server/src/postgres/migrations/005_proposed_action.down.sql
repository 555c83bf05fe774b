ALTER TABLE core.dialectic_messages DROP COLUMN proposed_action;
