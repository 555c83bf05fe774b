const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Whether a result matches what a vector expects: integers, booleans and strings exactly, other numbers within the
 * tolerance, lists by length and entry, records by the keys that the vector names.
 */
export const matches = (got: unknown, expected: unknown, tolerance: number): boolean => {
  if (typeof expected === 'number') {
    if (typeof got !== 'number' || Number.isNaN(got)) return false;
    return got === expected || Math.abs(got - expected) <= tolerance;
  }
  if (Array.isArray(expected)) {
    return (
      Array.isArray(got) &&
      got.length === expected.length &&
      expected.every((entry, i) => matches(got[i], entry, tolerance))
    );
  }
  if (isRecord(expected)) {
    return isRecord(got) && Object.keys(expected).every((key) => matches(got[key], expected[key], tolerance));
  }
  return got === expected;
};
