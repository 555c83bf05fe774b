import { skeletonOf } from '../../runtime/index.ts';

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
  'system',
  'root',
]);
const SKELETONS: ReadonlySet<string> = new Set([...RESERVED].map(skeletonOf));

/**
 * The reserved tags of `wanted` that are not held already, and those that look like one: a reader that ignores case, or an eye
 * that takes a Cyrillic letter for a Latin one, must not be fooled.
 */
export const reservedAdditions = (held: readonly string[], wanted: readonly string[]): readonly string[] =>
  wanted.filter((tag) => SKELETONS.has(skeletonOf(tag)) && !held.includes(tag));
