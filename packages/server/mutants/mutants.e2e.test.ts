import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { seededRandom } from '../src/runtime/index.ts';
import { MUTANTS, type Mutant } from './list.ts';
import { copyOf, Trials } from './trial.ts';

const SEED = 20_261;

test('mutants are killed by the tests they name; a harmless change survives, and one that breaks the build kills nothing', async () => {
  const copy = copyOf(join(import.meta.dirname, '../../..'));
  const trials = new Trials(copy);
  onTestFinished(async () => {
    await trials.stop();
    rmSync(copy, { recursive: true, force: true });
  });
  const small = MUTANTS.filter(({ test }) => test.endsWith('runtime/readiness.unit.test.ts'));
  const random = seededRandom(SEED);
  const [one, two] = small.toSorted(() => random() - 0.5) as [Mutant, Mutant];
  const ends = [];
  for (const mutant of [
    one,
    two,
    { ...one, id: 'harmless', replace: `/* nothing */ ${one.find}` },
    { ...one, id: 'no longer there', find: 'text that does not occur' },
    { ...one, id: 'no program', replace: 'this is no program' },
    // After a run that broke, the next one is judged by the code as it was.
    { ...two, id: 'after it' },
  ]) {
    ends.push((await trials.try(mutant, 60_000)).end);
  }
  expect(ends).toEqual(['killed', 'killed', 'survived', 'does not apply', 'broken', 'killed']);
});
