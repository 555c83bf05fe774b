DROP INDEX audit.outcome_events_calibration;
ALTER TABLE audit.outcome_events
  DROP COLUMN channel,
  DROP COLUMN claim_class,
  DROP COLUMN complexity_gap,
  DROP COLUMN ended_healthy;
