CREATE FUNCTION knowledge.with_path_segments(content text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURNS NULL ON NULL INPUT
  RETURN CASE WHEN position('/' IN content) = 0 THEN content ELSE content || ' ' || coalesce(
    (SELECT string_agg(translate(word, '/', ' ') || ' ' || translate(word, '/.', '  '), ' ')
     FROM regexp_split_to_table(content, '\s+') AS word WHERE word LIKE '%/%'), '') END;

CREATE OR REPLACE FUNCTION knowledge.index_discovery() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.search_vector :=
    setweight(to_tsvector('pg_catalog.english', knowledge.with_path_segments(NEW.summary)), 'A') ||
    setweight(to_tsvector('pg_catalog.english', knowledge.with_path_segments(coalesce(NEW.details, ''))), 'B') ||
    setweight(to_tsvector('pg_catalog.english', array_to_string(NEW.tags, ' ')), 'C');
  RETURN NEW;
END $$;

UPDATE knowledge.discoveries SET search_vector =
    setweight(to_tsvector('pg_catalog.english', knowledge.with_path_segments(summary)), 'A') ||
    setweight(to_tsvector('pg_catalog.english', knowledge.with_path_segments(coalesce(details, ''))), 'B') ||
    setweight(to_tsvector('pg_catalog.english', array_to_string(tags, ' ')), 'C');

DROP FUNCTION knowledge.query_of(text);
DROP FUNCTION knowledge.search_vector(text, text, text[]);
DROP FUNCTION knowledge.indexed(text);
DROP FUNCTION knowledge.pairs(text);
DROP FUNCTION knowledge.humps(text);
DROP FUNCTION knowledge.apart(text);
DROP FUNCTION knowledge.folded(text);
