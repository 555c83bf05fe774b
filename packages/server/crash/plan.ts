import { FAULT_POINTS, seededRandom, type FaultPoint } from '../src/runtime/index.ts';
import type { RoundPlan } from './round.ts';

/** How many passes of a point a loaded server makes soon, by what passes it: an onboard, a flush, or a check-in. */
const passesOf = (point: FaultPoint, clients: number): number => {
  if (point.startsWith('onboard.')) return clients * 2;
  return point.startsWith('commit.') ? 90 : clients * 16;
};

/**
 * The crashes of a run: `rounds` at each point, at passes that follow from the seed alone. The first pass of a point is
 * always among them from two rounds on, because nothing is warm then.
 */
export const planRounds = (options: {
  points: readonly FaultPoint[];
  rounds: number;
  clients: number;
  seed: number;
}): RoundPlan[] =>
  options.points.flatMap((point) => {
    const { rounds, clients, seed } = options;
    // Its place among all points, so that a run of one point repeats what a run of all did there.
    const place = (FAULT_POINTS as readonly FaultPoint[]).indexOf(point);
    return Array.from({ length: rounds }, (_, round): RoundPlan => {
      const roundSeed = (seed * 100_003 + place * 1_009 + round) >>> 0;
      const random = seededRandom(roundSeed);
      const pass = round === 0 && rounds > 1 ? 1 : 1 + Math.floor(random() * passesOf(point, clients));
      return { name: `s${seed}p${place}r${round}`, point, pass, seed: roundSeed, clients };
    });
  });
