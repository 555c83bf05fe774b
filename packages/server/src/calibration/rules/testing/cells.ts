import type { Cell } from '../tally.ts';
import { DAY_MS } from '../../../runtime/index.ts';

/** A claim as a test states it: what was claimed, and, when it is graded, what came of it. */
export interface Claim {
  readonly claim: number;
  /** Undefined: nothing showed the result. */
  readonly result?: number | undefined;
  readonly channel?: string;
  readonly claimClass?: string | null;
  readonly healthy?: boolean | null;
  readonly gap?: number | null;
  /** ms since the epoch. */
  readonly at?: number;
}

export const NOW = Date.UTC(2026, 5, 20, 12);

/** One claim as counted: a cell of its own. */
export const cellOf = (one: Claim): Cell => {
  const { claim, result, channel = 'tests', claimClass = 'agent_report', healthy = true, gap = null } = one;
  const at = one.at ?? NOW - 1000;
  const graded = result !== undefined;
  return {
    day: Math.floor(at / DAY_MS) * DAY_MS,
    channel,
    claimClass,
    bin: Math.min(9, Math.floor(claim * 10)),
    claims: 1,
    sumClaim: claim,
    leastClaim: claim,
    mostClaim: claim,
    judged: healthy === null ? 0 : 1,
    sumJudgedClaim: healthy === null ? 0 : claim,
    healthy: healthy === true ? 1 : 0,
    graded: graded ? 1 : 0,
    sumGradedClaim: graded ? claim : 0,
    sumResult: result ?? 0,
    sumSquaredResult: (result ?? 0) ** 2,
    sumSquaredError: graded ? (claim - result) ** 2 : 0,
    newestGraded: graded ? at : null,
    complexities: gap === null ? 0 : 1,
    complexityFar: gap !== null && gap > 0.3 ? 1 : 0,
  };
};

/** `n` equal claims of which `good` came true, as cells. */
export const claims = (n: number, good: number, claim: number, more: Partial<Claim> = {}): Cell[] =>
  Array.from({ length: n }, (_, i) => cellOf({ claim, result: i < good ? 1 : 0, ...more }));
