import { claimsDemandPause, freshClaims, observeClaim } from '../../src/outcomes/rules/claims.ts';
import { FleetHour, minuteOf } from '../../src/outcomes/rules/fleet-guard.ts';
import type { Random } from '../../src/runtime/index.ts';
import { bernoulli } from '../agents.ts';
import { share, type Row } from '../figure.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const AGENTS = 100;
/** Between two results of an agent: six an hour. */
const EVERY = 10 * MINUTE;
const BEFORE_HOURS = 5;
const AFTER_HOURS = 1;

interface Outage {
  readonly hours: number;
  /** Of the agents, that share is hit: all that they do fails. */
  readonly hit: number;
  readonly guarded: boolean;
}

/** How many of a fleet's honest agents are paused in an outage or in the hour after it. Claims are .5 to .95, calibrated. */
const pausedInFleet = ({ hours, hit, guarded }: Outage, random: Random): number => {
  const fleet = Array.from({ length: AGENTS }, (_, i) => ({
    id: String(i),
    phase: random() * EVERY,
    isHit: i < hit * AGENTS,
    claims: freshClaims,
    paused: false,
  }));
  const hour = new FleetHour();
  const begins = BEFORE_HOURS * HOUR;
  const ends = begins + hours * HOUR;
  const results = fleet
    .flatMap((agent) =>
      Array.from({ length: (BEFORE_HOURS + hours + AFTER_HOURS) * (HOUR / EVERY) }, (_, i) => ({
        agent,
        at: agent.phase + i * EVERY,
      })),
    )
    .sort((a, b) => a.at - b.at);
  let forgotten = 0;
  for (const { agent, at } of results) {
    // A paused agent records nothing; one that was paused by chance before the outage is not of it.
    if (agent.paused) continue;
    const claim = 0.5 + 0.45 * random();
    const out = agent.isHit && at >= begins && at < ends;
    const result = out ? 0 : bernoulli(random, claim);
    const held = guarded && hour.others(agent.id, at).isOutage;
    if (!held) agent.claims = observeClaim(agent.claims, { claim, result });
    hour.add({ agentId: agent.id, minute: minuteOf(at), results: 1, sumClaim: claim, failed: 1 - result });
    if (at - forgotten > MINUTE) {
      hour.forget(at);
      forgotten = at;
    }
    if (!held && claimsDemandPause(agent.claims)) {
      if (at < begins) agent.claims = freshClaims;
      else agent.paused = true;
    }
  }
  return fleet.filter(({ paused }) => paused).length;
};

const row = (outage: Outage, study: string, most?: number): Row => {
  const { hours, hit, guarded } = outage;
  const id = `outage/${hit === 1 ? 'fleet' : 'half'}-${hours}h${guarded ? '' : '-unguarded'}`;
  const about = `100 honest agents, 6 results an hour; ${hit === 1 ? 'all' : 'half'} of them fail for ${hours} h, ${guarded ? 'with' : 'without'} the fleet guard`;
  return {
    name: id,
    about,
    run: (random, effort) => {
      const fleets = effort.of(40, 3);
      let paused = 0;
      for (let i = 0; i < fleets; i += 1) paused += pausedInFleet(outage, random);
      return [
        {
          ...share(paused, fleets * AGENTS),
          id,
          says: `${about}: paused`,
          unit: 'share',
          study,
          ...(most !== undefined && { aim: { most } }),
        },
      ];
    },
  };
};

/** What an outage that hits many agents at once does to the honest ones. */
export const outageRows: readonly Row[] = [
  row({ hours: 1, hit: 1, guarded: true }, '0.0028', 0.01),
  row({ hours: 2, hit: 1, guarded: true }, '0.0028', 0.01),
  row({ hours: 4, hit: 1, guarded: true }, '0.0028', 0.01),
  row({ hours: 1, hit: 1, guarded: false }, '0.31'),
  row({ hours: 2, hit: 1, guarded: false }, '0.83'),
  row({ hours: 4, hit: 1, guarded: false }, '1'),
  row({ hours: 2, hit: 0.5, guarded: true }, '0.095'),
  row({ hours: 2, hit: 0.5, guarded: false }, '0.53'),
];
