/**
 * Runs test files for its parent, over the channel that `fork` opens, in one vitest that stays: its start costs more than
 * most test files, and with it the start of PostgreSQL. Argument: the vitest project. Message in: a {@link Question};
 * out: an {@link Answer}.
 */
import { createVitest } from 'vitest/node';

/** Which test file to run, after which file has changed; absolute paths. */
export interface Question {
  readonly test: string;
  readonly changed: readonly string[];
}

export interface Answer {
  readonly tests: readonly { readonly title: string; readonly state: string }[];
}

const vitest = await createVitest({
  project: [process.argv[2] ?? 'unit'],
  watch: false,
  reporters: [{}],
  run: true,
});
await vitest.standalone();

process.on('message', (question: Question) => {
  void answer(question).then((reply) => process.send?.(reply));
});
process.on('disconnect', () => void vitest.close().then(() => process.exit()));

const answer = async ({ test, changed }: Question): Promise<Answer> => {
  for (const file of changed) vitest.invalidateFile(file);
  const { testModules } = await vitest.runTestSpecifications(await vitest.globTestSpecifications([test]));
  return {
    // Vitest also gives the modules of the runs before.
    tests: testModules
      .filter(({ moduleId }) => moduleId === test)
      .flatMap(({ children }) =>
        [...children.allTests()].map((test) => ({ title: test.name, state: test.result().state })),
      ),
  };
};
process.send?.('ready');
