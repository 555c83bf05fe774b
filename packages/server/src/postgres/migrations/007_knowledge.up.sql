-- Findings that agents leave for each other. Nothing here is ever deleted but spent entries of the budget.

CREATE SCHEMA knowledge;

CREATE TABLE knowledge.discoveries (
  id text PRIMARY KEY, -- the instant of its birth, ISO 8601 in UTC, to the microsecond
  agent_id text NOT NULL, -- no foreign key: a writer without identity has none of its rows
  type text NOT NULL,
  severity text NOT NULL DEFAULT 'low' CHECK (severity IN ('low', 'medium', 'high', 'critical')),
  status text NOT NULL DEFAULT 'open'
    CHECK (status IN ('open', 'resolved', 'archived', 'disputed', 'closed', 'wont_fix', 'superseded', 'cold')),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz,
  resolved_at timestamptz,
  summary text NOT NULL CHECK (char_length(summary) BETWEEN 1 AND 4000),
  details text CHECK (char_length(details) <= 65536),
  tags text[] NOT NULL DEFAULT '{}',
  references_files text[] NOT NULL DEFAULT '{}',
  related_to text[] NOT NULL DEFAULT '{}',
  response_to_id text REFERENCES knowledge.discoveries (id) ON DELETE SET NULL,
  response_type text CHECK (response_type IN ('extend', 'question', 'disagree', 'support', 'answer', 'follow_up', 'correction',
    'elaboration', 'supersedes')),
  confidence float8 CHECK (confidence BETWEEN 0 AND 1),
  provenance jsonb CHECK (jsonb_typeof(provenance) = 'object'),
  provenance_chain jsonb CHECK (jsonb_typeof(provenance_chain) = 'array'),
  epoch int NOT NULL DEFAULT 1,
  search_vector tsvector,
  closure_class text CHECK (closure_class IN ('fix_verified', 'unobserved', 'not_reproducible', 'obsolete', 'duplicate')),
  closure_evidence jsonb CHECK (jsonb_typeof(closure_evidence) = 'object'),
  -- ours
  superseded_by text REFERENCES knowledge.discoveries (id) ON DELETE SET NULL,
  resolution_notes text,
  resolved_by text,
  archived_at timestamptz,
  -- A class is given to what is closed, and stays with it in the archive.
  CHECK (closure_class IS NULL OR status IN ('resolved', 'closed', 'wont_fix', 'superseded', 'archived', 'cold')),
  CHECK ((archived_at IS NOT NULL) = (status IN ('archived', 'cold')))
) WITH (toast_tuple_target = 512); -- searches walk over many rows and read few of their texts
CREATE INDEX discoveries_agent ON knowledge.discoveries (agent_id, created_at DESC);
CREATE INDEX discoveries_created ON knowledge.discoveries (created_at DESC);
CREATE INDEX discoveries_kinds ON knowledge.discoveries (epoch, status, type, severity);
CREATE INDEX discoveries_response ON knowledge.discoveries (response_to_id) WHERE response_to_id IS NOT NULL;
CREATE INDEX discoveries_superseded ON knowledge.discoveries (superseded_by) WHERE superseded_by IS NOT NULL;
-- Without a list of pending entries: one that has grown long makes the next search slow.
CREATE INDEX discoveries_tags ON knowledge.discoveries USING gin (tags) WITH (fastupdate = off);
CREATE INDEX discoveries_search ON knowledge.discoveries USING gin (search_vector) WITH (fastupdate = off);

-- 'src/agents/sql.ts' is one word to the parser; here each of its parts can be found, too.
CREATE FUNCTION knowledge.with_path_segments(content text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURNS NULL ON NULL INPUT
  RETURN CASE WHEN position('/' IN content) = 0 THEN content ELSE content || ' ' || coalesce(
    (SELECT string_agg(translate(word, '/', ' ') || ' ' || translate(word, '/.', '  '), ' ')
     FROM regexp_split_to_table(content, '\s+') AS word WHERE word LIKE '%/%'), '') END;

CREATE FUNCTION knowledge.index_discovery() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.search_vector :=
    setweight(to_tsvector('pg_catalog.english', knowledge.with_path_segments(NEW.summary)), 'A') ||
    setweight(to_tsvector('pg_catalog.english', knowledge.with_path_segments(coalesce(NEW.details, ''))), 'B') ||
    setweight(to_tsvector('pg_catalog.english', array_to_string(NEW.tags, ' ')), 'C');
  RETURN NEW;
END $$;
CREATE TRIGGER discoveries_index BEFORE INSERT ON knowledge.discoveries
  FOR EACH ROW EXECUTE FUNCTION knowledge.index_discovery();
CREATE TRIGGER discoveries_reindex BEFORE UPDATE OF summary, details, tags ON knowledge.discoveries FOR EACH ROW
  WHEN ((OLD.summary, OLD.tags, OLD.details) IS DISTINCT FROM (NEW.summary, NEW.tags, NEW.details))
  EXECUTE FUNCTION knowledge.index_discovery();

CREATE TABLE knowledge.discovery_edges (
  src_id text NOT NULL REFERENCES knowledge.discoveries (id) ON DELETE CASCADE,
  dst_id text NOT NULL REFERENCES knowledge.discoveries (id) ON DELETE CASCADE,
  edge_type text NOT NULL CHECK (edge_type IN ('RELATED_TO', 'RESPONDS_TO', 'SUPERSEDES')),
  response_type text CHECK (response_type IN ('extend', 'question', 'disagree', 'support', 'answer', 'follow_up', 'correction',
    'elaboration', 'supersedes')),
  weight float8 NOT NULL DEFAULT 1.0,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text,
  metadata jsonb CHECK (jsonb_typeof(metadata) = 'object'),
  PRIMARY KEY (src_id, dst_id, edge_type)
);
CREATE INDEX discovery_edges_dst ON knowledge.discovery_edges (dst_id);

-- One row for each new finding of the last hour: the budget of its writer, counted the same by every server.
CREATE TABLE knowledge.rate_limits (
  agent_id text NOT NULL,
  "timestamp" timestamptz NOT NULL,
  PRIMARY KEY (agent_id, "timestamp")
);
