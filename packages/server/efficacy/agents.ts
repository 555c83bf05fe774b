import type { ClaimAndResult } from '../src/outcomes/rules/claims.ts';
import type { Random } from '../src/runtime/index.ts';

/** One agent's graded results, one after the other; each call is the next. */
export type Stream = () => ClaimAndResult;
/** Makes a fresh agent. Everything by chance comes from `random`. */
export type Shape = (random: Random) => Stream;

export const bernoulli = (random: Random, chance: number): number => (random() < chance ? 1 : 0);

/** Claims `claim` and is right with chance `truth`, independently. */
export const steady =
  (claim: number, truth: number): Shape =>
  (random) =>
  () => ({ claim, result: bernoulli(random, truth) });

/** Claims from `from` to `to` at random, and comes `short` of each. */
export const spread =
  (from: number, to: number, short = 0): Shape =>
  (random) =>
  () => {
    const claim = from + (to - from) * random();
    return { claim, result: bernoulli(random, Math.max(0, claim - short)) };
  };

/** Right on average: each claim is up to `noise` above or below its truth, which is from `from` to `to`. */
export const noisy =
  (from: number, to: number, noise: number): Shape =>
  (random) =>
  () => {
    const truth = from + (to - from) * random();
    return { claim: truth + noise * (2 * random() - 1), result: bernoulli(random, truth) };
  };

/** Right on average: each claim is exactly `noise` above or below its truth, as chance has it. */
export const offBy =
  (from: number, to: number, noise: number): Shape =>
  (random) =>
  () => {
    const truth = from + (to - from) * random();
    return { claim: truth + (random() < 0.5 ? noise : -noise), result: bernoulli(random, truth) };
  };

/** Claims its mean; failures come in spells of mean length `length` and accuracy `inSpell`, between which all goes well. */
export const spells =
  (claim: number, length: number, inSpell: number): Shape =>
  (random) => {
    // The share of results within a spell that makes the mean the claim, and the chance after each good one to begin it.
    const within = (1 - claim) / (1 - inSpell);
    const begins = within / (length * (1 - within));
    let bad = random() < within;
    return () => {
      const result = bad ? bernoulli(random, inSpell) : 1;
      bad = bad ? random() >= 1 / length : random() < begins;
      return { claim, result };
    };
  };

/** Claims its mean; every `size` results in a row share one fate. */
export const sharedFates =
  (claim: number, size: number): Shape =>
  (random) => {
    let left = 0;
    let result = 1;
    return () => {
      if (left === 0) {
        left = size;
        result = bernoulli(random, claim);
      }
      left -= 1;
      return { claim, result };
    };
  };

/** Half of the jobs are claimed at .95 and come true in .65; the others at .6 and come true in .85. */
export const selective: Shape = (random) => () =>
  random() < 0.5 ? { claim: 0.95, result: bernoulli(random, 0.65) } : { claim: 0.6, result: bernoulli(random, 0.85) };

/** As {@link selective} claims, with every claim as true as it says. */
export const selectiveBefore: Shape = (random) => () => {
  const claim = random() < 0.5 ? 0.95 : 0.6;
  return { claim, result: bernoulli(random, claim) };
};

/** Claims `claim`, and is right ever less often: from `claim` down to `to` over so many results, and `to` from then on. */
export const drifting =
  (claim: number, to: number, over: number): Shape =>
  (random) => {
    let i = 0;
    return () => {
      const truth = claim + (to - claim) * Math.min(1, i / over);
      i += 1;
      return { claim, result: bernoulli(random, truth) };
    };
  };

/** A delay in minutes, exponential with this median. */
export const delay = (random: Random, median: number): number => (-median / Math.LN2) * Math.log(1 - random());
