import {
  acceptConditions,
  parseCondition,
  storeConditions,
  type StoredCondition,
} from '../src/dialectic/rules/conditions.ts';
import { capComplexity, escalate, type Severity } from '../src/dialectic/rules/enforcement.ts';
import { several, type Adapter } from './adapter.ts';

const HOUR = 3_600_000;

type Fields = Readonly<Record<string, unknown>>;

const parsed = (text: string): unknown => {
  const condition = parseCondition(text);
  switch (condition.kind) {
    case 'unreadable':
      return null;
    case 'text':
      return { action: 'unknown' };
    case 'command': {
      const { action, target, value, unit } = condition;
      return { action, target, value, unit };
    }
  }
};

/** What the vectors say of a condition, without what the code does not tell: its own words, and what is no command. */
const parsedThere = (expected: Fields | null): unknown => {
  if (expected === null) return null;
  const { action, target, value, unit } = expected;
  return action === 'unknown' ? { action } : { action, target, value, unit };
};

const KINDS: Readonly<Record<string, string>> = {
  complexity_limit: 'complexity_cap',
  complexity_adjustment: 'complexity_cap',
  // Stored and never enforced in the vectors; a risk target here, which is what the words say.
  risk_score_limit: 'risk_target',
  monitoring_duration: 'monitoring',
};

/** A stored condition, in whatever words. */
interface Stored {
  readonly kind: string | undefined;
  readonly amount: number | undefined;
  readonly at: number;
}

const amountOf = (condition: StoredCondition): number | undefined => {
  if ('limit' in condition) return condition.limit;
  return 'durationMs' in condition ? condition.durationMs / HOUR : undefined;
};

interface ApplyVector {
  readonly input: { readonly condition: string; readonly now?: string };
  readonly expected: {
    /** null: there is no such agent. */
    readonly stored:
      | readonly {
          readonly type: string;
          readonly value?: number;
          readonly target_value?: number;
          readonly applied_at: string;
        }[]
      | null;
  };
}

const applied = ({ condition, now }: ApplyVector['input']): readonly Stored[] | 'refused' => {
  const accepted = acceptConditions([condition]);
  if (!accepted.ok) return 'refused';
  return storeConditions([], accepted.value, now === undefined ? 0 : Date.parse(now)).map((one) => ({
    kind: one.kind,
    amount: amountOf(one),
    at: one.appliedAt,
  }));
};

interface CarriedCondition {
  readonly type: string;
  readonly value?: number;
  readonly applied_at: string;
  readonly duration_hours?: number;
}

interface EnforcementVector {
  readonly kind: 'post_ode' | 'complexity';
  readonly input: {
    readonly conditions: readonly CarriedCondition[];
    readonly metrics: { readonly risk_score: number };
    readonly decision: { readonly action: Severity; readonly reason?: string };
    readonly complexity: number;
    readonly now: string;
  };
  readonly expected: {
    readonly decision: { readonly action: string; readonly reason?: string; readonly dialectic_escalated?: true };
    readonly warnings: readonly string[];
    readonly complexity: number;
    readonly warning: string | null;
  };
}

const CARRIED: Readonly<Record<string, 'complexity_cap' | 'risk_target'>> = {
  complexity_limit: 'complexity_cap',
  risk_target: 'risk_target',
};

/** The monitoring of a resolution bounds all that was stored with it. */
const hoursOf = (conditions: readonly CarriedCondition[], one: CarriedCondition): number | undefined =>
  one.duration_hours ??
  conditions.find(({ type, applied_at }) => type === 'monitoring_duration' && applied_at === one.applied_at)?.value;

const carriedIn = (conditions: readonly CarriedCondition[]): readonly StoredCondition[] =>
  conditions.flatMap((one) => {
    const kind = CARRIED[one.type];
    if (kind === undefined) return [];
    const appliedAt = Date.parse(`${one.applied_at}Z`);
    const hours = hoursOf(conditions, one);
    const expiresAt = hours === undefined ? null : appliedAt + hours * HOUR;
    return [{ text: '', kind, limit: Number(one.value), appliedAt, expiresAt }];
  });

const isLimit = (value: unknown): boolean => typeof value === 'number' && value >= 0 && value < 1;

const ACTIONS: ReadonlySet<string> = new Set<Severity>(['proceed', 'guide', 'pause', 'reject']);

/** Adapters of conditions, by the `schema` that a vector file carries. */
export const CONDITION_ADAPTERS: Readonly<Record<string, Adapter>> = {
  'golden.dialectic.condition_parse.v1': several((v: { readonly input: string; readonly expected: Fields | null }) => [
    { at: '', got: parsed(v.input), expected: parsedThere(v.expected) },
  ]),
  'golden.dialectic.condition_apply.v1': several((v: ApplyVector) => [
    {
      at: '',
      got: applied(v.input),
      expected:
        v.expected.stored?.map(({ type, value, target_value, applied_at }) => ({
          kind: KINDS[type] ?? type,
          amount: value ?? target_value,
          at: Date.parse(`${applied_at}Z`),
        })) ?? 'no agent',
    },
  ]),
  'golden.dialectic.enforcement.v1': several(({ kind, input, expected }: EnforcementVector) => {
    if (input.conditions.some(({ type, value }) => CARRIED[type] !== undefined && !isLimit(value))) {
      return [{ at: '', got: 'no agent carries such a condition', expected }];
    }
    const carried = carriedIn(input.conditions);
    const now = Date.parse(input.now);
    if (kind === 'complexity') {
      const { complexity, warning } = expected;
      return [{ at: '', got: capComplexity(carried, input.complexity, now), expected: { complexity, warning } }];
    }
    const { action, reason = '' } = input.decision;
    if (!ACTIONS.has(action)) return [{ at: '', got: 'no decision is called so', expected }];
    return [
      {
        at: '',
        got: escalate(carried, input.metrics.risk_score, { action, reason }, now),
        expected: {
          action: expected.decision.action,
          reason: expected.decision.reason ?? '',
          escalated: expected.decision.dialectic_escalated ?? false,
          warnings: expected.warnings,
        },
      },
    ];
  }),
};
