import { readFileSync, writeFileSync } from 'node:fs';
import type { Database } from './database.ts';

/** The catalogue as text lines, by table: columns, constraints and indexes, in a fixed order. */
export type Catalogue = Readonly<Record<string, readonly string[]>>;

const MANIFEST = new URL('./manifest.json', import.meta.url);
const SCHEMAS = ['core', 'audit'];

/** Reads the live catalogue of our schemas; partitions are left out, since their parents speak for them. */
export const readCatalogue = async (database: Database): Promise<Catalogue> => {
  const rows = await database.query<{ table: string; line: string }>({
    text: `
      WITH tables AS (
        SELECT c.oid, n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY($1::text[]) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      )
      SELECT t.name AS table, 'column ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
          || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
          || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') AS line
      FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum
      UNION ALL
      SELECT t.name, 'constraint ' || c.conname || ' ' || pg_get_constraintdef(c.oid)
      FROM tables t JOIN pg_constraint c ON c.conrelid = t.oid WHERE c.contype <> 'n'
      UNION ALL
      SELECT t.name, 'index ' || i.indexdef
      FROM tables t JOIN pg_indexes i ON i.schemaname || '.' || i.tablename = t.name
      ORDER BY 1, 2`,
    values: [SCHEMAS],
  });
  const catalogue: Record<string, string[]> = {};
  for (const { table, line } of rows) (catalogue[table] ??= []).push(line);
  return catalogue;
};

/** Each line that one side has and the other lacks: `- ` expected and missing, `+ ` there and unexpected. */
export const compareCatalogues = (expected: Catalogue, live: Catalogue): string[] => {
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

/** Writes the manifest anew from a database that was just migrated. */
export const writeManifest = async (database: Database): Promise<void> => {
  writeFileSync(MANIFEST, `${JSON.stringify(await readCatalogue(database), null, 2)}\n`);
};

/**
 * Where a shadow table (`<name>_shadow`) differs from its canonical one in the names and types of its columns, apart from
 * the time of the shadow write (W3-8.02).
 */
export const compareShadows = async (database: Database): Promise<string[]> => {
  const live = await readCatalogue(database);
  const columns = (table: string) =>
    (live[table] ?? [])
      .filter((line) => line.startsWith('column '))
      .map((line) => line.split(' ').slice(1, 3).join(' '))
      .filter((line) => !line.startsWith('shadow_write_at '));
  return Object.keys(live)
    .filter((table) => table.endsWith('_shadow'))
    .flatMap((shadow) => {
      const canonical = shadow.slice(0, -'_shadow'.length);
      const difference = compareCatalogues({ [shadow]: columns(canonical) }, { [shadow]: columns(shadow) });
      return difference.map((line) => `${line} (canonical ${canonical})`);
    });
};
