/** Tags that say something of an agent that it may not say of itself. They grant nothing (BW-identity.08). */
const RESERVED: ReadonlySet<string> = new Set([
  'admin',
  'operator',
  'embodied',
  'persistent',
  'autonomous',
  'protected',
  'pioneer',
  'anima',
  'resident',
  'resident_persistent',
]);

/**
 * The reserved tags of `wanted` that are not held already. In any case of letters: a reader that ignores case must not be
 * fooled by one.
 */
export const reservedAdditions = (held: readonly string[], wanted: readonly string[]): readonly string[] =>
  wanted.filter((tag) => RESERVED.has(tag.toLowerCase()) && !held.includes(tag));
