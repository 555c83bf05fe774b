import { hash } from 'node:crypto';

/** What a text shows on its surface (spec checkin 2.1). Lengths count Unicode code points. */
export interface TextFeatures {
  /** A quarter of the length, rounded down. */
  readonly tokens: number;
  readonly chars: number;
  readonly codeBlocks: number;
  readonly listItems: number;
  readonly paragraphs: number;
  readonly questions: number;
  /** First 8 hex digits of SHA-256 of the folded text; '' for the empty text. */
  readonly topicHash: string;
  /** Known tool names that occur, in the order of the list. */
  readonly tools: readonly string[];
}

const KNOWN_TOOLS = [
  'process_agent_update',
  'get_governance_metrics',
  'search_knowledge_graph',
  'store_knowledge_graph',
  'leave_note',
  'compare_me_to_similar',
  'list_agents',
  'get_discovery_details',
  'identity',
  'onboard',
  'get_agent_metadata',
  'observe_agent',
  'detect_anomalies',
  'aggregate_metrics',
  'export_to_file',
  'get_system_history',
] as const;

// The reference's white space: unlike JavaScript's \s it holds U+001C to U+001F and U+0085, and not U+FEFF.
// eslint-disable-next-line no-control-regex
const SPACE_RUN = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/gu;
const DECIMAL_DIGIT = /^\p{Nd}$/u;
const FENCE = '```';

const isSpace = (code: number): boolean =>
  code <= 0x20
    ? code >= 0x1c || (code >= 0x09 && code <= 0x0d)
    : code >= 0x85 &&
      (code === 0x85 ||
        code === 0xa0 ||
        code === 0x1680 ||
        (code >= 0x2000 && code <= 0x200a) ||
        code === 0x2028 ||
        code === 0x2029 ||
        code === 0x202f ||
        code === 0x205f ||
        code === 0x3000);

const countOf = (text: string, part: string): number => {
  let count = 0;
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length)) count += 1;
  return count;
};

/** Length in code points: a surrogate pair is one. */
const codePoints = (text: string): number => {
  let count = text.length;
  for (let i = 0; i + 1 < text.length; i += 1) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      count -= 1;
      i += 1;
    }
  }
  return count;
};

/** The first place from `from` on that is not white space, or `end`. */
const skipSpace = (text: string, from: number, end = text.length): number => {
  let at = from;
  while (at < end && isSpace(text.charCodeAt(at))) at += 1;
  return at;
};

const BULLETS = new Set(['-', '*', '•']);

/** The end of the item's mark at `from`, or -1 when there is none: a bullet, or decimal digits of any script and a dot. */
const endOfMark = (text: string, from: number): number => {
  if (BULLETS.has(text.charAt(from))) return from + 1;
  let at = from;
  for (;;) {
    const code = text.codePointAt(at);
    if (code === undefined) return -1;
    if (code === 0x2e) return at > from ? at + 1 : -1;
    const digit = code < 0x80 ? code >= 0x30 && code <= 0x39 : DECIMAL_DIGIT.test(String.fromCodePoint(code));
    if (!digit) return -1;
    at += code > 0xffff ? 2 : 1;
  }
};

/**
 * Lines that open with an item's mark and white space. One pass: white space before a mark may span lines, and a
 * pattern that tried each line start anew would take quadratic time on a text of blank lines.
 */
const countListItems = (text: string): number => {
  let count = 0;
  let line = 0;
  while (line < text.length) {
    const start = skipSpace(text, line);
    const mark = endOfMark(text, start);
    let next = start;
    if (mark !== -1) {
      next = skipSpace(text, mark);
      if (next > mark) count += 1;
    }
    if (next > line && text.charCodeAt(next - 1) === 0x0a) {
      line = next;
      continue;
    }
    const end = text.indexOf('\n', next);
    if (end === -1) break;
    line = end + 1;
  }
  return count;
};

const countFences = (text: string): number => {
  let count = 0;
  let open = text.indexOf(FENCE);
  while (open !== -1) {
    const close = text.indexOf(FENCE, open + FENCE.length);
    if (close === -1) break;
    count += 1;
    open = text.indexOf(FENCE, close + FENCE.length);
  }
  return count;
};

/** Pieces between double newlines that hold more than white space; a text that is not empty has at least one. */
const countParagraphs = (text: string): number => {
  let count = 0;
  let from = 0;
  while (from <= text.length) {
    const at = text.indexOf('\n\n', from);
    const end = at === -1 ? text.length : at;
    if (skipSpace(text, from, end) < end) count += 1;
    from = end + 2;
  }
  return Math.max(1, count);
};

/** The topic of a text that holds nothing but white space: SHA-256 of nothing. */
export const BLANK_TOPIC = 'e3b0c442';

const topicOf = (lower: string): string =>
  hash('sha256', lower.replace(SPACE_RUN, ' ').replace(/^ | $/g, '')).slice(0, 8);

const EMPTY: TextFeatures = Object.freeze({
  tokens: 0,
  chars: 0,
  codeBlocks: 0,
  listItems: 0,
  paragraphs: 0,
  questions: 0,
  topicHash: '',
  tools: Object.freeze([]),
});

/** Reads the features of a text; linear in its length. */
export const textFeatures = (text: string): TextFeatures => {
  if (text === '') return EMPTY;
  const chars = codePoints(text);
  const lower = text.toLowerCase();
  return {
    tokens: Math.floor(chars / 4),
    chars,
    codeBlocks: countFences(text),
    listItems: countListItems(text),
    paragraphs: countParagraphs(text),
    questions: countOf(text, '?'),
    topicHash: topicOf(lower),
    tools: KNOWN_TOOLS.filter((name) => lower.includes(name)),
  };
};
