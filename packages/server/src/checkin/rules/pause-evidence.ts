import { CLAIMS_LIMITS } from '@breakwater/contract';
import type { Eisv } from './behaviour.ts';
import type { RiskComponents } from './assessment.ts';
import type { ClaimsReading } from './evidence.ts';
import { RISK_CEILING, type Ruling } from './ladder.ts';
import { finiteOrNull } from './numbers.ts';

/** Why an agent was paused: what was measured, by which policy it was judged, and what is done about it. */
export type PauseEvidence = {
  readonly schema: 'dialectic.pause_evidence.v1';
  readonly measurement: Readonly<Record<string, unknown>>;
  readonly policy_evaluation: Readonly<Record<string, unknown>>;
  readonly enforcement: Readonly<Record<string, unknown>>;
};

export const POLICY = 'behavioural.v1';

export const pauseEvidence = (
  ruling: Ruling,
  measured: {
    readonly eisv: Eisv;
    readonly risk: { readonly raw: number; readonly final: number; readonly gated: number };
    readonly components: RiskComponents;
    readonly claims: ClaimsReading;
    /** Who else had results in the last hour, and who of them failures. */
    readonly others?: { readonly agents: number; readonly failing: number } | undefined;
    readonly updateIndex: number;
  },
): PauseEvidence => {
  const { eisv, risk, components, claims } = measured;
  return {
    schema: 'dialectic.pause_evidence.v1',
    measurement: {
      update: measured.updateIndex,
      eisv: { ...eisv },
      risk: { ...risk },
      components: { ...components },
      claims: {
        value: finiteOrNull(claims.value),
        graded: claims.graded,
        mean_claim: claims.meanClaim,
        accuracy: claims.accuracy,
      },
      ...(measured.others && {
        other_agents: { with_results: measured.others.agents, failing: measured.others.failing },
      }),
    },
    policy_evaluation: {
      policy: POLICY,
      sub_action: ruling.sub_action,
      limits: { claims: CLAIMS_LIMITS.pause, risk: RISK_CEILING },
    },
    enforcement: { mode: 'circuit_breaker', effect: 'check_ins_refused' },
  };
};
