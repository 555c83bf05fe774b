import type { StandingWord } from '@breakwater/contract';
import type { Vitals } from './agent.ts';

/**
 * Whether anything but the agent's own words stands behind its risk: a graded result, or an attached tool result with its
 * exit code. Without, what is computed measures how little was reported, and an agent would look the safer the less it says.
 */
export const isMeasured = ({ measured, calibration }: Pick<Vitals, 'measured' | 'calibration'>): boolean =>
  measured === true || calibration.graded > 0;

/** The risk as it is shown: null, which is unknown, for an agent without evidence. Decisions use the computed one. */
export const shownRisk = (vitals: Vitals | null): number | null =>
  vitals !== null && isMeasured(vitals) ? vitals.risk : null;

/**
 * How an agent stands, in the one word that answers, lists and pages show: `paused` before all, as a paused agent is never
 * safe; `unmeasured` without evidence; else safe, caution or high-risk.
 */
export const standingWord = (
  vitals: Pick<Vitals, 'measured' | 'calibration' | 'risk_word'>,
  isPaused: boolean,
): StandingWord => (isPaused ? 'paused' : isMeasured(vitals) ? vitals.risk_word : 'unmeasured');
