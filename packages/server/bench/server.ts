import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));

/** A server in a process of its own, with its limits off: the bench measures the server, not its brakes. */
export interface BenchServer {
  readonly url: string;
  readonly port: number;
  /** Id of its process. */
  readonly pid: number;
  /** Milliseconds from the start of the process until it said that it is ready. */
  readonly startMs: number;
  stop(): Promise<void>;
}

const running = new Set<BenchServer>();

/** Stops what an interrupted bench left running. */
export const stopAll = async (): Promise<void> => {
  for (const server of running) await server.stop();
};

/** Starts a server on `dataDir`; `cli` is the command line that starts it, default: that of this checkout. */
export const startServer = async (
  dataDir: string,
  env: Readonly<Record<string, string | undefined>> = {},
  cli = CLI,
): Promise<BenchServer> => {
  const started = performance.now();
  const child = spawn(process.execPath, [cli, 'serve', '--port', '0', '--data-dir', dataDir], {
    env: {
      ...process.env,
      BREAKWATER_CALLS_PER_MINUTE: '0',
      BREAKWATER_CALLS_PER_HOUR: '0',
      BREAKWATER_LOOP_UPDATES_PER_MINUTE: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await ready(child);
  const server: BenchServer = {
    url,
    port: Number(new URL(url).port),
    pid: child.pid ?? 0,
    startMs: performance.now() - started,
    stop: async () => {
      running.delete(server);
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
  running.add(server);
  return server;
};

const ready = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    let said = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
      const [, url] = /ready at (http:\S+)/.exec(said) ?? [];
      if (url !== undefined) resolve(url);
    });
    child.once('exit', (code) => reject(new Error(`the server ended with ${code} before it was ready`)));
  });
