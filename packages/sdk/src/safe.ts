import { KEYED, READS, READS_BY_ACTION } from './facts.ts';
import type { Json } from './json.ts';

/**
 * Whether a call may be repeated although nobody knows what became of it: it reads, it carries a key under which the server
 * does it once, or, for `identity`, it only asks who one is.
 */
export const isSafeToRepeat = (tool: string, args: Json): boolean => {
  if (READS.has(tool)) return true;
  if (tool === 'identity') return args['name'] == null && args['revoke'] == null;
  if (KEYED.has(tool) && typeof args['idempotency_key'] === 'string') return true;
  return Object.hasOwn(READS_BY_ACTION, tool) && READS_BY_ACTION[tool]?.has(args['action']) === true;
};
