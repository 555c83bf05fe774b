import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
const PATIENCE_MS = 60_000;

/** A server of the demonstration's own, that may be killed and started again on the same data. */
export interface OwnServer {
  readonly url: string;
  readonly dataDir: string;
  /** Starts it, and waits until it is ready; with `fault` it kills itself when it passes that point. */
  start(fault?: string): Promise<void>;
  /** Waits for its end, and gives the signal that it died of. */
  died(): Promise<NodeJS.Signals | null>;
  /** Stops it, and removes its data. */
  end(): Promise<void>;
}

const freePort = async (): Promise<number> => {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  return port;
};

export const ownServer = async (): Promise<OwnServer> => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-demo-'));
  const dataDir = join(folder, 'data');
  let child: ChildProcess | undefined;
  const isReady = () =>
    fetch(`${url}/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  return {
    url,
    dataDir,
    async start(fault) {
      child = spawn(process.execPath, [MAIN, 'serve', '--port', String(port), '--data-dir', dataDir], {
        stdio: 'ignore',
        env: { ...process.env, ...(fault !== undefined && { BREAKWATER_FAULT: fault }) },
      });
      const limit = performance.now() + PATIENCE_MS;
      while (!(await isReady())) {
        if (performance.now() > limit || child.exitCode !== null) throw new Error('The server did not start.');
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    async died() {
      if (child === undefined) return null;
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      return child.signalCode;
    },
    async end() {
      if (child !== undefined && child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
