import { overlapOf } from './sets.ts';
import { partsOf } from './text.ts';

const STOP_WORDS: ReadonlySet<string> = new Set(
  (
    'the a an is are was were be been being have has had do does did will would could should may might shall can ' +
    'to of in for on with at by from and or but not no if then that this'
  ).split(' '),
);

const OUTER_MARKS = /^[.,;:!?"'()[\]]+|(?<![.,;:!?"'()[\]])[.,;:!?"'()[\]]+$/gu;

/** From this similarity on, two conditions say the same. */
const EQUIVALENT_FROM = 0.6;

/**
 * The terms of a condition: its words in lower case without outer marks and without stop words (spec dialectic C.2). The
 * negations are stop words; what is nothing but marks is the empty term.
 */
export const termsOf = (condition: string): ReadonlySet<string> =>
  new Set(
    partsOf(condition)
      .map((part) => part.toLowerCase().replace(OUTER_MARKS, ''))
      .filter((term) => !STOP_WORDS.has(term)),
  );

/** How alike two conditions are, 0 to 1: the part of their terms that they share; 0 when one has none (spec dialectic C.3). */
export const similarity = (a: string, b: string): number => overlapOf(termsOf(a), termsOf(b));

/** Whether conditions of this similarity count as one (spec dialectic C.3). */
export const isEquivalent = (alike: number): boolean => alike >= EQUIVALENT_FROM;
