WITH flipped AS (
  UPDATE core.feature_flags SET value = '"observe"', updated_at = now()
  WHERE key = 'ipua_pin_check_mode' AND updated_by = 'migration' AND value = '"enforce"'
  RETURNING key
)
INSERT INTO core.feature_flag_history (key, old_value, new_value, changed_by, reason)
SELECT key, '"enforce"', '"observe"', 'migration', 'migration 003 was taken back' FROM flipped;
DROP TABLE audit.r1_score_audit;
DROP INDEX core.identities_lineage_due;
ALTER TABLE core.identities DROP COLUMN archive;
DROP TABLE core.substrate_claims;
DROP TABLE core.agent_process_bindings;
DROP TABLE core.server_secrets;
DELETE FROM core.bindings WHERE kind NOT IN ('session', 'mcp_session');
ALTER TABLE core.bindings
  DROP CONSTRAINT bindings_operator_check,
  DROP CONSTRAINT bindings_kind_check,
  DROP COLUMN scopes,
  DROP COLUMN name,
  DROP COLUMN last_seen_at,
  DROP COLUMN assurance,
  ADD CONSTRAINT bindings_kind_check CHECK (kind IN ('session', 'mcp_session'));
