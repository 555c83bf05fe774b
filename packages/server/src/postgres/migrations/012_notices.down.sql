DROP TABLE core.metric_points;
DROP TABLE core.notices;
