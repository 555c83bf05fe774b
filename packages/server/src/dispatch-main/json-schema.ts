import { z } from 'zod';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Keys that zod adds and no caller needs. */
const NOISE = new Set(['$schema', 'additionalProperties', 'hidden', 'wire', '~standard']);

const clean = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(clean);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !NOISE.has(key))
      .map(([key, part]) => [key, clean(part)]),
  );
};

/**
 * The JSON schema that callers see. A field marked `hidden` is accepted and not shown; one marked `wire` is shown as it
 * says, because what it accepts (numbers as strings, words for booleans) is broader than what callers should send.
 */
export const wireSchema = (input: z.ZodObject): JsonObject => {
  const whole = z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' }) as {
    properties?: Record<string, JsonObject>;
    required?: string[];
  };
  const properties: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(whole.properties ?? {})) {
    if (property['hidden'] === true) continue;
    const { description } = property;
    const wire = property['wire'] as JsonObject | undefined;
    properties[name] = clean(
      wire === undefined ? property : { ...wire, ...(description !== undefined && { description }) },
    );
  }
  const required = (whole.required ?? []).filter((name) => name in properties);
  return { type: 'object', properties, ...(required.length > 0 && { required }) };
};
