import type { ToolSpec } from '@breakwater/contract';
import { z } from 'zod';
import { isObject } from '../runtime/index.ts';

type Json = Readonly<Record<string, unknown>>;

/** What the generator adds and no reader needs: each costs every client bytes in every `tools/list`. */
const NOISE = new Set(['$schema', 'propertyNames', 'minLength', 'maxLength', 'hidden', 'wire', 'prose']);

/** An absent argument may be left out, so that a reader need not be told that null does the same. */
const withoutNull = (schema: Json): Json => {
  const { anyOf, type, ...rest } = schema;
  if (Array.isArray(anyOf)) {
    const left = (anyOf as unknown[]).filter((option) => !(isObject(option) && option['type'] === 'null'));
    const only = left[0];
    return left.length === 1 && isObject(only) ? { ...rest, ...withoutNull(only), ...rest } : { ...rest, anyOf: left };
  }
  if (Array.isArray(type)) {
    const left = (type as unknown[]).filter((name) => name !== 'null');
    return { ...rest, type: left.length === 1 ? left[0] : left };
  }
  return schema;
};

const compact = (schema: unknown): unknown => {
  if (!isObject(schema)) return schema;
  const { wire, description, default: fallback } = schema;
  if (isObject(wire)) {
    return {
      ...wire,
      ...(description !== undefined && { description }),
      ...(fallback !== undefined && { default: fallback }),
    };
  }
  const result: Record<string, unknown> = {};
  const present = withoutNull(schema);
  for (const [key, value] of Object.entries(present)) {
    const unlimited = (key === 'minimum' || key === 'maximum') && Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER;
    const anything = key === 'additionalProperties' && value !== false;
    if (NOISE.has(key) || unlimited || anything || (key === 'pattern' && 'format' in present)) continue;
    if (key === 'properties' && isObject(value)) result[key] = compactProperties(value);
    else if (key === 'items') result[key] = compact(value);
    else if (key === 'anyOf' && Array.isArray(value)) result[key] = value.map(compact);
    else result[key] = value;
  }
  return result;
};

const compactProperties = (properties: Json): Json =>
  Object.fromEntries(
    Object.entries(properties)
      .filter(([, schema]) => !(isObject(schema) && schema['hidden'] === true))
      .map(([name, schema]) => [name, compact(schema)]),
  );

/**
 * The JSON schema of a tool's arguments as clients are shown it: arguments marked `hidden` are left out (they are
 * accepted all the same), those marked `wire` show that schema instead of their own, and the generator's noise is gone.
 */
export const wireSchema = (input: z.ZodObject): Json => compact(z.toJSONSchema(input, { io: 'input' })) as Json;

/** What the generator says of every whole number, and of a format that the reader knows by its name. */
const isNoise = (key: string, value: unknown, schema: Json): boolean =>
  key === '$schema' ||
  (key === 'pattern' && 'format' in schema) ||
  ((key === 'minimum' || key === 'maximum') && Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER);

const withoutNoise = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(withoutNoise);
  if (!isObject(schema)) return schema;
  return Object.fromEntries(
    Object.entries(schema).flatMap(([key, value]) => (isNoise(key, value, schema) ? [] : [[key, withoutNoise(value)]])),
  );
};

/**
 * The JSON schema of an answer. As an input: what a later version adds to an answer must not break a reader that holds it
 * against this.
 */
export const answerSchema = (answer: z.ZodType): Json => withoutNoise(z.toJSONSchema(answer, { io: 'input' })) as Json;

/** The answers that a call may get: of the tool, of one action, or of all that are not refused whatever is sent. */
const outputsOf = ({ output, actions }: ToolSpec, action: string | undefined): z.ZodType[] => {
  if (actions === undefined) return output === undefined ? [] : [output];
  return Object.entries(actions)
    .filter(([name]) => action === undefined || name === action)
    .map(([, one]) => one.output)
    .filter((one) => !(one instanceof z.ZodNever));
};

/**
 * The JSON schema of what a success answers, beside what every answer carries; of a tool with actions any of theirs, unless
 * one is named. Undefined where the contract says nothing. MCP wants an object at the root, also above a union.
 */
export const outputSchema = (spec: ToolSpec, action?: string): Json | undefined => {
  const outputs = outputsOf(spec, action);
  const [first] = outputs;
  if (first === undefined) return undefined;
  return { type: 'object', ...answerSchema(outputs.length === 1 ? first : z.union(outputs)) };
};

/** The schema of some arguments in brief, hidden ones too: their types and words, nothing said about them. */
export const briefSchema = (input: z.ZodObject, names: readonly string[]): Json => {
  const whole = z.toJSONSchema(input, { io: 'input' }) as Json;
  const properties = whole['properties'] as Readonly<Record<string, unknown>>;
  const required = (whole['required'] as readonly string[] | undefined)?.filter((name) => names.includes(name)) ?? [];
  const brief = (name: string): [string, Json][] => {
    const schema = compact(properties[name]);
    if (!isObject(schema)) return [];
    const { type, enum: words, items } = schema;
    return [
      [
        name,
        {
          ...(type !== undefined && { type }),
          ...(words !== undefined && { enum: words }),
          ...(isObject(items) && { items: { type: items['type'] } }),
        },
      ],
    ];
  };
  return {
    type: 'object',
    properties: Object.fromEntries(names.flatMap(brief)),
    ...(required.length > 0 && { required }),
  };
};

/** The names that {@link wireSchema} leaves out. */
export const hiddenArguments = (input: z.ZodObject): string[] =>
  Object.entries(input.shape as Readonly<Record<string, z.ZodType>>)
    .filter(([, schema]) => (schema.meta() as Json | undefined)?.['hidden'] === true)
    .map(([name]) => name);
