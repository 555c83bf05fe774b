import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));

/** Lifts the limits that a test or crash program would run into before it reaches what it is about. */
export const NO_LIMITS = {
  BREAKWATER_CALLS_PER_MINUTE: '0',
  BREAKWATER_CALLS_PER_HOUR: '0',
  BREAKWATER_LOOP_UPDATES_PER_MINUTE: '0',
} as const;

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A command of ours in a process of its own. */
export interface Running {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  /** What it has written so far. */
  stdout(): string;
  stderr(): string;
  signal(name: NodeJS.Signals): void;
}

/** A `breakwater serve` in a process of its own. */
export interface ServerProcess extends Running {
  /** Its URL, once it says that it is ready; rejects with what it wrote when it ends before. */
  ready(): Promise<string>;
  /** SIGTERM, then its end and how long that took. */
  stop(): Promise<Exit & { readonly ms: number }>;
  /** SIGKILL, then its end. Its PostgreSQL goes on. */
  kill(): Promise<Exit>;
}

export interface CommandOptions {
  /** Settings; nothing with our prefix comes from the environment of the caller. */
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly gid?: number;
  readonly cwd?: string;
  /** Another copy of the program, such as an installed one. */
  readonly main?: string;
}

const CEILING_MS = 30_000;
/** What must not outlive this process, whatever ends it. */
const children = new Set<ChildProcess>();
const folders = new Set<string>();
/** Servers that run, by their data directory. */
const servers = new Map<string, Set<Running>>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  for (const folder of folders) signalPid(postmasterPid(folder), 'SIGQUIT');
});

const signalPid = (pid: number | undefined, name: NodeJS.Signals): boolean => {
  if (pid === undefined) return false;
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
};

/** What every command of a test starts with: nothing of the tester's own settings, and answers held against the contract. */
const plainEnvironment = (): Record<string, string | undefined> => ({
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('BREAKWATER_') && name !== 'DATABASE_URL'),
  ),
  BREAKWATER_CHECK_ANSWERS: 'on',
});

/** Starts a command of the CLI. */
const spawnCommand = (args: readonly string[], options: CommandOptions = {}): Running => {
  const { env, main = MAIN, ...rest } = options;
  const child = spawn(process.execPath, [main, ...args], {
    ...rest,
    env: { ...plainEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk));
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject);
    // 'close' and not 'exit': what it wrote last has been read by then.
    child.once('close', (code, signal) => {
      children.delete(child);
      resolve({ code, signal });
    });
  });
  return {
    pid: child.pid ?? 0,
    exited,
    stdout: () => out,
    stderr: () => err,
    signal: (name) => void child.kill(name),
  };
};

/** Runs a command of the CLI to its end. */
export const runCommand = async (
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Exit & { stdout: string; stderr: string }> => {
  const running = spawnCommand(args, options);
  const exit = await running.exited;
  return { ...exit, stdout: running.stdout(), stderr: running.stderr() };
};

/** Starts `breakwater serve` on a data directory; on a free port unless the arguments name one. */
export const spawnServer = (
  dataDir: string,
  options: CommandOptions & { readonly args?: readonly string[]; readonly port?: number } = {},
): ServerProcess => {
  const { args = [], port = 0, ...command } = options;
  const running = spawnCommand(['serve', '--port', String(port), '--data-dir', dataDir, ...args], command);
  const here = servers.get(dataDir) ?? new Set();
  servers.set(dataDir, here.add(running));
  const ended = () => void here.delete(running);
  running.exited.then(ended, ended);
  return {
    ...running,
    async ready() {
      const ended = running.exited.then((exit) => {
        throw new Error(`The server ended with ${exit.code ?? exit.signal} before it was ready: ${running.stderr()}`);
      });
      const url = until(() => /ready at (http:\S+)/.exec(running.stdout())?.[1], 'the server says that it is ready');
      return await Promise.race([url, ended]);
    },
    async stop() {
      const started = performance.now();
      running.signal('SIGTERM');
      const exit = await running.exited;
      return { ...exit, ms: performance.now() - started };
    },
    async kill() {
      running.signal('SIGKILL');
      return await running.exited;
    },
  };
};

/** Asks again and again until there is an answer; rejects, naming what it waited for, after 30 s. */
export const until = async <T>(ask: () => T | undefined | Promise<T | undefined>, what: string): Promise<T> => {
  const limit = performance.now() + CEILING_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > limit) throw new Error(`Waited ${CEILING_MS} ms in vain until ${what}.`);
    await sleep(10);
  }
};

/** Names a folder whose stopped PostgreSQL new data directories of tests begin with; the run's set-up makes it. */
export const DATA_TEMPLATE = 'TEST_DATA_TEMPLATE';

/**
 * Creates a data directory of a test's own that PostgreSQL's user may reach, too. It holds a migrated database where the run has
 * made one to copy from, since making one takes longer than all else in a server's start; with `empty`, never.
 */
export const temporaryDataDir = ({ empty = false }: { readonly empty?: boolean } = {}): string => {
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-e2e-'));
  chmodSync(folder, 0o755);
  folders.add(folder);
  const template = process.env[DATA_TEMPLATE];
  // `cp` keeps the owner, without whom PostgreSQL does not start.
  if (template !== undefined && !empty) execFileSync('cp', ['-a', template, join(folder, 'pg')]);
  return folder;
};

/** The process id of the PostgreSQL that runs on this data directory; undefined when none does. */
export const postmasterPid = (dataDir: string): number | undefined => {
  const path = join(dataDir, 'pg', 'postmaster.pid');
  const pid = existsSync(path) ? Number(readFileSync(path, 'utf8').split('\n', 1)[0]) : Number.NaN;
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  const command = `/proc/${pid}/cmdline`;
  // The file outlives a killed postmaster, and the id may be another program's by now.
  return existsSync(command) && readFileSync(command, 'utf8').includes(dataDir) ? pid : undefined;
};

/**
 * Ends what still runs on a data directory, its PostgreSQL and a server that a failed test did not come to stop, and
 * removes the directory.
 */
export const removeDataDir = async (dataDir: string): Promise<void> => {
  for (const server of servers.get(dataDir) ?? []) {
    server.signal('SIGKILL');
    await server.exited;
  }
  servers.delete(dataDir);
  if (signalPid(postmasterPid(dataDir), 'SIGQUIT')) {
    await until(() => (postmasterPid(dataDir) === undefined ? true : undefined), 'PostgreSQL ends');
  }
  rmSync(dataDir, { recursive: true, force: true });
  folders.delete(dataDir);
};

const listensOn = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });

/**
 * A port that is free, for a test that must know it before the server is ready. It lies below those that the system gives to
 * connections by itself: one of theirs could be taken by a client before the server, or its successor after a crash, listens.
 */
export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = randomInt(15_000, 32_000);
    if (await listensOn(port)) return port;
  }
};
