/** A number as it goes on the wire: four digits after the point. What is not finite is unknown, and unknown is null. */
const wireNumber = (value: number): number | null =>
  Number.isFinite(value) ? Math.round(value * 1e4) / 1e4 + 0 : null;

/**
 * A value of plain objects, lists and scalars with every number brought to the wire's form; keys without value go. The
 * rules bound every number, so that the answer has the type of the value: a number that were not finite is a bug, and null
 * says less wrong than any number.
 */
export const wireNumbers = <T>(value: T): T => rounded(value) as T;

const rounded = (value: unknown): unknown => {
  if (typeof value === 'number') return wireNumber(value);
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== 'object' || value === null) return value;
  const result: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(value)) if (part !== undefined) result[key] = rounded(part);
  return result;
};
