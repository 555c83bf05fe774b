import { rmSync } from 'node:fs';
import { createServer, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { temporaryFolder } from '../../../testing/temporary-folder.ts';

/**
 * What the network does to the next message of a statement: `request lost` – it never reaches PostgreSQL; `cut` – it
 * does, and the connection breaks at once; `reply lost` – PostgreSQL has done its work and its answer never arrives.
 */
export type Failure = 'request lost' | 'cut' | 'reply lost';

/** A network between a client and PostgreSQL that can be told to fail. */
export interface FlakyNetwork {
  readonly socketDir: string;
  /** Fails the next message whose bytes contain `marker`. */
  failAt(marker: string, failure: Failure): void;
  close(): Promise<void>;
}

const SOCKET = '.s.PGSQL.5432';

/** Puts a network before the PostgreSQL whose socket lies in `socketDir`. */
export const flakyNetwork = async (socketDir: string): Promise<FlakyNetwork> => {
  const folder = temporaryFolder('network');
  const sockets = new Set<Socket>();
  let armed: { readonly marker: string; readonly failure: Failure } | undefined;

  const server = createServer((client) => {
    const upstream = connect(join(socketDir, SOCKET));
    let replyLost = false;
    const cut = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', cut);
      socket.on('close', () => {
        sockets.delete(socket);
        cut();
      });
    }
    client.on('data', (bytes) => {
      const failure = armed !== undefined && bytes.includes(armed.marker) ? armed.failure : undefined;
      if (failure !== undefined) armed = undefined;
      if (failure === 'request lost') {
        cut();
        return;
      }
      replyLost ||= failure === 'reply lost';
      upstream.write(bytes, () => {
        if (failure === 'cut') cut();
      });
    });
    upstream.on('data', (bytes) => {
      if (replyLost) cut();
      else client.write(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(join(folder, SOCKET), resolve));

  return {
    socketDir: folder,
    failAt: (marker, failure) => (armed = { marker, failure }),
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
