import { CLAIMS_LIMITS } from '@breakwater/contract';
import { checkedIn, coverageAt, resultRecorded, silenceValue } from '../../src/agents/coverage.ts';
import type { CoverageAccount } from '../../src/agents/agent.ts';
import type { Random } from '../../src/runtime/index.ts';
import { mean, share, type Row } from '../figure.ts';

const HOUR = 3_600_000;
const LIFE = 24 * HOUR;
/** Later than a claim lives, so that claims meet their end one after the other. */
const EVERY = LIFE + 6 * HOUR;
const MOST_CLAIMS = 1_000;

/** After how many claims the silence detector reaches a value, when that share of claims is settled; undefined: never. */
const claimsUntil = (coverage: number, limit: number, random: Random): number | undefined => {
  let account: CoverageAccount | undefined;
  for (let i = 1; i <= MOST_CLAIMS; i += 1) {
    const now = i * EVERY;
    const expiresAt = now + LIFE;
    account = checkedIn(account, { claimed: true, expiresAt, now });
    if (random() < coverage)
      account = resultRecorded(account, { graded: true, claimExpiresAt: expiresAt, now: now + 1 });
    else account = coverageAt(account, expiresAt + 2 * HOUR);
    if (silenceValue(account) >= limit) return i;
  }
  return undefined;
};

const found = (coverage: number, limit: number, study: string, agents: number): Row => {
  const id = `silence/${coverage}-${limit}`;
  const says = `records ${coverage === 0 ? 'nothing' : `${coverage} of its claims`}: claims until the silence detector reads ${limit}`;
  return {
    name: id,
    about: says,
    run: (random, effort) => {
      const ends = Array.from(
        { length: effort.of(agents, 1) },
        () => claimsUntil(coverage, limit, random) ?? MOST_CLAIMS,
      );
      const figure =
        ends.length === 1 ? { value: ends[0] ?? 0, low: ends[0] ?? 0, high: ends[0] ?? 0, n: 1 } : mean(ends);
      return [{ ...figure, id, says, unit: 'claims', study }];
    },
  };
};

const honest = (coverage: number): Row => {
  const id = `silence/honest-${coverage}`;
  const says = `records ${coverage} of its claims: asked about within 1,000 claims`;
  return {
    name: id,
    about: says,
    run: (random, effort) => {
      const agents = effort.of(300);
      let asked = 0;
      for (let i = 0; i < agents; i += 1)
        if (claimsUntil(coverage, CLAIMS_LIMITS.pause, random) !== undefined) asked += 1;
      return [{ ...share(asked, agents), id, says, unit: 'share', study: '0 of 500', aim: { most: 0.01 } }];
    },
  };
};

/** How soon an agent is noticed that does not record its results. */
export const silenceRows: readonly Row[] = [
  found(0, CLAIMS_LIMITS.guide, '7', 1),
  found(0, CLAIMS_LIMITS.pause, '13', 1),
  found(0.3, CLAIMS_LIMITS.guide, '22', 500),
  found(0.3, CLAIMS_LIMITS.pause, '72', 500),
  honest(0.8),
  honest(0.98),
];
