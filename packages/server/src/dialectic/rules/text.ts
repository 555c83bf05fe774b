/** Letters and digits of every script and the underscore: a character of a word, for a regular expression with `u`. */
export const WORD = String.raw`[\p{L}\p{N}_]`;

// White space as the vectors have it: unlike JavaScript's \s it holds U+001C to U+001F and U+0085, and not U+FEFF.
// eslint-disable-next-line no-control-regex
const SPACE_RUN = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/u;

/** The parts of a text between white space, in their order; none of them is empty. */
export const partsOf = (text: string): readonly string[] => text.split(SPACE_RUN).filter((part) => part !== '');

/** Whether nothing but white space stands there. */
export const isBlank = (text: string | null): boolean => text === null || partsOf(text).length === 0;

/**
 * Sorts by Unicode code point. JavaScript's own order is by UTF-16 unit, which puts U+1F600 before U+FB01 and would give
 * another signature than everybody else's.
 */
export const byCodePoint = (a: string, b: string): number => {
  const [left, right] = [a[Symbol.iterator](), b[Symbol.iterator]()];
  for (;;) {
    const [one, other] = [left.next().value, right.next().value];
    if (one === undefined || other === undefined) return Number(one !== undefined) - Number(other !== undefined);
    if (one !== other) return (one.codePointAt(0) ?? 0) - (other.codePointAt(0) ?? 0);
  }
};
