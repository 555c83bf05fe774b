import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { allPassed, runVectors, type FileReport } from './run.ts';

const HELP = `Runs golden vectors against the code.

  npm run golden -- [DIR] [--json FILE]

DIR          a directory of vector files (*.json); default packages/server/fixtures/golden
--json FILE  writes the reports as JSON too
--help       this text

A case may differ on purpose, or be of something that the code does not have: golden/deviations.ts names each, why, and what
the code gives instead.

Exit code 0 when every case of every file matched, or differed just as it is meant to; 1 when one did not, when a file belongs
to no known group, or when there is nothing to run.`;

const SHOWN_FAILURES = 10;

const table = (reports: readonly FileReport[]): string => {
  const width = Math.max(4, ...reports.map(({ file }) => file.length));
  const row = (file: string, ...counts: readonly (string | number)[]) =>
    [file.padEnd(width), ...counts.map((count) => String(count).padStart(6))].join(' | ');
  return [
    row('file', 'passed', 'differ', 'absent', 'failed'),
    ...reports.map(({ file, passed, differing, absent, failed, error }) =>
      error === undefined ? row(file, passed, differing, absent, failed) : `${file.padEnd(width)} | error: ${error}`,
    ),
  ].join('\n');
};

const failureList = (reports: readonly FileReport[]): string[] =>
  reports
    .flatMap(({ file, failures }) => failures.map((failure) => ({ file, ...failure })))
    .slice(0, SHOWN_FAILURES)
    .map(({ file, id, at, got, expected }) =>
      [
        `${file} ${id} ${at}`.trimEnd(),
        `  got      ${JSON.stringify(got)}`,
        `  expected ${JSON.stringify(expected)}`,
      ].join('\n'),
    );

const main = (): number => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help === true) {
    console.log(HELP);
    return 0;
  }
  const directory = positionals[0] ?? fileURLToPath(new URL('../fixtures/golden', import.meta.url));
  const reports = runVectors(directory);
  console.log(table(reports));
  for (const text of failureList(reports)) console.log(`\n${text}`);
  if (reports.length === 0) console.log(`No vector files in ${directory}.`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(reports, null, 2)}\n`);
  return allPassed(reports) ? 0 : 1;
};

try {
  process.exitCode = main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
