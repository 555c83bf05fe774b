/** What the code gave for one expectation of a vector; `at` names the step within the case. */
export interface Check {
  readonly at: string;
  readonly got: unknown;
  readonly expected: unknown;
}

/** How one group of vectors is run against the code. */
export interface Adapter {
  /** Absolute, for numbers that are not equal to the last bit. */
  readonly tolerance: number;
  run(vector: unknown): Check[];
}

/** An adapter for cases that expect more than one thing. */
export const several = (run: (vector: never) => Check[]): Adapter => ({
  tolerance: 1e-12,
  run: (vector) => run(vector as never),
});

/**
 * An adapter for cases of one input and one expectation. `run` states the form of its input; that the vectors have it is
 * what running them shows.
 */
export const single = (run: (input: never) => unknown, tolerance = 1e-9): Adapter => ({
  tolerance,
  run(vector) {
    const { input, expected } = vector as { readonly input: never; readonly expected: unknown };
    return [{ at: '', got: run(input), expected }];
  },
});
