import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';

/** `hang` accepts and never answers; `refuse` closes at once, and what is open; `pass` is a healthy network. */
export type ProxyMode = 'hang' | 'refuse' | 'pass';

/** A network between a server and its PostgreSQL that can fail on demand. */
export interface PostgresProxy {
  readonly url: string;
  /** Connections that hang, or pass, at this moment. */
  readonly connections: number;
  /** Connections that were refused since the start. */
  readonly refused: number;
  /** Changes the mode; connections that hung go through when it becomes `pass`. */
  become(mode: ProxyMode): void;
  /** Lets every packet of the connections that pass now vanish, both ways; neither side hears of it, and new ones pass. */
  halfOpen(): void;
  close(): Promise<void>;
}

/** Stands on a TCP port of loopback in front of the PostgreSQL whose socket lies in `socketDir`. */
export const postgresProxy = async (
  target: { socketDir: string; database: string },
  first: ProxyMode,
): Promise<PostgresProxy> => {
  let mode = first;
  let refused = 0;
  const open = new Set<Socket>();
  const waiting = new Set<Socket>();
  const passing = new Map<Socket, Socket>();
  const pass = (socket: Socket): void => {
    const upstream = connect(join(target.socketDir, '.s.PGSQL.5432'));
    const both = () => (socket.destroy(), upstream.destroy());
    upstream.on('error', both).on('close', both);
    socket.on('close', both);
    socket.pipe(upstream).pipe(socket);
    passing.set(socket, upstream);
  };
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      open.delete(socket);
      waiting.delete(socket);
      passing.delete(socket);
    });
    if (mode === 'refuse') {
      refused += 1;
      socket.destroy();
    } else if (mode === 'hang') waiting.add(socket);
    else pass(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `postgres://breakwater@127.0.0.1:${port}/${target.database}`,
    get connections() {
      return open.size;
    },
    get refused() {
      return refused;
    },
    become(next) {
      mode = next;
      if (next === 'refuse') for (const socket of open) socket.destroy();
      if (next !== 'pass') return;
      for (const socket of waiting) pass(socket);
      waiting.clear();
    },
    halfOpen() {
      for (const [socket, upstream] of passing) {
        socket.unpipe(upstream).resume();
        upstream.unpipe(socket).resume();
      }
      passing.clear();
    },
    async close() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
};
