import { CLAIMS_LIMITS } from '@breakwater/contract';
import type { OtherAgents } from './fleet-guard.ts';

/** One claim and what came of it: both 0 to 1. */
export interface ClaimAndResult {
  readonly claim: number;
  readonly result: number;
}

/** What the detector remembers of an agent. */
export interface ClaimsState {
  /** Wealth of each bet of {@link BETS}, in that order. */
  readonly bets: readonly number[];
  readonly graded: number;
  readonly sumClaim: number;
  readonly sumResult: number;
  /** The newest ten, oldest first. */
  readonly recent: readonly ClaimAndResult[];
}

/** How much of its wealth each bet puts on the next result: timid ones find small gaps, bold ones find large gaps fast. */
export const FRACTIONS = [0.1, 0.25, 0.5] as const;

/** A bet is placed only on claims from here on: trivial successes that are claimed low cannot pay for what is claimed high. */
const BANDS = [0, 0.8] as const;

/** Every fraction in every band: all fractions of the lowest band first. */
export const BETS = BANDS.flatMap((least) => FRACTIONS.map((fraction) => ({ least, fraction })));

/** Results may fall this far short of the claim before it counts against the agent. */
const TOLERANCE = 0.05;
/** Growth stops far above every threshold: JSON has no infinity, and more would say nothing new. */
const CEILING = 1e9;
const RECENT = 10;

export const freshClaims: ClaimsState = {
  bets: BETS.map(() => 1),
  graded: 0,
  sumClaim: 0,
  sumResult: 0,
  recent: [],
};

/**
 * By how much one bet's wealth is multiplied. Its expectation is at most 1 for every agent whose result is at least its
 * claim less five points on average, and it is never negative: a supermartingale, whatever the mix of claims.
 */
export const growth = (fraction: number, { claim, result }: ClaimAndResult): number => {
  const owed = Math.min(0.95, Math.max(0, claim - TOLERANCE));
  return 1 + (fraction / (1 - owed)) * (owed - result);
};

/**
 * Holds one graded result against the claim made before it (spec checkin 2.12): an e-detector for a change in mean,
 * after Shin, Ramdas and Rinaldo 2022. A bet that lost starts again at 1, so a good past cannot hide a bad present.
 * Whether a bet is placed depends on the claim alone, which is known before the result. The mean number of results until
 * an honest agent reaches a value L is at least L.
 */
export const observeClaim = (state: ClaimsState, observed: ClaimAndResult): ClaimsState => ({
  bets: BETS.map(({ least, fraction }, i) => {
    const wealth = Math.max(state.bets[i] ?? 1, 1);
    return observed.claim >= least ? Math.min(CEILING, wealth * growth(fraction, observed)) : wealth;
  }),
  graded: state.graded + 1,
  sumClaim: state.sumClaim + observed.claim,
  sumResult: state.sumResult + observed.result,
  recent: [...state.recent, observed].slice(-RECENT),
});

/** The detector's value M: 1 says nothing, the larger the stronger the evidence that claims run ahead of results. */
export const claimsValue = ({ bets }: ClaimsState): number => bets.reduce((sum, bet) => sum + bet, 0) / bets.length;

export const claimsDemandPause = (state: ClaimsState): boolean =>
  state.graded >= CLAIMS_LIMITS.leastGraded && claimsValue(state) >= CLAIMS_LIMITS.pause;

/** Mean claim and accuracy over all graded outcomes of this account; null before the first. */
export const claimsMeans = (state: ClaimsState): { meanClaim: number | null; accuracy: number | null } =>
  state.graded === 0
    ? { meanClaim: null, accuracy: null }
    : { meanClaim: state.sumClaim / state.graded, accuracy: state.sumResult / state.graded };

/** How many failed beside it, which tells an outage from one agent's fault; nothing when no other agent had a result. */
const othersText = (others: OtherAgents | undefined): string =>
  others === undefined || others.agents === 0
    ? ''
    : ` In the same hour ${others.failing} of ${others.agents} other agents with results had failures.`;

/** A pause that the detector asks for: a sentence for people, and what it stands on for programs. */
export interface ClaimsPause {
  readonly reason: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** States claim, accuracy and how many outcomes stand behind them (BW-checkin.13). */
export const claimsPause = (state: ClaimsState, others?: OtherAgents): ClaimsPause => {
  const value = claimsValue(state);
  const { meanClaim, accuracy } = claimsMeans(state);
  const latest = state.recent.length;
  const mean = (pick: (one: ClaimAndResult) => number) =>
    state.recent.reduce((sum, one) => sum + pick(one), 0) / latest;
  const show = (x: number | null) => (x ?? 0).toFixed(2);
  return {
    reason:
      `Claims run ahead of results: mean claim ${show(meanClaim)}, accuracy ${show(accuracy)} over n=${state.graded} ` +
      `graded outcomes; the last ${latest} were claimed at ${show(mean((one) => one.claim))} and came to ` +
      `${show(mean((one) => one.result))}.${othersText(others)}`,
    evidence: {
      detector: 'claims',
      value,
      limit: CLAIMS_LIMITS.pause,
      graded: state.graded,
      mean_claim: meanClaim,
      accuracy,
      ...(others && { other_agents: { with_results: others.agents, failing: others.failing } }),
      recent: state.recent.map(({ claim, result }) => ({ claim, result })),
    },
  };
};
