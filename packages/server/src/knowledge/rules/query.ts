/** A search text, taken apart. Each part is written as PostgreSQL's web search understands it. */
export interface ParsedQuery {
  /** Everything that was asked for. */
  readonly all: string;
  /** Words and "phrases" that were asked for, each once, in their order; at most {@link MOST_TERMS}. */
  readonly terms: readonly string[];
  /** What must not be there, as `-word -"phrase"`; empty when nothing. */
  readonly excluded: string;
  /** Words beyond the ones that are looked for when not all can be found together. */
  readonly left: number;
}

/** Words that are looked for one by one. Each costs a walk through an index. */
const MOST_TERMS = 12;

const PART = /(-?)("[^"]*"|[^\s"]+)/g;

/**
 * Takes a search text apart. Paths lose their slashes: every segment of a stored path is searchable, so that
 * `agents/sql.ts` finds `src/agents/sql.ts`, too.
 */
export const parseQuery = (query: string): ParsedQuery => {
  const all = query.replaceAll('\0', ' ').toWellFormed().replaceAll('/', ' ').trim();
  const terms = new Set<string>();
  const excluded: string[] = [];
  for (const [, minus, part = ''] of all.matchAll(PART)) {
    if (minus === '-') excluded.push(`-${part}`);
    else if (part.toLowerCase() !== 'or') terms.add(part);
  }
  const list = [...terms];
  return {
    all,
    terms: list.slice(0, MOST_TERMS),
    excluded: excluded.join(' '),
    left: Math.max(0, list.length - MOST_TERMS),
  };
};
