import { sharedCount } from './sets.ts';
import { WORD } from './text.ts';

const OPPOSITES = [
  ['increase', 'decrease'],
  ['enable', 'disable'],
  ['allow', 'forbid'],
  ['raise', 'lower'],
  ['max', 'min'],
] as const;

const NUMBER = /\p{Nd}+\.?\p{Nd}*/gu;
const PLAIN_WORD = new RegExp(`(?<!${WORD})[a-z]+(?!${WORD})`, 'gu');
const EMPTY_WORDS: ReadonlySet<string> = new Set(['to', 'the', 'a', 'an', 'is', 'are', 'be', 'set']);

/** More shared words than this make two texts about one thing. */
const SHARED_WORDS = 2;

/** A condition as the conflict test reads it: read once, compared with many. */
export interface Reading {
  readonly text: string;
  /** The numbers in their order, as they are written. */
  readonly numbers: readonly string[];
  readonly words: ReadonlySet<string>;
}

/** Reads a condition for `readingsConflict`. */
export const readCondition = (condition: string): Reading => {
  const text = condition.toLowerCase();
  const words = new Set(text.match(PLAIN_WORD)?.filter((word) => !EMPTY_WORDS.has(word)));
  return { text, numbers: text.match(NUMBER) ?? [], words };
};

const sameNumbers = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((number, i) => number === b[i]);

/**
 * Whether two conditions contradict each other (spec dialectic C.5): opposite words, one in each, or the same subject with
 * other numbers. It is a rule of thumb: opposites are found inside longer words, and 0.3 differs from 0.30.
 */
export const readingsConflict = (a: Reading, b: Reading): boolean =>
  OPPOSITES.some(
    ([one, other]) =>
      (a.text.includes(one) && b.text.includes(other)) || (a.text.includes(other) && b.text.includes(one)),
  ) ||
  (a.numbers.length > 0 &&
    b.numbers.length > 0 &&
    sharedCount(a.words, b.words) > SHARED_WORDS &&
    !sameNumbers(a.numbers, b.numbers));
