import { z } from 'zod';
import { isObject } from '../../runtime/index.ts';

/** What a place in the arguments may hold, as far as the look at input needs to know; compiled once from a schema. */
export interface Shape {
  /** Takes a string as it is. */
  readonly text: boolean;
  /** Free text, in which what is no text is replaced; in any other string it is refused. */
  readonly prose: boolean;
  readonly object: boolean;
  readonly list: boolean;
  readonly number: boolean;
  readonly boolean: boolean;
  readonly properties: ReadonlyMap<string, Shape>;
  /** Keys that are taken beside the declared ones, and mean nothing here. */
  readonly ignored: ReadonlySet<string>;
  /** Whether a key that is neither declared nor ignored is refused. */
  readonly closed: boolean;
  /** What each item of a list is. */
  readonly items: Shape | undefined;
}

type Json = Readonly<Record<string, unknown>>;

const NONE: ReadonlySet<string> = new Set();
/** A value that nothing is declared about: kept as it was sent, its texts are free text. */
export const ANYTHING: Shape = {
  text: true,
  prose: true,
  object: false,
  list: false,
  number: false,
  boolean: false,
  properties: new Map(),
  ignored: NONE,
  closed: false,
  items: undefined,
};

const typesOf = (schema: Json): readonly unknown[] => {
  const { type } = schema;
  if (Array.isArray(type)) return type as unknown[];
  return type === undefined ? [] : [type];
};

/** The forms that a schema accepts, those of a union apart. */
const formsOf = (schema: Json): readonly Json[] =>
  Array.isArray(schema['anyOf']) ? (schema['anyOf'] as Json[]).flatMap(formsOf) : [schema];

const compile = (schema: Json): Shape => {
  const forms = formsOf(schema);
  const types = new Set(forms.flatMap(typesOf));
  if (types.size === 0 && forms.every((form) => form['enum'] === undefined)) return ANYTHING;
  const { wire } = schema;
  // What readers are shown is what is declared: beside a number or a boolean the schema takes words that stand for one.
  const declared = isObject(wire) ? new Set(typesOf(wire)) : types;
  const objects = forms.filter((form) => typesOf(form).includes('object'));
  const lists = forms.filter((form) => typesOf(form).includes('array'));
  const number = declared.has('number') || declared.has('integer');
  const boolean = declared.has('boolean');
  const item = lists[0]?.['items'];
  return {
    text: types.has('string') && !(isObject(wire) && (number || boolean)),
    prose: [schema, ...forms].some((form) => form['prose'] === true),
    object: objects.length > 0,
    list: lists.length > 0,
    number,
    boolean,
    properties: new Map(
      objects.flatMap(({ properties }) =>
        Object.entries(isObject(properties) ? properties : {}).map(([name, of]) => [name, compile(of as Json)]),
      ),
    ),
    ignored: NONE,
    closed: objects.length > 0 && objects.every((form) => form['additionalProperties'] === false),
    items: isObject(item) ? compile(item) : undefined,
  };
};

/** The shape of what a schema takes. */
export const shapeOf = (schema: z.ZodType): Shape => compile(z.toJSONSchema(schema, { io: 'input' }));
