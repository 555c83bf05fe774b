import { refuse, type ExternalOutcomeAnswer, type Result } from '@breakwater/contract';
import { externalOutcome } from '@breakwater/contract/tools';
import { idempotencyOf } from '../agents/index.ts';
import { standing, type Clock, type ProvenOperator } from '../runtime/index.ts';
import type { Outcomes } from './service.ts';

const TIMEOUT_MS = 15_000;

/**
 * Outcomes that an operator's program saw: the only way by which a caller may say that the server or somebody outside
 * observed a result (BW-outcomes.01). `secret` is the operator's credential, as the transport found it.
 *
 * Refusals: OPERATOR_REQUIRED for anybody but an operator that may act, PARAMETER_ERROR with every wrong field, and those
 * of {@link Outcomes.record}.
 */
export class HarnessOutcomes {
  readonly #options: {
    outcomes: Outcomes;
    operatorOf: (secret: string) => Promise<ProvenOperator | undefined>;
    clock: Clock;
  };

  constructor(options: {
    outcomes: Outcomes;
    operatorOf: (secret: string) => Promise<ProvenOperator | undefined>;
    clock: Clock;
  }) {
    this.#options = options;
  }

  async record(secret: string | undefined, body: unknown): Promise<Result<ExternalOutcomeAnswer>> {
    const { outcomes, operatorOf, clock } = this.#options;
    const operator = secret === undefined ? undefined : await operatorOf(secret);
    if (operator?.act !== true) {
      return refuse('OPERATOR_REQUIRED', 'Only an operator that may act (scope act) reports an outcome of an agent.');
    }
    const parsed = externalOutcome.safeParse(body);
    if (!parsed.success) {
      const problems = parsed.error.issues.map(({ path, message }) => ({ field: path.join('.') || '(body)', message }));
      const [first] = problems;
      return refuse('PARAMETER_ERROR', `${first?.field ?? '(body)'}: ${first?.message ?? 'is wrong'}`, {
        details: { problems },
      });
    }
    const { agent_uuid: agentId, verification_source: source, session_id: session, ...args } = parsed.data;
    const repeat = idempotencyOf({ agentId, source, session, ...args });
    return standing(operator.grounds, () =>
      outcomes.record({
        agentId,
        args,
        sessionKey: session ?? null,
        deadline: clock.now() + TIMEOUT_MS,
        external: {
          operator: operator.name,
          source,
          // The agent's own keys are of another kind: one must not meet an operator's by chance.
          idempotency: repeat && { ...repeat, key: `operator:${repeat.key}` },
        },
      }),
    );
  }
}
