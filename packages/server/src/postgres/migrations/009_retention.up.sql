-- What retention takes away, and what has to outlive it.

-- Where each agent's chain in audit.events was cut: the newest of its rows that were dropped. The next row that is left
-- names this hash as the one before it, so that the rest still proves itself.
CREATE TABLE audit.chain_anchors (
  agent_id text PRIMARY KEY,
  chain_index bigint NOT NULL,
  raw_hash text NOT NULL,
  dropped_rows bigint NOT NULL, -- chained rows of the agent that are gone, all in all
  anchored_at timestamptz NOT NULL
);

-- Each partition that was dropped by rule, when, and how much it held.
CREATE TABLE audit.dropped_partitions (
  partition_name text NOT NULL,
  dropped_at timestamptz NOT NULL,
  table_name text NOT NULL,
  range_from timestamptz,
  range_to timestamptz NOT NULL,
  approx_rows bigint, -- null: PostgreSQL had never counted it
  bytes bigint NOT NULL,
  PRIMARY KEY (partition_name, dropped_at)
);
