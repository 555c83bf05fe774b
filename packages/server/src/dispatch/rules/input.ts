import type { FieldProblem, NormalizedParameter } from '@breakwater/contract';
import { nearest } from '../../runtime/index.ts';
import { deeperThan } from '../preview.ts';
import { ANYTHING, type Shape } from './shape.ts';

/** Levels to which arguments may be nested, and JSON that stands in one as text. */
export const MAX_DEPTH = 32;
/** More than this of each kind are not collected. */
const MOST = 100;
const LONGEST_KEY = 64;

/** What the look at input found; `value` is what was given when there was nothing to change. */
export interface Looked {
  readonly value: unknown;
  readonly problems: readonly FieldProblem[];
  /** Free texts in which something was replaced, by path; undefined when there are none. */
  readonly replaced: Readonly<Record<string, NormalizedParameter>> | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

interface Found {
  readonly problems: FieldProblem[];
  readonly replaced: Map<string, NormalizedParameter>;
}

const NO_TEXT = 'must be text, without U+0000 and halves of surrogate pairs';
const NUMBER = /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/;
const BOOLEAN = /^\s*(true|false)\s*$/i;
const NOT_TEXT = /\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const CONTAINER = /^\s*[{[]/;

/** Whether PostgreSQL and every reader can hold the text: both tests are native, and copy nothing. */
export const isText = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

const mayMeanMore = (shape: Shape): boolean => !shape.text || shape.object || shape.list;

/** Whether nothing is to be done about a value; this alone is what a usual call costs. */
const isPlain = (value: unknown, shape: Shape): boolean => {
  if (typeof value === 'string') return isText(value) && !mayMeanMore(shape);
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) {
    const items = shape.items ?? ANYTHING;
    for (const item of value) if (!isPlain(item, items)) return false;
    return true;
  }
  for (const key in value) {
    const of = shape.properties.get(key);
    if (of === undefined && ((shape.closed && !shape.ignored.has(key)) || !isText(key))) return false;
    if (!isPlain((value as Fields)[key], of ?? ANYTHING)) return false;
  }
  return true;
};

const asText = (text: string): string => text.replaceAll('\0', '\ufffd').toWellFormed();

/** A key as a refusal may repeat it. */
const shownKey = (key: string): string => asText(key.slice(0, LONGEST_KEY));
const under = (path: string, key: string): string => (path === '' ? shownKey(key) : `${path}.${shownKey(key)}`);

const unknownKey = (field: string, key: string, shape: Shape): FieldProblem => {
  const known = [...shape.properties.keys()];
  const [guess] = nearest(key, known, 1);
  return {
    field,
    message: guess === undefined ? 'is not known here' : `is not known here; did you mean ${guess}?`,
    type: 'unknown_key',
    ...(guess === undefined ? { valid_values: known } : { did_you_mean: guess }),
  };
};

/** The object, list, number or boolean that a text stands for; undefined when it stands for itself. */
const meantBy = (text: string, shape: Shape): unknown => {
  if ((shape.object || shape.list) && CONTAINER.test(text)) {
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      return undefined;
    }
    const fits = Array.isArray(parsed) ? shape.list : shape.object && typeof parsed === 'object' && parsed !== null;
    return fits && !deeperThan(parsed, MAX_DEPTH) ? parsed : undefined;
  }
  if (shape.text) return undefined;
  if (shape.number && NUMBER.test(text)) return Number(text);
  return shape.boolean && BOOLEAN.test(text) ? text.trim().toLowerCase() === 'true' : undefined;
};

/** What an answer says of a text in which something was replaced. */
const replacement = (text: string): NormalizedParameter => ({
  from: `U+${(NOT_TEXT.exec(text)?.[0] ?? '').charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`,
  to: 'U+FFFD',
  interpretation: 'what is no text (U+0000, half of a character) was replaced',
});

const lookAtText = (text: string, shape: Shape, path: string, found: Found): unknown => {
  const meant = mayMeanMore(shape) ? meantBy(text, shape) : undefined;
  if (meant !== undefined) return isPlain(meant, shape) ? meant : lookInto(meant, shape, path, found);
  if (isText(text)) return text;
  if (!shape.prose) {
    found.problems.push({ field: path, message: NO_TEXT, type: 'format' });
    return text;
  }
  if (found.replaced.size < MOST) found.replaced.set(path, replacement(text));
  return asText(text);
};

const lookIntoObject = (value: Fields, shape: Shape, path: string, found: Found): Fields =>
  // fromEntries defines keys; an assignment to __proto__ would not.
  Object.fromEntries(
    Object.entries(value).map(([key, one]) => {
      const of = shape.properties.get(key);
      if (found.problems.length < MOST && of === undefined) {
        const field = under(path, key);
        if (!isText(key)) found.problems.push({ field, message: `has a name that ${NO_TEXT}`, type: 'format' });
        else if (shape.closed && !shape.ignored.has(key)) found.problems.push(unknownKey(field, key, shape));
      }
      return [key, lookInto(one, of ?? ANYTHING, under(path, key), found)];
    }),
  );

const lookInto = (value: unknown, shape: Shape, path: string, found: Found): unknown => {
  if (found.problems.length >= MOST) return value;
  if (typeof value === 'string') return lookAtText(value, shape, path, found);
  if (typeof value !== 'object' || value === null) return value;
  if (!Array.isArray(value)) return lookIntoObject(value as Fields, shape, path, found);
  const items = shape.items ?? ANYTHING;
  return value.map((item, i) => lookInto(item, items, `${path}[${i}]`, found));
};

/**
 * The one look at what a caller sends, whatever brought it, before anybody asks who the caller is (BW-dispatch.09):
 *
 * - U+0000 and halves of surrogate pairs, which PostgreSQL cannot hold, are refused by path in names, ids, tags and keys, and
 *   replaced and told in free text;
 * - JSON text stands for the object, list, number or boolean that is declared in its place, at every depth;
 * - a key that nobody knows is refused, with the nearest one that is known.
 *
 * Whether the values obey their rules is the schema's to say. Costs one walk without a copy where nothing is to be done.
 */
export const lookAt = (value: unknown, shape: Shape): Looked => {
  if (isPlain(value, shape)) return { value, problems: [], replaced: undefined };
  const found: Found = { problems: [], replaced: new Map() };
  const seen = lookInto(value, shape, '', found);
  const replaced = found.replaced.size === 0 ? undefined : Object.fromEntries(found.replaced);
  return { value: seen, problems: found.problems, replaced };
};
