/** A number as it goes on the wire: four digits after the point. What is not finite is unknown, and unknown is null. */
const wireNumber = (value: number): number | null =>
  Number.isFinite(value) ? Math.round(value * 1e4) / 1e4 + 0 : null;

/** A value of plain objects, lists and scalars with every number brought to the wire's form; keys without value go. */
export const wireNumbers = (value: unknown): unknown => {
  if (typeof value === 'number') return wireNumber(value);
  if (Array.isArray(value)) return value.map(wireNumbers);
  if (typeof value !== 'object' || value === null) return value;
  const result: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(value)) if (part !== undefined) result[key] = wireNumbers(part);
  return result;
};
