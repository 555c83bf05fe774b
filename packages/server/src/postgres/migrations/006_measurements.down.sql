DROP VIEW audit.coordination_measurements_flat;
DROP TABLE audit.coordination_measurements;
