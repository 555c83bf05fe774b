import { COMPLEXITY_WORDS, type FieldProblem, type NormalizedParameter } from '@breakwater/contract';
import { isObject, nearest } from '../runtime/index.ts';

import { preview } from './preview.ts';

type Understood = NormalizedParameter | FieldProblem | undefined;

const FIELD = 'complexity';
const WORDS = new Map(Object.entries(COMPLEXITY_WORDS));

const problem = (given: unknown, message: string, type: FieldProblem['type'], more: Partial<FieldProblem> = {}) => ({
  field: FIELD,
  message,
  type,
  given: preview(given),
  ...more,
});

/** The object that a text is the JSON of, as many clients send one. */
const objectIn = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const parsed: unknown = JSON.parse(text);
    return isObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
};

const fromWord = (word: string): Understood => {
  const text = word.trim().toLowerCase();
  const ratio = text.startsWith('{') ? objectIn(text) : undefined;
  if (ratio !== undefined) return fromRatio(ratio, word);
  if (text === '' || !Number.isNaN(Number(text))) return fromNumber(Number(text === '' ? Number.NaN : text), word);
  const value = WORDS.get(text.replaceAll(/[\s-]+/g, '_'));
  if (value !== undefined) return { from: word, to: value, interpretation: 'word' };
  const [guess] = nearest(text, [...WORDS.keys()], 1);
  return problem(word, 'must be a number from 0 to 1, a word, or {value, scale}', 'value', {
    valid_values: [...WORDS.keys()],
    ...(guess !== undefined && { did_you_mean: guess }),
  });
};

const fromNumber = (number: number, given: unknown): Understood =>
  number > 1 ? problem(given, 'is ambiguous above 1: send 0 to 1, a word, or {value, scale}', 'ambiguous') : undefined;

const fromRatio = ({ value, scale }: Readonly<Record<string, unknown>>, given: unknown): Understood => {
  const fits =
    typeof value === 'number' && typeof scale === 'number' && Number.isFinite(scale) && scale >= 1 && value >= 0;
  if (!fits || value > scale) {
    return problem(given, 'must be {value, scale} with scale at least 1 and value from 0 to scale', 'value');
  }
  return { from: given, to: value / scale, interpretation: `${value} of ${scale}` };
};

/**
 * What an alias makes of a `complexity` that is no plain number from 0 to 1: a conversion, a problem, or nothing when
 * the schema is to judge it. A bare number above 1 is refused, because 7 may be of 10 or of 100.
 */
export const understandComplexity = (given: unknown): Understood => {
  if (typeof given === 'string') return fromWord(given);
  if (typeof given === 'number') return fromNumber(given, given);
  return isObject(given) ? fromRatio(given, given) : undefined;
};
