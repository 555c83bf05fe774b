const MAX = 80;

/** A value as JSON, cut at 80 characters. The value must not be nested deeper than the chain allows. */
export const preview = (value: unknown): string => {
  const text = typeof value === 'string' && value.length > 2 * MAX ? value.slice(0, 2 * MAX) : value;
  // Undefined, functions and symbols have no JSON; none comes over a wire.
  const json = (JSON.stringify(text) as string | undefined) ?? typeof value;
  return json.length <= MAX ? json : `${json.slice(0, MAX - 1)}…`;
};

/** Whether a value is nested deeper than `levels`; looks no deeper than that. */
export const deeperThan = (value: unknown, levels: number): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  for (const part of Object.values(value)) if (deeperThan(part, levels - 1)) return true;
  return false;
};
