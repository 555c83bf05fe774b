import type { Random } from '../src/runtime/index.ts';

/** What is done to a node, to its network, or to PostgreSQL under all of them. */
export const FAULTS = [
  'kill',
  'freeze',
  'restart',
  'refuse',
  'hang',
  'delay',
  'half_open',
  'unlisten',
  'absent_standby',
  'standby',
  'failover',
] as const;
export type Fault = (typeof FAULTS)[number];

/** While one of these lasts, no write can commit: on the node that it is done to, or on all. */
export const OUTAGES: ReadonlySet<Fault> = new Set(['refuse', 'hang', 'absent_standby', 'standby']);
/** These are done to PostgreSQL or its address, and so to every node. */
export const OF_ALL: ReadonlySet<Fault> = new Set(['absent_standby', 'standby', 'failover']);

/** A fault: on which node, for how long, and how long all is well after it. */
export interface PlannedFault {
  readonly fault: Fault;
  readonly node: number;
  readonly forMs: number;
  readonly thenMs: number;
}

/** Shortest and longest of each, ms. An outage lasts longer than readiness may take to say so. */
const LENGTHS: Readonly<Record<Fault, readonly [number, number]>> = {
  kill: [200, 1_500],
  freeze: [500, 4_000],
  restart: [0, 500],
  refuse: [5_500, 8_000],
  hang: [5_500, 8_000],
  delay: [2_000, 4_000],
  half_open: [1_000, 10_000],
  unlisten: [500, 2_000],
  absent_standby: [5_500, 8_000],
  standby: [5_500, 8_000],
  failover: [1_000, 2_000],
};

const between = (random: Random, [least, most]: readonly [number, number]): number =>
  Math.round(least + random() * (most - least));

const shuffled = <T>(random: Random, all: readonly T[]): T[] =>
  all
    .map((one) => [random(), one] as const)
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one);

/**
 * The schedule of a seed: every fault of `faults` in some order, again and again until `seconds` are full. There is one
 * failover at most, and nothing but faults of nodes and their network after it: the standby is the primary then, and has none.
 */
export const planFaults = (options: {
  random: Random;
  nodes: number;
  seconds: number;
  faults: readonly Fault[];
}): PlannedFault[] => {
  const { random, nodes, seconds, faults } = options;
  const planned: PlannedFault[] = [];
  let left = seconds * 1000;
  let hasStandby = true;
  while (left > 0) {
    const possible = faults.filter((fault) => hasStandby || !OF_ALL.has(fault));
    if (possible.length === 0) break;
    const withoutFailover = shuffled(
      random,
      possible.filter((fault) => fault !== 'failover'),
    );
    const round = possible.includes('failover') ? [...withoutFailover, 'failover' as const] : withoutFailover;
    for (const fault of round) {
      if (left <= 0) break;
      const one = {
        fault,
        node: Math.floor(random() * nodes),
        forMs: between(random, LENGTHS[fault]),
        thenMs: between(random, [800, 2_000]),
      };
      planned.push(one);
      left -= one.forMs + one.thenMs;
      if (fault === 'failover') hasStandby = false;
    }
  }
  return planned;
};
