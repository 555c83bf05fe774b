import { accept, operators as operatorsSpec, refuse, type Outcome } from '@breakwater/contract';
import type { Database } from '../postgres/index.ts';
import { defineTool, type Clock, type Tool, type ToolCall } from '../runtime/index.ts';
import { listOperators, operatorState, revokeOperator, type OperatorCredential } from './operators.ts';

type Call = ToolCall<typeof operatorsSpec.input._zod.output>;
type Payload = Readonly<Record<string, unknown>>;

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

const viewOf = (operator: OperatorCredential, now: number): Payload => ({
  name: operator.name,
  scopes: operator.scopes,
  state: operatorState(operator, now),
  created_at: iso(operator.createdAt),
  expires_at: iso(operator.expiresAt),
  last_seen_at: iso(operator.lastSeenAt),
  revoked_at: iso(operator.revokedAt),
});

/** The tool of operator credentials: every operator may look, and one that may act revokes (BW-console.02). */
export const operatorTools = ({ database, clock }: { database: Database; clock: Clock }): Tool[] => {
  const actions = {
    list: async (): Promise<Outcome<Payload>> =>
      accept({ operators: (await listOperators(database)).map((one) => viewOf(one, clock.now())) }),
    async revoke({ args, caller }: Call): Promise<Outcome<Payload>> {
      if (caller.operator?.act !== true) {
        return refuse('OPERATOR_REQUIRED', 'Only an operator that may act revokes a credential.');
      }
      for (const parameter of ['name', 'reason'] as const) {
        if ((args[parameter] ?? '') === '') {
          return refuse('MISSING_PARAMETER', `${parameter}: revoke needs it.`, { details: { parameter } });
        }
      }
      const now = clock.now();
      const by = { name: caller.operator.name, reason: args.reason ?? '' };
      const revoked = await revokeOperator(database, args.name ?? '', now, by.name, by.reason);
      if (!revoked.ok) return revoked;
      return accept({ message: 'The credential proves nothing any more.', operator: viewOf(revoked.value, now) });
    },
  };
  return [defineTool(operatorsSpec, (call) => actions[call.args.action ?? 'list'](call))];
};
