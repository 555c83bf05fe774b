import { cutText } from './text.ts';

/** Spellings of one and the same thing, put right wherever a tag is written or searched for. */
const VARIANTS: Readonly<Record<string, string>> = {
  postgresql: 'postgres',
  psql: 'postgres',
  'postgre-sql': 'postgres',
  js: 'javascript',
  ts: 'typescript',
  k8s: 'kubernetes',
};

/** Words of one meaning; only the lifecycle puts these together, since a writer may have meant the difference. */
const SYNONYMS: Readonly<Record<string, string>> = {
  db: 'database',
  databases: 'database',
  auth: 'identity',
  authentication: 'identity',
  docs: 'documentation',
  doc: 'documentation',
  perf: 'performance',
  config: 'configuration',
  tests: 'testing',
  test: 'testing',
  bugs: 'bug',
};

/** Tags under which findings are short-lived; `test` is one, so the lifecycle leaves it as it is. */
export const EPHEMERAL_TAGS: readonly string[] = ['ephemeral', 'temp', 'scratch', 'test', 'demo'];

/** Tags under which findings never age. */
export const PERMANENT_TAGS: readonly string[] = ['permanent', 'foundational', 'architecture', 'decision'];

/** Not seen, some of them letters: two tags that look alike would be two. */
const UNSEEN = /\p{Default_Ignorable_Code_Point}/gu;
const MOST = 50;
const LONGEST = 64;

/** Tags that {@link canonicalTags} would change. */
export const SYNONYM_TAGS: readonly string[] = Object.keys(SYNONYMS).filter((tag) => !EPHEMERAL_TAGS.includes(tag));

const listOf = (given: unknown): readonly unknown[] => {
  if (Array.isArray(given)) return given;
  if (typeof given !== 'string') return [];
  const text = given.trim();
  if (text.startsWith('[')) {
    try {
      const parsed: unknown = JSON.parse(text);
      if (Array.isArray(parsed)) return parsed;
    } catch {
      // Not JSON after all: brackets are no part of a tag, and commas part them.
    }
  }
  return text.split(',');
};

const distinct = (tags: readonly string[]): string[] => [...new Set(tags)];

/**
 * Strings of a list, of its JSON, or of a text with commas; blank ones are left out. Anything but strings in it is left out,
 * too.
 */
export const stringsOf = (given: unknown): string[] =>
  listOf(given).flatMap((item) => (typeof item === 'string' && item.trim() !== '' ? [item.trim()] : []));

/** A tag in the one form in which it is stored and searched for; empty when nothing of it is left. */
const normalTag = (given: string): string => {
  const words = given
    .normalize('NFC')
    .replace(UNSEEN, '')
    .toLowerCase()
    .normalize('NFC')
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, '-')
    .replace(/^-/, '');
  const tag = cutText(words, LONGEST).replace(/-$/, '');
  return VARIANTS[tag] ?? tag;
};

/**
 * Tags in their normal form, each once, in their order, of all scripts (BW-knowledge.01). At most fifty; `left` counts the
 * others, and `lost` are those that have neither a letter nor a digit, as they were sent.
 */
export const normalTags = (
  given: unknown,
): { readonly tags: readonly string[]; readonly left: number; readonly lost: readonly string[] } => {
  const sent = stringsOf(given);
  const tags = distinct(sent.map(normalTag).filter((tag) => tag !== ''));
  return {
    tags: tags.slice(0, MOST),
    left: Math.max(0, tags.length - MOST),
    lost: distinct(sent.filter((tag) => normalTag(tag) === '')),
  };
};

/** What is told of tags that were not kept. */
export const lostTags = (lost: readonly string[]): string[] =>
  lost.length === 0
    ? []
    : [
        `tags without a letter or digit were left out: ${lost
          .slice(0, MOST)
          .map((tag) => JSON.stringify(cutText(tag, LONGEST)))
          .join(', ')}`,
      ];

/** The same tags with words of one meaning put together. */
export const canonicalTags = (tags: readonly string[]): readonly string[] =>
  distinct(tags.map((tag) => (EPHEMERAL_TAGS.includes(tag) ? tag : (SYNONYMS[tag] ?? tag))));
