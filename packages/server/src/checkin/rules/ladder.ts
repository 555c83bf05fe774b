import {
  CLAIMS_LIMITS,
  type Action,
  type Basin,
  type SubAction,
  type Verdict,
  type VerdictWord,
} from '@breakwater/contract';
import { leadingComponent, type RiskComponents } from './assessment.ts';
import type { ClaimsReading, SilenceReading } from './evidence.ts';
import type { Margin } from './margin.ts';

/** What the ladder looks at, and nothing else. */
export interface LadderInput {
  readonly claims: ClaimsReading;
  /** What became of the claims; absent: not counted. */
  readonly coverage?: SilenceReading | undefined;
  /** How many other agents failed in the last hour; asked for when claims pause. */
  readonly others?: (() => { readonly agents: number; readonly failing: number }) | undefined;
  /** raw: as assessed; final: with the state's velocity; gated: mean of the last ten finals. */
  readonly risk: { readonly raw: number; readonly final: number; readonly gated: number };
  /** As assessed, before oscillation has its say. */
  readonly verdict: VerdictWord;
  readonly resonant: boolean;
  readonly components: RiskComponents;
  readonly basin: Basin;
  readonly voidActive: boolean;
  readonly margin: Margin;
  /** Number of this check-in, from 1. */
  readonly checkIn: number;
}

/** What the ladder decided, and what made it decide so: at most 120 characters. */
export interface Ruling {
  readonly action: Action;
  readonly sub_action: SubAction;
  readonly reason: string;
  readonly guidance?: string;
  readonly critical?: true;
}

/** The detector's values at which claims guide, and at which they pause (spec checkin 2.12). */
export const RISK_CEILING = 0.7;
const RISK_CRITICAL = 0.8;
const RISK_NEAR = 0.2;
const GATED_APPROVE = 0.45;
const GATED_GUIDE = 0.7;
const WARMUP_CHECK_INS = 3;

/** An oscillating judgement cannot be called safe. */
export const withOscillation = (verdict: VerdictWord, resonant: boolean): VerdictWord =>
  resonant && verdict === 'safe' ? 'caution' : verdict;

const shown = (value: number | null): string => (value === null ? 'unknown' : value.toFixed(2));

const claimsText = ({ graded, meanClaim, accuracy }: ClaimsReading): string =>
  `${graded} graded outcomes, mean claim ${shown(meanClaim)}, accuracy ${shown(accuracy)}`;

const othersText = (others: { readonly agents: number; readonly failing: number } | undefined): string =>
  others === undefined || others.agents === 0 ? '' : `; ${others.failing} other agents failed that hour`;

const leadingText = (components: RiskComponents): string => {
  const leading = leadingComponent(components);
  return leading === undefined ? 'no component' : leading;
};

const marginText = ({ word, edge, distance }: Margin): string =>
  edge === null ? `margin ${word}` : `margin ${word}, ${distance.toFixed(2)} to the ${edge} edge`;

/** The edges that a state has crossed or is near, in words. */
const edgesOf = ({ basin, voidActive, risk }: LadderInput): string =>
  [
    basin === 'low' ? 'basin low' : '',
    voidActive ? 'void active' : '',
    risk.final >= RISK_NEAR ? `risk ${risk.final.toFixed(2)} at or above ${RISK_NEAR.toFixed(2)}` : '',
  ]
    .filter((text) => text !== '')
    .join(', ');

const pause = (sub_action: SubAction, reason: string, critical = false): Ruling => ({
  action: 'pause',
  sub_action,
  reason,
  ...(critical && { critical }),
});

const guide = (reason: string, guidance: string): Ruling => ({
  action: 'proceed',
  sub_action: 'guide',
  reason,
  guidance,
});

/**
 * The decision ladder (spec checkin 3): the first rung that matches decides. Only two things pause: claims that results
 * contradict, with a stated false-alarm rate, and absolute danger. Basin, void and oscillation guide, because they do
 * not separate good work from bad.
 *
 * A high final risk never meets an approval: the fifth rung already guides from 0.20.
 */
export const decide = (input: LadderInput): Ruling => {
  const { claims, risk, components } = input;
  const verdict = withOscillation(input.verdict, input.resonant);

  if (claims.value >= CLAIMS_LIMITS.pause && claims.graded >= CLAIMS_LIMITS.leastGraded) {
    return pause('claims_pause', `claims against results: ${claimsText(claims)}${othersText(input.others?.())}`);
  }
  if (risk.final > RISK_CEILING) {
    const reason = `risk ${risk.final.toFixed(2)} above the ceiling ${RISK_CEILING.toFixed(2)}, led by ${leadingText(components)}`;
    return pause('cirs_block', reason, risk.final >= RISK_CRITICAL);
  }
  if (verdict === 'high-risk') {
    const reason = `high risk ${risk.raw.toFixed(2)}, led by ${leadingText(components)}`;
    return pause('risk_pause', reason, risk.raw >= RISK_CRITICAL);
  }
  if (claims.value >= CLAIMS_LIMITS.guide) {
    return guide(`claims against results: ${claimsText(claims)}`, 'Claim less, or check the work before you claim it.');
  }
  const { coverage } = input;
  if (coverage !== undefined && coverage.silence >= CLAIMS_LIMITS.guide) {
    return guide(
      `silence: ${coverage.expired} of ${coverage.settled + coverage.expired} claims expired without a result`,
      'Record what came of the work: record_result with the prediction_id and its evidence.',
    );
  }
  if (input.basin === 'low' || input.voidActive || risk.final >= RISK_NEAR) {
    const structural = input.basin === 'low' || input.voidActive;
    return structural && input.checkIn <= WARMUP_CHECK_INS
      ? guide('warming_up', `Too early to judge: ${edgesOf(input)}. Carry on.`)
      : guide(edgesOf(input), 'Slow down: smaller steps, and verify each one.');
  }
  if (verdict === 'caution') {
    const reason =
      input.verdict === 'safe' ? 'caution: the judgement oscillates' : `caution, led by ${leadingText(components)}`;
    return guide(reason, 'Keep to one line of work until the readings settle.');
  }
  if (risk.gated < GATED_APPROVE) {
    return { action: 'proceed', sub_action: 'approve', reason: marginText(input.margin) };
  }
  if (risk.gated < GATED_GUIDE) {
    return guide(
      `recent risk ${risk.gated.toFixed(2)}; ${marginText(input.margin)}`,
      'Recent work was risky; verify it.',
    );
  }
  return pause('reject', `recent risk ${risk.gated.toFixed(2)} at or above ${GATED_GUIDE.toFixed(2)}`);
};

/** The ruling in one word, for readers that know only one. */
export const verdictOf = ({ action, sub_action }: Ruling): Verdict => {
  if (action === 'pause') return sub_action === 'reject' ? 'reject' : 'pause';
  return sub_action === 'guide' ? 'guide' : 'proceed';
};
