import { ok } from '@breakwater/contract';
import { operators as operatorsSpec } from '@breakwater/contract/tools';
import type { Database } from '../postgres/index.ts';
import { defineActions, iso, type Clock, type Tool } from '../runtime/index.ts';
import { listOperators, operatorState, revokeOperator, type OperatorCredential } from './operators.ts';

const isoOrNull = (ms: number | null): string | null => (ms === null ? null : iso(ms));

const viewOf = (operator: OperatorCredential, now: number) => ({
  name: operator.name,
  scopes: operator.scopes,
  state: operatorState(operator, now),
  created_at: iso(operator.createdAt),
  expires_at: isoOrNull(operator.expiresAt),
  last_seen_at: isoOrNull(operator.lastSeenAt),
  revoked_at: isoOrNull(operator.revokedAt),
});

/** The tool of operator credentials: every operator may look, and one that may act revokes (BW-console.02). */
export const operatorTools = ({ database, clock }: { database: Database; clock: Clock }): Tool[] => [
  defineActions(operatorsSpec, {
    list: async () => ok({ operators: (await listOperators(database)).map((one) => viewOf(one, clock.now())) }),
    async revoke({ args, caller }) {
      const now = clock.now();
      const revoked = await revokeOperator(database, args.name, now, caller.operator.name, args.reason);
      if (!revoked.ok) return revoked;
      return ok({ message: 'The credential proves nothing any more.', operator: viewOf(revoked.value, now) });
    },
  }),
];
