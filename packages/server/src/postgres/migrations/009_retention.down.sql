DROP TABLE audit.dropped_partitions;
DROP TABLE audit.chain_anchors;
