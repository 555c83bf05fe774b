import type { StandingWord } from '@breakwater/contract';
import type { CheckIn } from './check-in.ts';

/**
 * How a check-in leaves its agent, in one word, by the rule of `standingWord`: one that pauses is never safe, and one that
 * nothing measured is not called safe either.
 */
export const wordOf = ({ decision, measured, verdictWord }: CheckIn): StandingWord =>
  decision.action === 'pause' ? 'paused' : measured ? verdictWord : 'unmeasured';
