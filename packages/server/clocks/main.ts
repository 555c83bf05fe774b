/**
 * `npm run test:clocks`: runs the tests on days that are hard on programs: a month's end, the turn of a year, both ends of
 * a February with 29 days, a year ahead. Node, PostgreSQL and the processes that they start live on that day, by a small
 * library that moves what they are told of the time of day. Exits 1 when a day fails.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { temporaryFolder } from '../testing/temporary-folder.ts';

const DAYS = ['2026-12-31T23:55:00Z', '2027-01-01T00:00:30Z', '2028-02-28T23:55:00Z', '2028-02-29T12:00:00Z'] as const;
const YEAR_MS = 365 * 86_400_000;

const usage = `Usage: npm run test:clocks -- [--at TIME]... [--project unit|int|e2e]... [FILE]...

Runs the tests with the clocks of Node and PostgreSQL moved. Needs Linux and a C compiler, which it installs where it
may.

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

/** Debian's compiler, where we may install it, as the tests of the console do with their browser. */
const installCompiler = (): void => {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', 'gcc', 'libc6-dev']]) {
    spawnSync('apt-get', args, { env, stdio: 'ignore' });
  }
};

/** Builds the library that moves the clock at that path; gives what went wrong. */
const build = (library: string): string | undefined => {
  const source = fileURLToPath(new URL('clock.c', import.meta.url));
  const { status, error, stderr } = spawnSync('cc', ['-shared', '-fPIC', '-O2', '-o', library, source, '-ldl'], {
    encoding: 'utf8',
  });
  return status === 0 ? undefined : (error?.message ?? stderr);
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
      CLOCK_OFFSET_SECONDS: String(Math.round((at - Date.now()) / 1000)),
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
  const folder = temporaryFolder('clocks');
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const library = join(folder, 'clock.so');
  const problem = build(library) && (installCompiler(), build(library));
  if (problem !== undefined) {
    console.error(
      `The clocks cannot be moved: that takes Linux and a C compiler (Debian: apt-get install gcc libc6-dev).\n${problem}`,
    );
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
