/**
 * npm run mutants: makes one small semantic change at a time in a copy of the tree and runs the test that must notice
 * it. Exits 1 when a test did not notice, when a mutant no longer applies, or when its test could not run; 2 on a wrong
 * argument.
 */
import { rmSync } from 'node:fs';
import { seededRandom } from '../src/runtime/index.ts';
import { programOptions } from '../testing/program.ts';
import { MUTANTS, UNTESTABLE } from './list.ts';
import { copyOf, Trials, type Verdict } from './trial.ts';

const HELP = `npm run mutants -- [options]

  --only ID      this mutant alone; may be given several times
  --sample N     N mutants drawn at random, unit tests only
  --seed S       seed of the draw, a whole number (default 1)
  --json         the verdicts as JSON on standard output
  --help         this text

${MUTANTS.length} mutants are listed; ${UNTESTABLE.length} more are known to change nothing that a caller can see.`;

const { values, whole, wrong } = programOptions(HELP, {
  only: { type: 'string', multiple: true },
  sample: { type: 'string' },
  seed: { type: 'string', default: '1' },
  json: { type: 'boolean', default: false },
});
const { only, sample, seed, json } = values;

const chosen = () => {
  if (only !== undefined) {
    for (const wanted of only) {
      if (!MUTANTS.some(({ id }) => id === wanted)) return wrong(`no mutant is called "${wanted}"`);
    }
    return MUTANTS.filter(({ id }) => only.includes(id));
  }
  if (sample === undefined) return MUTANTS.toSorted((a, b) => a.test.localeCompare(b.test));
  const random = seededRandom(whole('seed', seed));
  return MUTANTS.filter(({ test }) => test.endsWith('.unit.test.ts'))
    .map((mutant) => ({ mutant, order: random() }))
    .toSorted((a, b) => a.order - b.order)
    .slice(0, whole('sample', sample))
    .map(({ mutant }) => mutant);
};

const mutants = chosen();
const copy = copyOf(process.cwd());
const trials = new Trials(copy);
const verdicts: Verdict[] = [];
try {
  for (const mutant of mutants) {
    const verdict = await trials.try(mutant, mutant.test.endsWith('.unit.test.ts') ? 120_000 : 300_000);
    verdicts.push(verdict);
    const line = `${verdict.end.padEnd(14)} ${verdict.id.padEnd(28)} ${(verdict.ms / 1000).toFixed(1)} s`;
    console.error(`${String(verdicts.length).padStart(3)}/${mutants.length} ${line}`);
    if (verdict.end !== 'killed') console.error(`    ${mutant.breaks}\n    ${mutant.test}: ${mutant.title}`);
    if (verdict.failed.length > 0 && verdict.end !== 'killed')
      console.error(`    failed: ${verdict.failed.join(' | ')}`);
  }
} finally {
  await trials.stop();
  rmSync(copy, { recursive: true, force: true });
}
const killed = verdicts.filter(({ end }) => end === 'killed').length;
if (json) console.log(JSON.stringify({ killed, of: verdicts.length, verdicts }));
else console.log(`${killed} of ${verdicts.length} mutants were killed.`);
process.exitCode = killed === verdicts.length ? 0 : 1;
