type Json = Readonly<Record<string, unknown>>;

/** A caller's `detail` without what only the server may state, and the paths of what was taken out. */
interface Cleaned {
  readonly detail: Json;
  readonly stripped: readonly string[];
}

/** Folded names ({@link fold}) by which a caller could state its own standing. */
const FORBIDDEN = new Set([
  'grade',
  'graded',
  'weight',
  'evidencegrade',
  'evidenceweight',
  'predictionsource',
  'trusted',
  'trustedsource',
  'trustedsources',
]);
const FORBIDDEN_STEMS = ['verif', 'corroborat', 'provenance'];
/** Folded names under which the server keeps its own notes; not even a trusted source writes them. */
const OF_SERVER = new Set(['serversnapshot', 'snapshotmissing', 'betheld']);

/** Deeper than any evidence; and a bound, so that a caller cannot exhaust the stack. */
const MAX_DEPTH = 32;
const MAX_REPORTED = 20;
const TOO_DEEP = `(nested deeper than ${MAX_DEPTH} levels)`;

/** A key as a reader would take it: no case, no separators, no look-alike forms. */
const fold = (key: string): string =>
  key
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');

const isForbidden = (key: string, trusted: boolean): boolean => {
  const folded = fold(key);
  if (OF_SERVER.has(folded)) return true;
  return !trusted && (FORBIDDEN.has(folded) || FORBIDDEN_STEMS.some((stem) => folded.startsWith(stem)));
};

/**
 * Takes provenance keys out at every depth (BW-outcomes.01), and the server's own notes even from a `trusted` source. What
 * is left is a copy of the caller's value.
 */
export const stripProvenance = (detail: Json, trusted: boolean): Cleaned => {
  const paths = new Set<string>();
  const clean = (value: unknown, path: string, depth: number): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (depth > MAX_DEPTH) return TOO_DEEP;
    if (Array.isArray(value)) return value.map((part) => clean(part, `${path}[]`, depth + 1));
    return cleanObject(value as Json, path, depth);
  };
  const cleanObject = (object: Json, path: string, depth: number): Json => {
    const kept: [string, unknown][] = [];
    for (const [key, value] of Object.entries(object)) {
      const at = path === '' ? key : `${path}.${key}`;
      if (isForbidden(key, trusted)) paths.add(at);
      else kept.push([key, clean(value, at, depth + 1)]);
    }
    return Object.fromEntries(kept);
  };
  const cleaned = cleanObject(detail, '', 0);
  const reported = [...paths].slice(0, MAX_REPORTED);
  if (paths.size > MAX_REPORTED) reported.push(`… (${paths.size - MAX_REPORTED} more)`);
  return { detail: cleaned, stripped: reported };
};
