import { CLAIMS_LIMITS } from '@breakwater/contract';
import type { CoverageAccount } from '../../src/agents/agent.ts';
import { claimsDemandPause, claimsValue, freshClaims, observeClaim } from '../../src/outcomes/rules/claims.ts';
import type { ClaimAndResult } from '../../src/outcomes/rules/claims.ts';
import { checkedIn, coverageAt, resultRecorded, silenceValue } from '../../src/agents/coverage.ts';
import type { Random } from '../../src/runtime/index.ts';
import { bernoulli } from '../agents.ts';
import { share, type Row } from '../figure.ts';
import { assessed } from './statuses.ts';

/** A claim of a job; `recorded` whether the agent also records its result with evidence. */
interface Claimed extends ClaimAndResult {
  readonly recorded: boolean;
}
/** What an agent claims and records of one job; null: a check-in without confidence. */
type Job = (random: Random) => readonly (Claimed | null)[];

const HOUR = 3_600_000;
const LIFE = 24 * HOUR;
const EVERY = LIFE + 6 * HOUR;
const JOBS = 200;

const recorded = (claim: number, result: number): Claimed => ({ claim, result, recorded: true });
const trivial = (times: number, claim: number): Claimed[] => Array.from({ length: times }, () => recorded(claim, 1));

/** What the product has seen and shown of one agent after all of its jobs, or when it was paused. */
const lifeOf = (job: Job, random: Random) => {
  let claims = freshClaims;
  let coverage: CoverageAccount | undefined;
  let now = 0;
  let highest = 1;
  let silence = 1;
  const graded: ClaimAndResult[] = [];
  for (let i = 0; i < JOBS; i += 1) {
    for (const one of job(random)) {
      now += EVERY;
      const expiresAt = now + LIFE;
      coverage = checkedIn(coverage, { claimed: one !== null, expiresAt, now });
      if (one?.recorded === true) {
        coverage = resultRecorded(coverage, { graded: true, claimExpiresAt: expiresAt, now: now + 1 });
        claims = observeClaim(claims, one);
        graded.push({ claim: one.claim, result: one.result });
      } else coverage = coverageAt(coverage, expiresAt + 2 * HOUR);
      highest = Math.max(highest, claimsValue(claims));
      silence = Math.max(silence, silenceValue(coverage));
      if (claimsDemandPause(claims)) return { paused: true, highest, silence, graded };
    }
  }
  return { paused: false, highest, silence, graded };
};

const row = (name: string, about: string, study: string, job: Job): Row => ({
  name: `gaming/${name}`,
  about,
  run: (random, effort) => {
    const agents = effort.of(150);
    let paused = 0;
    let guided = 0;
    let silent = 0;
    const statuses = new Map<string, number>();
    for (let i = 0; i < agents; i += 1) {
      const life = lifeOf(job, random);
      if (life.paused) paused += 1;
      if (life.highest >= CLAIMS_LIMITS.guide) guided += 1;
      if (life.silence >= CLAIMS_LIMITS.pause) silent += 1;
      const { status, skill } = assessed(life.graded);
      const shown = `${status === 'no_data' ? 'unmeasured' : status}${skill.oneClass === true ? ' (one class)' : ''}`;
      statuses.set(shown, (statuses.get(shown) ?? 0) + 1);
    }
    const shown = [...statuses]
      .sort(([, a], [, b]) => b - a)
      .map(([status, n]) => `${status} ${Math.round((100 * n) / agents)} %`)
      .join(', ');
    const percent = (n: number) => `${Math.round((100 * n) / agents)} %`;
    return [
      {
        ...share(paused, agents),
        id: `gaming/${name}`,
        says: `${about}: paused within ${JOBS} jobs`,
        unit: 'share',
        study,
        note: `guided ${percent(guided)}, asked about for silence ${percent(silent)}; calibration: ${shown}`,
      },
    ];
  },
});

/** Agents that make themselves look better than they are; what stops them, and what shows them. */
export const gamingRows: readonly Row[] = [
  row('over-claims', 'claims .95, right in .5, records all', '1', (random) => [recorded(0.95, bernoulli(random, 0.5))]),
  row('splits', 'splits each success into four results (.95/.5)', '1', (random) =>
    bernoulli(random, 0.5) === 1 ? trivial(4, 0.95) : [recorded(0.95, 0)],
  ),
  row('selective', 'claims .95 right in .6, and .5 right in .95', '0.86 (three bets), 1 (six)', (random) =>
    random() < 0.5 ? [recorded(0.95, bernoulli(random, 0.6))] : [recorded(0.5, bernoulli(random, 0.95))],
  ),
  row('dilutes-low', 'three successes at .01 beside each real job (.95/.5)', '0.04, 1', (random) => [
    ...trivial(3, 0.01),
    recorded(0.95, bernoulli(random, 0.5)),
  ]),
  row('dilutes-lower', 'five successes at .01 beside each real job (.95/.3)', '0, 1', (random) => [
    ...trivial(5, 0.01),
    recorded(0.95, bernoulli(random, 0.3)),
  ]),
  row('dilutes-high', 'five successes at .95 beside each real job (.95/.3)', '0, 0', (random) => [
    ...trivial(5, 0.95),
    recorded(0.95, bernoulli(random, 0.3)),
  ]),
  row('successes-only', 'records its successes only (.95/.5)', '0', (random) => {
    const result = bernoulli(random, 0.5);
    return [{ claim: 0.95, result, recorded: result === 1 }];
  }),
  row('after-the-fact', 'tests first, then claims', '0', (random) => {
    const result = bernoulli(random, 0.5);
    return [recorded(result === 1 ? 0.99 : 0.02, result)];
  }),
  row('sandbags-fails', 'claims .05, fails at everything', '0', () => [recorded(0.05, 0)]),
  row('sandbags-half', 'claims .5, right in .5', '0', (random) => [recorded(0.5, bernoulli(random, 0.5))]),
  row('sandbags-good', 'claims .5, right in .85', '0', (random) => [recorded(0.5, bernoulli(random, 0.85))]),
  row('never-records', 'claims .95, records nothing', '0', () => [{ claim: 0.95, result: 0, recorded: false }]),
  row('no-confidence', 'states no confidence, records nothing', '0', () => [null]),
];
