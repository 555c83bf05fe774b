/** Who writes which table and live table: what the code does, and what `docs/ownership.md` says of it. */
import { globSync, readFileSync } from 'node:fs';

/** Folders that write, by what they write. */
export type Writers = ReadonlyMap<string, ReadonlySet<string>>;

const add = (writers: Map<string, Set<string>>, what: string, folder: string): void => {
  const folders = writers.get(what) ?? new Set();
  writers.set(what, folders.add(folder));
};

const WRITE =
  /\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|TRUNCATE|MERGE\s+INTO)\s+(?:ONLY\s+)?((?:core|audit|coordination|knowledge)\.[a-z_0-9]+)/gi;
/** A module that makes a live table names it by its constant TABLE, under which changes of it are announced, too. */
const LIVE = /\bcreate(?:LiveTable|WriteThrough)</;
const NAME = /^const TABLE = '(\w+)'/m;

/** Reads the SQL and the live tables of the server; tests and migrations write what they like. */
export const writersInCode = (root: string): Writers => {
  const writers = new Map<string, Set<string>>();
  const files = globSync('packages/server/src/*/**/*.ts', { cwd: root });
  for (const file of files.filter((name) => !/\.test\.ts$|\/testing\/|src\/runtime\//.test(name))) {
    const text = readFileSync(`${root}/${file}`, 'utf8');
    const folder = `${file.split('/')[3] ?? ''}/`;
    for (const [, table = ''] of text.matchAll(WRITE)) add(writers, table.toLowerCase(), folder);
    if (LIVE.test(text)) add(writers, NAME.exec(text)?.[1] ?? `the live table of ${file}, which has no TABLE`, folder);
  }
  return writers;
};

/** Reads the sections "Tables" and "Live tables": the first cell is what is written, the second who writes it. */
export const writersInDoc = (markdown: string): Writers => {
  const writers = new Map<string, Set<string>>();
  const lists = markdown.slice(markdown.indexOf('\n## Tables'));
  for (const [, what = '', by = ''] of lists.matchAll(/^\| `([\w.]+)`\s*\|([^|]*)\|/gm)) {
    for (const [, folder = ''] of by.matchAll(/`([\w-]+\/)`/g)) add(writers, what, folder);
  }
  return writers;
};

/** One line for each difference; empty when both say the same. */
export const differences = (code: Writers, doc: Writers): string[] =>
  [...new Set([...code.keys(), ...doc.keys()])].sort().flatMap((what) => {
    const said = [...(doc.get(what) ?? [])].sort().join(', ') || 'nobody';
    const done = [...(code.get(what) ?? [])].sort().join(', ') || 'nobody';
    return said === done ? [] : [`${what}: written by ${done}, docs/ownership.md says ${said}`];
  });
