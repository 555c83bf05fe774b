-- A search finds what was stored, and each part of it: words without their accents, parts of hosts, paths, options and names
-- in code, and characters of scripts that put no spaces between words. One set of functions makes the index of a text and the
-- query of a word, so that the two cannot differ. Symbols are listed and not asked of the locale: in some, no letter beyond
-- ASCII is one.

-- A text without accents, full-width forms and ligatures. Hangul and the voiced kana, which come apart as well, are put together.
CREATE FUNCTION knowledge.folded(content text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN octet_length(content) = char_length(content) THEN content ELSE
    replace(replace(replace(translate(
      normalize(regexp_replace(normalize(content, NFKD), '[\u0300-\u036f\u0591-\u05bd\u064b-\u065f]', '', 'g'), NFC),
      'øØłŁđĐıħĦ', 'oOlLdDihH'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe') END;

-- A folded text with a space in place of each symbol, and around what is written without spaces.
CREATE FUNCTION knowledge.apart(content text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN octet_length(content) = char_length(content)
    THEN translate(content, E'!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~\t\n\v\f\r', repeat(' ', 37))
    ELSE regexp_replace(regexp_replace(content,
      '([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]+)',
      ' \1 ', 'g'),
    '[\u0001-/:-@\[-`{-\u00a0\u00a1-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7\u037e\u0589\u05be\u05c0\u05c3\u060c\u061b\u061f\u0964\u0965\u2000-\u206f\u20a0-\u20cf\u2190-\u2bff\u3000-\u3004\u3008-\u303f\u30fb\ufffd\U0001f000-\U0001faff]+',
    ' ', 'g') END;

-- A folded text with a space where a name in code goes on: parseQuery, HTTPServer.
CREATE FUNCTION knowledge.humps(content text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN regexp_replace(regexp_replace(content, '([[:lower:][:digit:]])([[:upper:]])', '\1 \2', 'g'),
    '([[:upper:]])([[:upper:]][[:lower:]])', '\1 \2', 'g');

-- The pairs of neighbouring characters of a text without spaces, in their order.
CREATE FUNCTION knowledge.pairs(run text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (SELECT string_agg(c || next, ' ' ORDER BY n)
    FROM (SELECT n, c, lead(c, 1, CASE WHEN n = 1 THEN '' END) OVER (ORDER BY n) AS next
          FROM string_to_table(run, NULL) WITH ORDINALITY AS t (c, n)) p);

-- What a text is found by: itself; the parts of each word that has a symbol in it, or a hump; pairs and single characters of
-- what is written without spaces, as far as its first 16,384 characters.
CREATE FUNCTION knowledge.indexed(content text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  BEGIN ATOMIC
    WITH f AS (SELECT knowledge.folded(content) AS text)
    -- Asking each word for the cheapest thing first: most have no symbol but behind them, and no capital but at their front.
    SELECT f.text || coalesce(
      (SELECT ' ' || string_agg(parts || CASE WHEN has_capital AND word ~ '[[:lower:][:digit:]][[:upper:]]|[[:upper:]][[:upper:]][[:lower:]]'
               THEN ' ' || knowledge.humps(parts) ELSE '' END, ' ' ORDER BY n)
       FROM (SELECT n, word, knowledge.apart(word) AS parts, substr(word, 2) <> lower(substr(word, 2)) AS has_capital
             FROM string_to_table(translate(f.text, E'\t\n\v\f\r', '     '), ' ') WITH ORDINALITY AS w (word, n)
             WHERE word <> '' OFFSET 0) w
       WHERE has_capital OR position(' ' IN rtrim(parts)) > 0
         OR (parts <> word AND octet_length(word) > char_length(word))), '')
      || CASE WHEN octet_length(f.text) = char_length(f.text) THEN '' ELSE coalesce(
      (SELECT ' ' || string_agg(knowledge.pairs(run[1]), ' ' ORDER BY n)
          || ' ' || string_agg(regexp_replace(run[1], '(.)', '\1 ', 'g'), ' ' ORDER BY n)
       FROM regexp_matches(left(f.text, 16384),
         '([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]+)',
         'g') WITH ORDINALITY AS r (run, n)), '') END
    FROM f;
  END;

CREATE FUNCTION knowledge.search_vector(summary text, details text, tags text[]) RETURNS tsvector
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN setweight(to_tsvector('pg_catalog.english', knowledge.indexed(summary)), 'A') ||
    setweight(to_tsvector('pg_catalog.english', knowledge.indexed(coalesce(details, ''))), 'B') ||
    setweight(to_tsvector('pg_catalog.english', knowledge.indexed(array_to_string(tags, ' '))), 'C');

-- What is looked for when a word, or a phrase, is: as it is, or its parts next to each other; and of each run of characters
-- without spaces its pairs. Empty when nothing of it can be searched for: a stop word, or symbols alone.
CREATE FUNCTION knowledge.query_of(words text) RETURNS tsquery
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  BEGIN ATOMIC
    WITH f AS (SELECT knowledge.folded(words) AS text),
    piece AS (
      SELECT n, part, octet_length(part) > char_length(part) AND part ~
        '^[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]+$'
        AS without_spaces
      FROM f, regexp_split_to_table(btrim(knowledge.apart(f.text)), '\s+') WITH ORDINALITY AS p (part, n)
    ),
    parts AS (
      SELECT CASE WHEN bool_or(without_spaces) THEN
          coalesce(string_agg('(' || nullif(CASE WHEN without_spaces
            THEN phraseto_tsquery('pg_catalog.english', knowledge.pairs(part))
            ELSE phraseto_tsquery('pg_catalog.english', part) END::text, '') || ')', ' & ' ORDER BY n), '')::tsquery
        ELSE phraseto_tsquery('pg_catalog.english', string_agg(part, ' ' ORDER BY n)) END AS query
      FROM piece
    ),
    humps AS (
      SELECT CASE WHEN f.text ~ '[[:lower:][:digit:]][[:upper:]]|[[:upper:]][[:upper:]][[:lower:]]'
        THEN phraseto_tsquery('pg_catalog.english', knowledge.humps(knowledge.apart(f.text))) ELSE ''::tsquery END AS query
      FROM f
    )
    SELECT CASE WHEN w.query = p.query THEN w.query ELSE w.query || p.query END || h.query
    FROM (SELECT phraseto_tsquery('pg_catalog.english', f.text) AS query FROM f) w, parts p, humps h;
  END;

CREATE OR REPLACE FUNCTION knowledge.index_discovery() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.search_vector := knowledge.search_vector(NEW.summary, NEW.details, NEW.tags);
  RETURN NEW;
END $$;

-- Some 400 findings of 200 words a second.
UPDATE knowledge.discoveries SET search_vector = knowledge.search_vector(summary, details, tags);

DROP FUNCTION knowledge.with_path_segments(text);
