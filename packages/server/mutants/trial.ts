import { fork, type ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Mutant } from './list.ts';
import type { Answer, Question } from './runner.ts';

/**
 * How a mutant ended. `survived`: the named test passed. `broken`: the test did not run at all (a crash of an import,
 * a run out of time), which proves nothing about the test.
 */
export interface Verdict {
  readonly id: string;
  readonly end: 'killed' | 'survived' | 'does not apply' | 'broken';
  /** Tests that failed, by title. */
  readonly failed: readonly string[];
  readonly ms: number;
}

const NOT_COPIED = new Set(['node_modules', '.git', '.vite-temp']);

/**
 * Copies the tree at `root` to a new temporary folder and returns its path. Packages of others are linked; links to our
 * own packages lead into the copy, or a mutant of one package would not be seen by the tests of another.
 */
export const copyOf = (root: string): string => {
  const copy = mkdtempSync(join(tmpdir(), 'breakwater-mutants-'));
  cpSync(root, copy, { recursive: true, filter: (path) => !NOT_COPIED.has(basename(path)) });
  mkdirSync(join(copy, 'node_modules'));
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name.startsWith('.vite') || name === '@breakwater') continue;
    symlinkSync(join(root, 'node_modules', name), join(copy, 'node_modules', name));
  }
  cpSync(join(root, 'node_modules/@breakwater'), join(copy, 'node_modules/@breakwater'), {
    recursive: true,
    verbatimSymlinks: true,
  });
  for (const name of readdirSync(join(root, 'packages'))) {
    const modules = join(root, 'packages', name, 'node_modules');
    if (readdirSync(join(root, 'packages', name)).includes('node_modules')) {
      symlinkSync(modules, join(copy, 'packages', name, 'node_modules'));
    }
  }
  return copy;
};

/** Gives the text with the mutant in it; undefined unless what it replaces occurs exactly once. */
export const mutated = (text: string, { find, replace }: Pick<Mutant, 'find' | 'replace'>): string | undefined => {
  const at = text.indexOf(find);
  if (at === -1 || text.includes(find, at + 1)) return undefined;
  return text.slice(0, at) + replace + text.slice(at + find.length);
};

const projectOf = (test: string): string => /\.(unit|int|e2e)\.test\.ts$/.exec(test)?.[1] ?? 'unit';

/** Runs test files in a copy, in one process for each level of tests, which it starts when it needs it. */
export class Trials {
  readonly #copy: string;
  readonly #runners = new Map<string, Promise<ChildProcess>>();
  /** Files that the runner of a level has to read again. */
  readonly #stale = new Map<string, Set<string>>();

  constructor(copy: string) {
    this.#copy = copy;
  }

  /** Applies one mutant, runs its test file, takes the mutant out again, and tells how it ended. */
  async try(mutant: Mutant, limitMs: number): Promise<Verdict> {
    const began = performance.now();
    const ended = (end: Verdict['end'], failed: readonly string[] = []): Verdict => ({
      id: mutant.id,
      end,
      failed,
      ms: Math.round(performance.now() - began),
    });
    const file = join(this.#copy, mutant.file);
    const text = readFileSync(file, 'utf8');
    const changed = mutated(text, mutant);
    if (changed === undefined) return ended('does not apply');
    writeFileSync(file, changed);
    try {
      const answer = await this.#run(mutant.test, file, limitMs);
      const tests = answer?.tests ?? [];
      const failed = [...new Set(tests.filter(({ state }) => state === 'failed').map(({ title }) => title))];
      if (failed.includes(mutant.title)) return ended('killed', failed);
      // Skipped or absent: the file did not get as far as its tests.
      const passed = tests.some(({ title, state }) => title === mutant.title && state === 'passed');
      return ended(passed ? 'survived' : 'broken', failed);
    } finally {
      writeFileSync(file, text);
    }
  }

  /** Ends the processes; each stops the PostgreSQL it has started. */
  async stop(): Promise<void> {
    for (const runner of this.#runners.values()) await end(await runner);
    this.#runners.clear();
  }

  /** Undefined when the run did not end in time; its process is then ended, and the next run starts another one. */
  async #run(test: string, changed: string, limitMs: number): Promise<Answer | undefined> {
    const project = projectOf(test);
    let starting = this.#runners.get(project);
    if (starting === undefined) this.#runners.set(project, (starting = startRunner(this.#copy, project)));
    const runner = await starting;
    // The file of the mutant before was put back, which the runner has not seen either.
    const stale = this.#stale.get(project) ?? new Set();
    stale.add(changed);
    const question: Question = { test: join(this.#copy, test), changed: [...stale] };
    this.#stale.set(project, new Set([changed]));
    const signal = AbortSignal.timeout(limitMs);
    try {
      return await new Promise<Answer>((resolve, reject) => {
        runner.once('message', (answer) => resolve(answer as Answer));
        runner.once('exit', () => reject(new Error('the run ended without an answer')));
        signal.onabort = () => reject(new Error('the run took too long'));
        runner.send(question);
      });
    } catch {
      this.#runners.delete(project);
      await end(runner);
      return undefined;
    } finally {
      signal.onabort = null;
      runner.removeAllListeners('message').removeAllListeners('exit');
    }
  }
}

const startRunner = async (copy: string, project: string): Promise<ChildProcess> => {
  const runner = fork(join(copy, 'packages/server/mutants/runner.ts'), [project], {
    cwd: copy,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  await new Promise<void>((resolve, reject) => {
    runner.once('message', () => resolve());
    runner.once('error', reject);
    runner.once('exit', (code) => reject(new Error(`vitest did not start: exit ${String(code)}`)));
  });
  runner.removeAllListeners('exit');
  return runner;
};

/** Lets a runner end in order, and ends it by its process id when it does not. */
const end = async (runner: ChildProcess): Promise<void> => {
  if (runner.exitCode !== null || runner.signalCode !== null) return;
  const gone = new Promise((resolve) => runner.once('exit', resolve));
  if (runner.connected) runner.disconnect();
  const term = setTimeout(() => runner.kill('SIGTERM'), 20_000);
  const kill = setTimeout(() => runner.kill('SIGKILL'), 30_000);
  await gone;
  clearTimeout(term);
  clearTimeout(kill);
};
