import { readFileSync, writeFileSync } from 'node:fs';
import type { Database } from './database.ts';

/** The catalogue as text lines, by table: columns, constraints and indexes, in a fixed order. */
type Catalogue = Readonly<Record<string, readonly string[]>>;

const MANIFEST = new URL('./manifest.json', import.meta.url);
const SCHEMAS = ['core', 'audit', 'coordination', 'knowledge'];

/**
 * Reads the live catalogue of our schemas: tables with columns, constraints, indexes and partition keys, and triggers;
 * partitions are left out, since their parents speak for them. Names are printed with their schema whatever the session's
 * search path.
 */
export const readCatalogue = (database: Database): Promise<Catalogue> =>
  database.transaction(async (tx) => {
    await tx.query({ text: 'SET LOCAL search_path = pg_catalog' });
    const rows = await tx.query<{ table: string; line: string | null }>({
      text: `
      WITH tables AS (
        SELECT c.oid, c.relkind, n.nspname || '.' || c.relname AS name
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY($1::text[]) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      )
      SELECT t.name AS table, 'column ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
          || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
          || CASE a.attgenerated WHEN '' THEN ' default ' ELSE ' generated ' END || pg_get_expr(d.adbin, d.adrelid) AS line
      FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum
      UNION ALL
      SELECT t.name, 'column ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
          || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
          || CASE a.attidentity WHEN '' THEN '' ELSE ' identity' END
      FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped AND NOT a.atthasdef
      UNION ALL
      SELECT t.name, 'constraint ' || c.conname || ' ' || pg_get_constraintdef(c.oid)
      FROM tables t JOIN pg_constraint c ON c.conrelid = t.oid WHERE c.contype <> 'n'
      UNION ALL
      SELECT t.name, 'index ' || pg_get_indexdef(i.indexrelid)
          || CASE WHEN i.indisvalid OR t.relkind = 'p' THEN '' ELSE ' INVALID' END
      FROM tables t JOIN pg_index i ON i.indrelid = t.oid
      UNION ALL
      SELECT t.name, 'partitioned by ' || pg_get_partkeydef(t.oid) FROM tables t WHERE t.relkind = 'p'
      UNION ALL
      SELECT t.name, 'trigger ' || pg_get_triggerdef(g.oid)
      FROM tables t JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal`,
      values: [SCHEMAS],
    });
    const catalogue: Record<string, string[]> = {};
    for (const { table, line } of rows) if (line !== null) (catalogue[table] ??= []).push(line);
    // Sorted here and not by PostgreSQL, whose order would follow the database's collation.
    return Object.fromEntries(
      Object.entries(catalogue)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([table, lines]) => [table, lines.sort()]),
    );
  });

/** Each line that one side has and the other lacks: `- ` expected and missing, `+ ` there and unexpected. */
const compareCatalogues = (expected: Catalogue, live: Catalogue): string[] => {
  const differences: string[] = [];
  for (const table of new Set([...Object.keys(expected), ...Object.keys(live)])) {
    const wanted = new Set(expected[table] ?? []);
    const found = new Set(live[table] ?? []);
    for (const line of wanted) if (!found.has(line)) differences.push(`- ${table} ${line}`);
    for (const line of found) if (!wanted.has(line)) differences.push(`+ ${table} ${line}`);
  }
  return differences.sort();
};

/** Where the live catalogue differs from the manifest that came with this code (W3-8.02). */
export const compareWithManifest = async (database: Database): Promise<string[]> =>
  compareCatalogues(JSON.parse(readFileSync(MANIFEST, 'utf8')) as Catalogue, await readCatalogue(database));

/** Tables that the manifest names and the database lacks, and those that it has besides; by their names alone. */
export const compareTables = async (database: Database): Promise<{ missing: string[]; stray: string[] }> => {
  const wanted = Object.keys(JSON.parse(readFileSync(MANIFEST, 'utf8')) as Catalogue);
  const found = Object.keys(await readCatalogue(database));
  return {
    missing: wanted.filter((table) => !found.includes(table)),
    stray: found.filter((table) => !wanted.includes(table)),
  };
};

/** Writes the manifest anew from a database that was just migrated. */
export const writeManifest = async (database: Database): Promise<void> => {
  writeFileSync(MANIFEST, `${JSON.stringify(await readCatalogue(database), null, 2)}\n`);
};

const SHADOW = '_shadow';
/** When the shadow row was written: the one column that only the shadow has. */
const SHADOW_TIME = 'shadow_write_at';

/**
 * Where a shadow table (`<name>_shadow`) differs from its canonical one in the names and types of its columns (W3-8.02).
 * Defaults and constraints may differ: a shadow takes what the other side wrote.
 */
export const compareShadows = async (database: Database): Promise<string[]> => {
  const rows = await database.query<{ table: string; column: string }>({
    text: `SELECT n.nspname || '.' || c.relname AS table,
             'column ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) AS column
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
           WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND c.relkind IN ('r', 'p')
             AND NOT c.relispartition AND a.attname <> $1`,
    values: [SHADOW_TIME],
  });
  const columns: Record<string, string[]> = {};
  for (const { table, column } of rows) (columns[table] ??= []).push(column);
  return Object.entries(columns)
    .filter(([table]) => table.endsWith(SHADOW))
    .flatMap(([shadow, found]) => {
      const canonical = shadow.slice(0, -SHADOW.length);
      const wanted = columns[canonical];
      if (wanted === undefined) return [`+ ${shadow} has no canonical table ${canonical}`];
      return compareCatalogues({ [shadow]: wanted }, { [shadow]: found }).map((line) => `${line} (as in ${canonical})`);
    });
};
