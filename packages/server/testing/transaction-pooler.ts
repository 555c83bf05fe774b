import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';

/** A message of PostgreSQL's protocol with its head; `type` is 0 for the first one of a client, which has none. */
interface Message {
  readonly type: number;
  readonly bytes: Buffer;
}

/** Cuts a stream into messages. */
const reader = (isClient: boolean, heard: (message: Message) => void): ((chunk: Buffer) => void) => {
  let rest = Buffer.alloc(0);
  let started = !isClient;
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const head = started ? 1 : 0;
      if (rest.length < head + 4) return;
      const length = head + rest.readInt32BE(head);
      if (rest.length < length) return;
      const bytes = rest.subarray(0, length);
      rest = rest.subarray(length);
      const type = started ? (bytes[0] ?? 0) : 0;
      // A question for TLS is answered, and followed by the real beginning.
      if (!started && bytes.readInt32BE(4) !== TLS) started = true;
      heard({ type, bytes });
    }
  };
};

const TLS = 80_877_103;
const code = (letter: string): number => letter.charCodeAt(0);
const message = (letter: string, body: Buffer): Buffer => {
  const bytes = Buffer.alloc(5 + body.length);
  bytes.write(letter, 0, 'latin1');
  bytes.writeInt32BE(4 + body.length, 1);
  body.copy(bytes, 5);
  return bytes;
};
const READY = message('Z', Buffer.from('I'));

/** A connection to PostgreSQL that serves whoever has a transaction. */
class Backend {
  readonly #socket: Socket;
  readonly #free: Promise<void>;
  client: Socket | undefined;
  onDone: () => void = () => undefined;

  constructor(target: { socketDir: string; database: string }) {
    this.#socket = connect(join(target.socketDir, '.s.PGSQL.5432'));
    const body = Buffer.from(`\0\x03\0\0user\0breakwater\0database\0${target.database}\0\0`, 'latin1');
    const first = Buffer.alloc(4);
    first.writeInt32BE(4 + body.length);
    this.#socket.write(Buffer.concat([first, body]));
    let begun = (): void => undefined;
    this.#free = new Promise((resolve) => (begun = resolve));
    let isBegun = false;
    this.#socket
      .on('error', () => undefined)
      .on(
        'data',
        reader(false, ({ type, bytes }) => {
          if (isBegun) {
            this.client?.write(bytes);
            if (type === code('Z') && bytes[5] === code('I')) this.onDone();
          } else if (type === code('Z')) {
            isBegun = true;
            begun();
          }
        }),
      );
  }

  async send(bytes: Buffer): Promise<void> {
    await this.#free;
    this.#socket.write(bytes);
  }

  close(): void {
    this.#socket.destroy();
  }
}

/**
 * A pooler in transaction mode, as far as a server can tell: each transaction gets a connection of PostgreSQL that is free, and
 * what a session keeps (LISTEN, prepared statements) stays behind on it. `prepared: 'carried'`: prepared statements follow their
 * client, as behind newer poolers.
 */
export const transactionPooler = async (
  target: { socketDir: string; database: string },
  prepared: 'lost' | 'carried',
): Promise<{ readonly url: string; close(): Promise<void> }> => {
  const shared: Backend[] = [];
  const backends: Backend[] = [];
  const sockets = new Set<Socket>();
  const open = (): Backend => {
    const backend = new Backend(target);
    backends.push(backend);
    return backend;
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    let own: Backend | undefined;
    let current: Backend | undefined;
    let batch: Buffer[] = [];
    const take = (isSimple: boolean): Backend => {
      if (current !== undefined) return current;
      const carried = prepared === 'carried' && !isSimple;
      const backend = carried ? (own ??= open()) : (shared.pop() ?? open());
      backend.client = socket;
      backend.onDone = () => {
        current = undefined;
        backend.client = undefined;
        if (!carried) shared.push(backend);
      };
      return (current = backend);
    };
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    socket.on(
      'data',
      reader(true, ({ type, bytes }) => {
        if (type === code('X')) return void socket.end();
        if (type === 0) {
          if (bytes.readInt32BE(4) === TLS) return void socket.write('N');
          return void socket.write(
            Buffer.concat([
              message('R', Buffer.alloc(4)),
              message('S', Buffer.from('client_encoding\0UTF8\0')),
              message('K', Buffer.alloc(8)),
              READY,
            ]),
          );
        }
        batch.push(bytes);
        if (type !== code('Q') && type !== code('S')) return;
        const whole = Buffer.concat(batch);
        batch = [];
        void take(type === code('Q')).send(whole);
      }),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `postgres://breakwater@127.0.0.1:${port}/${target.database}`,
    async close() {
      for (const backend of backends) backend.close();
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
};
