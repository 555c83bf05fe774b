import { hash, timingSafeEqual } from 'node:crypto';
import { ok, refuse, type Result } from '@breakwater/contract';
import { bearerOf } from './evidence.ts';
import { isLoopback } from '../runtime/index.ts';

const digest = (text: string): Buffer => hash('sha256', text, 'buffer');

/**
 * Whether an `Authorization` header carries one of the tokens. Digests are compared, so that neither the content nor
 * the length of a token shows in the time it takes, and every token is compared whatever the earlier ones gave.
 */
export const createBearerCheck = (tokens: readonly string[]) => {
  const digests = tokens.map(digest);
  return (authorization: string | undefined): boolean => {
    if (digests.length === 0) return true;
    const token = bearerOf(authorization);
    if (token === undefined) return false;
    const given = digest(token);
    let found = false;
    for (const known of digests) found = timingSafeEqual(known, given) || found;
    return found;
  };
};

/**
 * Refuses an address that others can reach while no token is asked for: anybody on the network could then act as any
 * agent (BW-serve.10).
 */
export const assertSafeBinding = (host: string, tokens: readonly string[]): Result<undefined> =>
  isLoopback(host) || tokens.length > 0
    ? ok(undefined)
    : refuse('FORBIDDEN', `Listening on ${host} without a token would let anybody on the network in.`, {
        details: { host },
        recovery: { action: 'Set BREAKWATER_TOKENS, or listen on 127.0.0.1.' },
      });
