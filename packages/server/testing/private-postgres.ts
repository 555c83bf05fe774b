import { rmSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { openDatabase, startEmbedded, type Database, type EmbeddedServer } from '../src/postgres/index.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A PostgreSQL that a test may stop, kill and start again. */
interface PrivatePostgres {
  readonly dataDir: string;
  /** Starts it; again after a stop, on the same data and socket. */
  start(): Promise<EmbeddedServer>;
  /** Stops it as an operator would. */
  stop(): Promise<void>;
  /** Opens a pool that outlives its stops. */
  open(): Database;
}

/** Makes a data folder for one test; everything is stopped and removed when the test ends. */
export const privatePostgres = (): PrivatePostgres => {
  const dataDir = temporaryFolder('private');
  const pools: Database[] = [];
  let server: EmbeddedServer | undefined;
  onTestFinished(async () => {
    await Promise.all(pools.map((pool) => pool.close()));
    await server?.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  return {
    dataDir,
    start: async () => (server = await startEmbedded({ dataDir, settings: { shared_buffers: '16MB' } })),
    stop: async () => server?.stop(),
    open: () => {
      const pool = openDatabase({
        target: () => {
          if (server === undefined) throw new Error('start it first');
          return server.target;
        },
        onError: () => undefined,
      });
      pools.push(pool);
      return pool;
    },
  };
};
