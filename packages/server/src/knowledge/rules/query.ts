/** A part of a search text: a word or a "phrase" that is asked for, one that must not be there, or the word between choices. */
export interface Part {
  readonly kind: 'word' | 'not' | 'or';
  /** Without quotation marks. */
  readonly text: string;
}

/** A search text, taken apart. */
export interface ParsedQuery {
  readonly parts: readonly Part[];
  /** Words beyond the ones that are looked for when not all can be found together. */
  readonly left: number;
}

/** What PostgreSQL makes of each part, in its own notation; empty where a part holds nothing that can be searched for. */
export type CompiledParts = readonly string[];

/** A search as PostgreSQL understands it, in its own notation. */
export interface SearchQuery {
  /** Everything that was asked for; empty when nothing of it can be searched for. */
  readonly all: string;
  /** Words and phrases that were asked for, each once, in their order; at most {@link MOST_TERMS}. */
  readonly terms: readonly { readonly word: string; readonly query: string }[];
  /** What must not be there; empty when nothing. */
  readonly excluded: string;
  /** Parts that nothing can be searched by: words that are in every text, and symbols alone. */
  readonly notSearched: readonly string[];
}

/** Words that are looked for one by one. Each costs a walk through an index. */
const MOST_TERMS = 12;

/** A phrase, one that must not be there, or a word. Only a quotation is ever excluded: `-n` and `--force` are words of commands. */
const PART = /(?<=^|\s)(-)"([^"]*)"|"([^"]*)"|[^\s"]+/g;

/** Takes a search text apart, composed as texts are stored (Unicode NFC). */
export const parseQuery = (query: string): ParsedQuery => {
  const text = query.replaceAll('\0', ' ').toWellFormed().normalize('NFC');
  const parts = [...text.matchAll(PART)].map(([written, minus, excluded, phrase]): Part => {
    if (minus !== undefined) return { kind: 'not', text: excluded ?? '' };
    if (phrase === undefined && written.toLowerCase() === 'or') return { kind: 'or', text: written };
    return { kind: 'word', text: phrase ?? written };
  });
  const words = new Set(parts.filter(({ kind }) => kind === 'word').map((part) => part.text));
  return { parts, left: Math.max(0, words.size - MOST_TERMS) };
};

/**
 * Puts a search together from what PostgreSQL made of its parts. A part that came to nothing is left out, and named. What must
 * not be there belongs to the choice in which it stands; a choice of nothing else would find nearly everything, and makes the
 * search empty.
 */
export const composeQuery = ({ parts }: ParsedQuery, compiled: CompiledParts): SearchQuery => {
  const choices: { asked: string[]; not: string[] }[] = [{ asked: [], not: [] }];
  const terms = new Map<string, string>();
  const notSearched = new Set<string>();
  for (const [i, { kind, text }] of parts.entries()) {
    const query = compiled[i] ?? '';
    if (kind === 'or') choices.push({ asked: [], not: [] });
    else if (query === '') notSearched.add(text);
    else if (kind === 'not') choices.at(-1)?.not.push(`!(${query})`);
    else {
      choices.at(-1)?.asked.push(`(${query})`);
      terms.set(text, query);
    }
  }
  const onlyExcludes = choices.some(({ asked, not }) => asked.length === 0 && not.length > 0);
  const asking = choices.filter(({ asked }) => asked.length > 0);
  return {
    all: onlyExcludes ? '' : asking.map(({ asked, not }) => [...asked, ...not].join(' & ')).join(' | '),
    terms: [...terms].slice(0, MOST_TERMS).map(([word, query]) => ({ word, query })),
    excluded: choices.flatMap(({ not }) => not).join(' & '),
    notSearched: [...notSearched],
  };
};
