DROP TABLE core.successors;
