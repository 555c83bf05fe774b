/**
 * `npm run test:clocks`: runs the tests on days that are hard on programs: a month's end, the turn of a year, both ends of
 * a February with 29 days, a year ahead. Node, PostgreSQL and the processes that they start live on that day by libfaketime,
 * which moves what they are told of the time of day and leaves durations alone. Exits 1 when a day fails.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const DAYS = ['2026-12-31T23:55:00Z', '2027-01-01T00:00:30Z', '2028-02-28T23:55:00Z', '2028-02-29T12:00:00Z'] as const;
const YEAR_MS = 365 * 86_400_000;

const usage = `Usage: npm run test:clocks -- [--at TIME]... [--project unit|int|e2e]... [FILE]...

Runs the tests with the clocks of Node and PostgreSQL moved. Needs Linux and Debian's package faketime, which it installs
when it may.

  --at       the time at which each run begins, such as ${DAYS[0]}; may be given several times
             (default: ${DAYS.join(', ')} and a year from now)
  --project  only these levels (default: unit and int)
  FILE       only these files of tests`;

const fail = (problem: string): never => {
  console.error(`${problem}\n\n${usage}`);
  process.exit(1);
};

const readOptions = () => {
  try {
    return parseArgs({
      options: {
        at: { type: 'string', multiple: true },
        project: { type: 'string', multiple: true },
        help: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    });
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
};

const findLibrary = (): string | undefined => globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')[0];

/** Debian's package, where we may install it, as the tests of the console do with their browser. */
const install = (): void => {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', 'faketime']]) {
    spawnSync('apt-get', args, { env, stdio: 'ignore' });
  }
};

/** Runs the tests once, beginning at that time; true when they pass. */
const runAt = async (at: number, library: string, args: readonly string[]): Promise<boolean> => {
  const vitest = fileURLToPath(new URL('../../../node_modules/vitest/vitest.mjs', import.meta.url));
  const preload = new URL('preload.mjs', import.meta.url).href;
  const child = spawn(process.execPath, [vitest, 'run', ...args], {
    stdio: 'inherit',
    env: {
      ...process.env,
      NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import ${preload}`.trim(),
      LD_PRELOAD: library,
      // A distance and not a day: with a day, each process would begin that day anew.
      FAKETIME: `${at < Date.now() ? '-' : '+'}${Math.round(Math.abs(at - Date.now()) / 1000)}`,
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
  });
  const stop = () => void child.kill('SIGTERM');
  process.once('SIGTERM', stop);
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      process.off('SIGTERM', stop);
      resolve(code === 0);
    });
  });
};

const main = async (): Promise<void> => {
  const { values, positionals } = readOptions();
  if (values.help) {
    console.log(usage);
    return;
  }
  const times = values.at?.map((text) => {
    const at = Date.parse(text);
    return Number.isNaN(at) ? fail(`--at: "${text}" is no time; give one such as ${DAYS[0]}`) : at;
  }) ?? [...DAYS.map((day) => Date.parse(day)), Date.now() + YEAR_MS];
  const library = findLibrary() ?? (install(), findLibrary());
  if (library === undefined) {
    console.error('The clocks cannot be moved: libfaketime is missing. Install it (Debian: apt-get install faketime).');
    process.exit(1);
  }
  const projects = (values.project ?? ['unit', 'int']).flatMap((name) => ['--project', name]);
  const results: string[] = [];
  for (const at of times) {
    const day = new Date(at).toISOString();
    console.log(`\nThe clocks begin at ${day}`);
    const green = await runAt(at, library, [...projects, ...positionals]);
    if (!green) process.exitCode = 1;
    results.push(`${day} ${green ? 'green' : 'red'}`);
  }
  console.log(`\n${results.join('\n')}`);
};

await main();
