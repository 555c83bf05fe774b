import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { Transform } from 'node:stream';

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
  /** Lets every packet come late by this many milliseconds; 0: at once. */
  delay(ms: number): void;
  /** Leads to another PostgreSQL from now on, as an address does after a failover; what is open is closed. */
  leadTo(socketDir: string): void;
  close(): Promise<void>;
}

/** Stands on a TCP port of loopback in front of the PostgreSQL whose socket lies in `socketDir`. */
export const postgresProxy = async (
  target: { socketDir: string; database: string },
  first: ProxyMode,
): Promise<PostgresProxy> => {
  let mode = first;
  let refused = 0;
  let lateMs = 0;
  let { socketDir } = target;
  const open = new Set<Socket>();
  const waiting = new Set<Socket>();
  const passing = new Map<Socket, readonly [Socket, Transform, Transform]>();
  const late = (): Transform =>
    new Transform({
      transform(chunk, _encoding, done) {
        if (lateMs === 0) done(null, chunk);
        else setTimeout(() => done(null, chunk), lateMs);
      },
    });
  const pass = (socket: Socket): void => {
    const upstream = connect(join(socketDir, '.s.PGSQL.5432'));
    const both = () => (socket.destroy(), upstream.destroy());
    upstream.on('error', both).on('close', both);
    socket.on('close', both);
    const [there, back] = [late(), late()];
    socket.pipe(there).pipe(upstream);
    upstream.pipe(back).pipe(socket);
    passing.set(socket, [upstream, there, back]);
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
      for (const [socket, [upstream, there, back]] of passing) {
        socket.unpipe(there).resume();
        upstream.unpipe(back).resume();
      }
      passing.clear();
    },
    delay(ms) {
      lateMs = ms;
    },
    leadTo(other) {
      socketDir = other;
      for (const socket of open) socket.destroy();
    },
    async close() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
};
