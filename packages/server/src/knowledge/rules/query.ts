/** A search text, taken apart. Each part is written as PostgreSQL's web search understands it. */
export interface ParsedQuery {
  /** Everything that was asked for. */
  readonly all: string;
  /** Words and "phrases" that were asked for, each once, in their order; at most {@link MOST_TERMS}. */
  readonly terms: readonly string[];
  /** What must not be there, as `-"phrase" -"word"`; empty when nothing. */
  readonly excluded: string;
  /** Words beyond the ones that are looked for when not all can be found together. */
  readonly left: number;
}

/** Words that are looked for one by one. Each costs a walk through an index. */
const MOST_TERMS = 12;

/** A phrase, one that must not be there, or a word. Only a quotation is ever excluded: `-n` and `--force` are words of commands. */
const PART = /(?<=^|\s)(-)("[^"]*")|"[^"]*"|[^\s"]+/g;

/** A word as it is: with a dash before it, PostgreSQL would take it for one that must not be there. */
const literal = (part: string): string => (part.startsWith('-') ? `"${part}"` : part);

/**
 * Takes a search text apart, composed as texts are stored (Unicode NFC). Paths lose their slashes: every segment of a stored
 * path is searchable, so that `agents/sql.ts` finds `src/agents/sql.ts`, too.
 */
export const parseQuery = (query: string): ParsedQuery => {
  const text = query.replaceAll('\0', ' ').toWellFormed().normalize('NFC').replaceAll('/', ' ');
  const all: string[] = [];
  const terms = new Set<string>();
  const excluded: string[] = [];
  for (const [part, minus] of text.matchAll(PART)) {
    const written = minus === undefined ? literal(part) : part;
    all.push(written);
    if (minus !== undefined) excluded.push(written);
    else if (part.toLowerCase() !== 'or') terms.add(written);
  }
  const list = [...terms];
  return {
    all: all.join(' '),
    terms: list.slice(0, MOST_TERMS),
    excluded: excluded.join(' '),
    left: Math.max(0, list.length - MOST_TERMS),
  };
};
