/** How many bins of equal width the range of confidence has; the last one holds 1 too. */
export const BINS = 10;

/**
 * What some claims of one day, channel, class and bin came to: sums, so that any grouping of them is a sum again. Times in
 * ms since the epoch, UTC.
 */
export interface Cell {
  /** First instant of the UTC day. */
  readonly day: number;
  readonly channel: string;
  /** Kind of statement of the check-in that made the claim; null when unknown. */
  readonly claimClass: string | null;
  /** 0 to 9. */
  readonly bin: number;
  /** Claims made before their result, graded or not. */
  readonly claims: number;
  readonly sumClaim: number;
  readonly leastClaim: number;
  readonly mostClaim: number;
  /** Of those, with a verdict of the agent when the result came in; and how many of them were to proceed. */
  readonly judged: number;
  readonly sumJudgedClaim: number;
  readonly healthy: number;
  /** Of those, with hard evidence. */
  readonly graded: number;
  readonly sumGradedClaim: number;
  readonly sumResult: number;
  /** Sums over the same of result², and of (claim - result)². */
  readonly sumSquaredResult: number;
  readonly sumSquaredError: number;
  /** Newest one with hard evidence. */
  readonly newestGraded: number | null;
  /** Claims that came with a reported complexity; and how many of those were far from the derived one. */
  readonly complexities: number;
  readonly complexityFar: number;
}

/** Claims of one bin against results: sums. */
export interface BinSums {
  readonly n: number;
  readonly sumClaim: number;
  readonly sumResult: number;
}

/** Sums of squares of graded outcomes: of their results, and of their distance from what was claimed. */
export interface ErrorSums {
  readonly squaredResult: number;
  readonly squaredError: number;
}

const NO_SUMS: BinSums = { n: 0, sumClaim: 0, sumResult: 0 };
const NO_BINS: readonly BinSums[] = Array.from({ length: BINS }, () => NO_SUMS);

const plus = (a: BinSums, b: BinSums): BinSums => ({
  n: a.n + b.n,
  sumClaim: a.sumClaim + b.sumClaim,
  sumResult: a.sumResult + b.sumResult,
});

/** One sum of several. */
export const totalOf = (bins: readonly BinSums[]): BinSums => bins.reduce(plus, NO_SUMS);

/** The tactical curve: claims against results that hard evidence shows. */
export const tacticalBins = (cells: readonly Cell[]): readonly BinSums[] =>
  fold(cells, (cell) => ({ n: cell.graded, sumClaim: cell.sumGradedClaim, sumResult: cell.sumResult }));

/** The sums of squares of what {@link tacticalBins} sums. */
export const errorSums = (cells: readonly Cell[]): ErrorSums =>
  cells.reduce(
    (all, cell) => ({
      squaredResult: all.squaredResult + cell.sumSquaredResult,
      squaredError: all.squaredError + cell.sumSquaredError,
    }),
    { squaredResult: 0, squaredError: 0 },
  );

/** The strategic curve: whether those who were confident were still well when the result came in. */
export const strategicBins = (cells: readonly Cell[]): readonly BinSums[] =>
  fold(cells, (cell) => ({ n: cell.judged, sumClaim: cell.sumJudgedClaim, sumResult: cell.healthy }));

const fold = (cells: readonly Cell[], sums: (cell: Cell) => BinSums): readonly BinSums[] => {
  const bins = [...NO_BINS];
  for (const cell of cells) bins[cell.bin] = plus(bins[cell.bin] ?? NO_SUMS, sums(cell));
  return bins;
};

/** The cells by a key of theirs, in the order of the keys. */
export const grouped = (
  cells: readonly Cell[],
  keyOf: (cell: Cell) => string,
): ReadonlyMap<string, readonly Cell[]> => {
  const groups = new Map<string, Cell[]>();
  for (const cell of cells) {
    const key = keyOf(cell);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [cell]);
    else group.push(cell);
  }
  return new Map([...groups].sort(([a], [b]) => (a < b ? -1 : 1)));
};
