/** What two sides did in turns, `pairs` times: their means, and by how much the first is slower, in percent. */
export interface InTurns {
  readonly first: number;
  readonly second: number;
  /** Share of throughput that the first side lacks beside the second, in percent; below zero it is faster. */
  readonly cost: number;
  /** Standard error of that mean, in percent. */
  readonly error: number;
}

const mean = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0) / numbers.length;

/** What both sides did in one pair of turns, in operations a second. */
export interface Pair {
  readonly first: number;
  readonly second: number;
}

type Rate = () => Promise<number>;

/**
 * Measures both sides once. Which of them begins changes with every pair: what one leaves behind, such as a checkpoint or a
 * full queue, must not always fall on the other.
 */
export const onePair = async (pair: number, rate: { readonly first: Rate; readonly second: Rate }): Promise<Pair> => {
  if (pair % 2 === 0) {
    const first = await rate.first();
    return { first, second: await rate.second() };
  }
  const second = await rate.second();
  return { first: await rate.first(), second };
};

/** Compares the two sides of all pairs. */
export const compare = (seen: readonly Pair[]): InTurns => {
  const costs = seen.map(({ first, second }) => 1 - first / second);
  const cost = mean(costs);
  const error = Math.sqrt(mean(costs.map((c) => (c - cost) ** 2)) / Math.max(1, seen.length - 1));
  return {
    first: mean(seen.map(({ first }) => first)),
    second: mean(seen.map(({ second }) => second)),
    cost: 100 * cost,
    error: 100 * error,
  };
};

/**
 * Measures two sides in turns, `pairs` times, so that a slow moment of the machine meets both. Each side runs twice before
 * anything counts. `rate` gives operations a second.
 */
export const inTurns = async (
  rate: { readonly first: Rate; readonly second: Rate },
  pairs: number,
): Promise<InTurns> => {
  for (const side of [rate.first, rate.second, rate.first, rate.second]) await side();
  const seen: Pair[] = [];
  for (let pair = 0; pair < pairs; pair += 1) seen.push(await onePair(pair, rate));
  return compare(seen);
};
