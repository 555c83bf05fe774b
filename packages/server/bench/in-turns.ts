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

/**
 * Measures two sides in turns, so that a slow moment of the machine meets both. Which of them begins changes with every
 * pair: what one leaves behind, such as a checkpoint or a full queue, must not always fall on the other. Each side runs
 * twice before anything counts. `rate` gives operations a second.
 */
export const inTurns = async (
  rate: { readonly first: () => Promise<number>; readonly second: () => Promise<number> },
  pairs: number,
): Promise<InTurns> => {
  for (const side of [rate.first, rate.second, rate.first, rate.second]) await side();
  const seen: { first: number; second: number }[] = [];
  for (let pair = 0; pair < pairs; pair += 1) {
    if (pair % 2 === 0) {
      const first = await rate.first();
      seen.push({ first, second: await rate.second() });
    } else {
      const second = await rate.second();
      seen.push({ first: await rate.first(), second });
    }
  }
  const costs = seen.map(({ first, second }) => 1 - first / second);
  const cost = mean(costs);
  const error = Math.sqrt(mean(costs.map((c) => (c - cost) ** 2)) / Math.max(1, pairs - 1));
  return {
    first: mean(seen.map(({ first }) => first)),
    second: mean(seen.map(({ second }) => second)),
    cost: 100 * cost,
    error: 100 * error,
  };
};
