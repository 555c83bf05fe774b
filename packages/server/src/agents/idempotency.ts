import { hash } from 'node:crypto';
import { canonicalJson } from './audit-chain.ts';

/** A call that may be repeated: the key that the caller chose, and a hash of what was asked. */
export interface Idempotency {
  readonly key: string;
  readonly requestHash: string;
}

/** The idempotency of a call; undefined when it carries no key. The secret and the key are not part of what was asked. */
export const idempotencyOf = (
  args: Readonly<Record<string, unknown>> & {
    readonly idempotency_key?: string | undefined;
    readonly client_session_id?: string | null | undefined;
  },
): Idempotency | undefined => {
  const { idempotency_key: key, client_session_id: _secret, ...asked } = args;
  return key === undefined ? undefined : { key, requestHash: hash('sha256', canonicalJson(asked)) };
};
