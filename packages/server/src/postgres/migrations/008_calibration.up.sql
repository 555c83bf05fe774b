-- What calibration reads of an outcome: the notes that the server left in its detail when it recorded it. As columns of
-- their own, so that a count over many rows reads an index and no details. channel is null where a row feeds no curve; a
-- graded row from before there were notes feeds them as "other".
ALTER TABLE audit.outcome_events
  ADD COLUMN channel text GENERATED ALWAYS AS
    (coalesce(detail #>> '{server_snapshot,channel}', CASE WHEN graded THEN 'other' END)) STORED,
  ADD COLUMN claim_class text GENERATED ALWAYS AS (detail #>> '{server_snapshot,claim_class}') STORED,
  ADD COLUMN complexity_gap float8 GENERATED ALWAYS AS (
    CASE WHEN jsonb_typeof(detail #> '{server_snapshot,complexity_gap}') = 'number'
      THEN (detail #>> '{server_snapshot,complexity_gap}')::float8 END) STORED,
  ADD COLUMN ended_healthy boolean GENERATED ALWAYS AS (
    CASE WHEN jsonb_typeof(detail #> '{server_snapshot,ended_healthy}') = 'boolean'
      THEN (detail #>> '{server_snapshot,ended_healthy}')::boolean END) STORED;

CREATE INDEX outcome_events_calibration ON audit.outcome_events (ts)
  INCLUDE (confidence, outcome_score, graded, channel, claim_class, complexity_gap, ended_healthy)
  WHERE channel IS NOT NULL AND confidence IS NOT NULL;
