import { lstatSync, mkdirSync, statSync, unlinkSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { refusal, type Refusal } from '@breakwater/contract';
import type { Clock } from '../runtime/index.ts';
import type { PeerAttestor } from './peer.ts';

/** The kernel's limit of a socket's path, without its closing zero. */
const MAX_PATH_BYTES = 107;
const OTHERS_MAY_WRITE = 0o022;

const unusable = (path: string, why: string, action: string): Refusal =>
  refusal('PARAMETER_ERROR', `Cannot listen on the socket ${path}: ${why}.`, {
    details: { path },
    recovery: { action },
  });

/** Whether somebody listens on a socket file. */
const isListening = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });

const problemOf = async (path: string): Promise<Refusal | undefined> => {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    return unusable(path, `its path is longer than ${MAX_PATH_BYTES} bytes`, 'Choose a shorter BREAKWATER_SOCKET.');
  }
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if ((statSync(folder).mode & OTHERS_MAY_WRITE) !== 0) {
    return unusable(path, 'others may write to its folder', 'Choose a BREAKWATER_SOCKET in a folder of its own.');
  }
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  if (!found.isSocket())
    return unusable(path, 'a file is there that is no socket', 'Choose another BREAKWATER_SOCKET.');
  if (await isListening(path)) {
    return unusable(path, 'another server listens there', 'Stop it, or choose another BREAKWATER_SOCKET.');
  }
  unlinkSync(path);
  return undefined;
};

/** A server on a unix socket. */
export interface UnixListener {
  /** Stops accepting, and ends what is left by force after `graceMs`; the file is removed. */
  close(graceMs: number): Promise<void>;
}

/**
 * Serves HTTP on a unix socket that only its owner may reach: mode 0600 from the first moment, in a folder to which no
 * other may write. A file that a dead server left is replaced; a living one's, or anything else, is not touched. Gives a
 * refusal that names the path and the way out.
 */
export const listenUnix = async (options: {
  readonly path: string;
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void;
  readonly attestor: PeerAttestor;
  readonly clock: Clock;
}): Promise<UnixListener | { readonly refusal: Refusal }> => {
  const { path, handler, attestor, clock } = options;
  const problem = await problemOf(path);
  if (problem !== undefined) return { refusal: problem };
  const server = createServer(handler);
  server.on('connection', (socket) => attestor.accepted(socket));
  // The file is made while listen runs, so the mask decides its mode before anybody can open it.
  const mask = process.umask(0o177);
  const failure = await new Promise<Error | undefined>((resolve) => {
    server.once('error', resolve);
    server.listen(path, () => resolve(undefined));
    process.umask(mask);
  });
  if (failure !== undefined) return { refusal: unusable(path, failure.message, 'Choose another BREAKWATER_SOCKET.') };
  const mode = statSync(path).mode & 0o777;
  if (mode !== 0o600) {
    server.close();
    return {
      refusal: unusable(path, `its mode is ${mode.toString(8)}, not 600`, 'Use a file system that keeps modes.'),
    };
  }
  return {
    close: (graceMs) =>
      new Promise((resolve) => {
        const force = clock.after(graceMs, () => server.closeAllConnections());
        server.close(() => {
          force.cancel();
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
};
